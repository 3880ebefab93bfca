"""Write the checkpoint of a family."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
import transformers

from helpers.families.family import VOCABULARY, Family, Part
from helpers.families.images import IMAGE_FAMILIES
from helpers.families.speech import SPEECH_FAMILIES
from helpers.families.tokenizer import make_tokenizer
from sea_core.model.processor import AbsentPart, find_processor_class, with_stand_ins

FAMILIES = IMAGE_FAMILIES | SPEECH_FAMILIES
NOISE = 0.05
"""The standard deviation of what is added to fresh weights: near zero they hide what depends on what."""


def write_checkpoint(name: str, folder: Path) -> Family:
    """Write the model and the processor of a family, about a megabyte, and return the family."""
    family = FAMILIES[name]
    tokenizer = make_tokenizer(family.tokens, family.named, family.fixed)
    processor = make_processor(family, tokenizer)
    processor.save_pretrained(folder)
    make_model(family, tokenizer).save_pretrained(folder)
    return family


def make_processor(family: Family, tokenizer: Any) -> Any:
    """Return the processor of a family; a part of a library that is not installed is a stand-in."""
    parts = {name: make_part(family, name, part) for name, part in family.parts.items()}
    more = {name: make_tokenizer((), {}, {}) for name in family.subfolder_tokenizers}
    processor_class = with_stand_ins(find_processor_class(family.processor))
    processor = processor_class(tokenizer=tokenizer, **parts, **more, **family.arguments)
    processor.chat_template = family.template
    return processor


def make_part(family: Family, name: str, part: Part) -> Any:
    """Return a part of a processor; a video processor and what `needs` says as an AbsentPart, installed or not."""
    class_name, settings = part
    if name == "video_processor" or family.needs:
        kind = "feature_extractor" if name == "audio_processor" else name
        return AbsentPart(name, family.needs or "torchvision", {f"{kind}_type": class_name, **settings})
    return getattr(transformers, class_name)(**settings)


def make_model(family: Family, tokenizer: Any) -> Any:
    """Return the model with random weights."""
    model_class = getattr(transformers, family.model)
    torch.manual_seed(0)
    model = model_class(model_class.config_class(**with_ids(family.config, tokenizer)))
    for parameter in model.parameters():
        parameter.data.add_(NOISE * torch.randn_like(parameter))
    return model.eval()


def with_ids(value: Any, tokenizer: Any) -> Any:
    """Return a configuration with token ids and the size of the vocabulary in place of their names."""
    if isinstance(value, Mapping):
        return {key: with_ids(inner, tokenizer) for key, inner in value.items()}
    if value == VOCABULARY:
        return len(tokenizer)
    if isinstance(value, str) and value.startswith("id:"):
        return tokenizer.convert_tokens_to_ids(value.removeprefix("id:"))
    return value
