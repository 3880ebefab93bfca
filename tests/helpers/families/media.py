"""Blank and noisy media, and a question about them."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from PIL import Image

from helpers.families.family import Family

KEYWORDS = {"image": "images", "audio": "audio", "video": "videos"}
"""The argument of a processor for each modality."""
RATE = 16000


def make_medium(modality: str, seed: int | None, side: int = 112) -> Any:
    """Return a medium: blank without a seed, else noise."""
    rng = np.random.default_rng(seed)
    if modality == "image":
        pixels = np.zeros((side, side, 3)) if seed is None else rng.integers(0, 256, (side, side, 3))
        return Image.fromarray(pixels.astype(np.uint8))
    if modality == "video":
        frames = np.zeros((4, side, side, 3)) if seed is None else rng.integers(0, 256, (4, side, side, 3))
        return frames.astype(np.uint8)
    return (np.zeros(RATE) if seed is None else rng.normal(0, 0.3, RATE)).astype(np.float32)


def ask(family: Family, processor: Any, modality: str, medium: Any, question: str = "What is it?") -> dict[str, Any]:
    """Return a model's inputs for a question about a medium."""
    content = [{"type": modality}, {"type": "text", "text": question}]
    messages = [{"role": "user", "content": content}]
    if family.unexpanded:
        return _from_parts(family, processor, messages, medium)
    text = processor.apply_chat_template(messages, tokenize=False, add_generation_prompt=True)
    return dict(processor(text=[text], **{KEYWORDS[modality]: [medium]}, return_tensors="pt"))


def _from_parts(family: Family, processor: Any, messages: list[Any], medium: Any) -> dict[str, Any]:
    """Return the inputs where the processor takes audio only through a tokenizer of another library."""
    token, count = family.unexpanded
    tokenizer = processor.tokenizer
    text = tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=True)
    inputs = tokenizer([text.replace(token, token * count)], return_tensors="pt")
    features = processor.feature_extractor(medium, sampling_rate=RATE, return_tensors="pt")
    return dict(inputs) | {"input_features": features["input_features"]}


def answer(model: Any, inputs: dict[str, Any]) -> torch.Tensor:
    """Return the logits at all positions, (1, tokens, vocabulary). A processor may give bf16 (Llama 4)."""
    cast = {key: x.to(model.dtype) if x.is_floating_point() else x for key, x in inputs.items()}
    with torch.inference_mode():
        logits: torch.Tensor = model(**cast).logits
    return logits
