"""The layouts of prompts of the few families that need their own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import torch
from transformers import PreTrainedConfig

from families.media import Media
from families.tokens import TEXT_AFTER, TEXT_BEFORE, Layout, find_placeholder

Layouts = Callable[[PreTrainedConfig, Media], Iterator[Layout]]


def _cross_attention(config: PreTrainedConfig, _media: Media) -> Iterator[Layout]:
    """A single placeholder, and which text attends to which of the four tiles."""
    image = find_placeholder("image", config)
    ids = [*TEXT_BEFORE, image, *TEXT_AFTER]
    yield Layout(ids, image, {"cross_attention_mask": torch.ones(1, len(ids), 1, 4, dtype=torch.long)})


def _idefics(config: PreTrainedConfig, _media: Media) -> Iterator[Layout]:
    """No placeholder, and which text attends to which image."""
    ids = [*TEXT_BEFORE, *TEXT_AFTER]
    extras = {"image_attention_mask": torch.ones(1, len(ids), 1, dtype=torch.long)}
    yield Layout(ids, find_placeholder("image", config), extras)


def _kosmos(config: PreTrainedConfig, _media: Media) -> Iterator[Layout]:
    """A mask says which tokens stand for the image."""
    image = find_placeholder("image", config)
    count: int = config.latent_query_num
    mask = torch.zeros(1, len(TEXT_BEFORE) + count + len(TEXT_AFTER), dtype=torch.long)
    mask[:, len(TEXT_BEFORE) : len(TEXT_BEFORE) + count] = 1
    yield Layout([*TEXT_BEFORE, *[image] * count, *TEXT_AFTER], image, {"image_embeds_position_mask": mask})


def _phi4(modality: str, counts: Callable[[Any], range]) -> Layouts:
    def lay_out(config: PreTrainedConfig, media: Media) -> Iterator[Layout]:
        token = find_placeholder(modality, config)
        for count in counts(media):
            yield Layout([*TEXT_BEFORE, *[token] * count, *TEXT_AFTER], token)

    return lay_out


LAYOUTS: dict[tuple[str, str], Layouts] = {
    ("mllama", "image"): _cross_attention,
    ("idefics", "image"): _idefics,
    ("kosmos-2", "image"): _kosmos,
    ("kosmos-2.5", "image"): _kosmos,
    ("phi4_multimodal", "image"): _phi4("image", lambda _media: range(4, 400)),
    (
        "phi4_multimodal",
        "audio",
    ): _phi4("audio", lambda media: range(n := int(media["audio_embed_sizes"][0]), n + 1)),
}
