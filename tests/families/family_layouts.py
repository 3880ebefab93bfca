"""The layouts of prompts of the few families that need their own."""

from __future__ import annotations

from collections.abc import Callable, Iterator

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


def _gemma3n_audio(config: PreTrainedConfig, _media: Media) -> Iterator[Layout]:
    """As many placeholders as there may be: the model pads the audio."""
    audio = find_placeholder("audio", config)
    yield Layout([*TEXT_BEFORE, *[audio] * config.audio_soft_tokens_per_image, *TEXT_AFTER], audio)


def _answered(count: int) -> Layouts:
    """The question goes into an encoder, and the answer, or what is there of it, into a decoder."""

    def lay_out(config: PreTrainedConfig, _media: Media) -> Iterator[Layout]:
        image = find_placeholder("image", config)
        answer = {"decoder_input_ids": torch.tensor([TEXT_AFTER])}
        yield Layout([*TEXT_BEFORE, *[image] * count, *TEXT_AFTER], image, answer)

    return lay_out


def _counts(modality: str, *counts: int) -> Layouts:
    """Try these numbers of placeholders."""

    def lay_out(config: PreTrainedConfig, _media: Media) -> Iterator[Layout]:
        token = find_placeholder(modality, config)
        for count in counts:
            yield Layout([*TEXT_BEFORE, *[token] * count, *TEXT_AFTER], token)

    return lay_out


LAYOUTS: dict[tuple[str, str], Layouts] = {
    ("diffusion_gemma", "image"): _answered(4),
    ("gemma3n", "audio"): _gemma3n_audio,
    ("idefics", "image"): _idefics,
    ("kosmos-2", "image"): _kosmos,
    ("kosmos-2.5", "image"): _kosmos,
    ("mllama", "image"): _cross_attention,
    ("musicflamingo", "audio"): _counts("audio", 32),
    ("phi4_multimodal", "audio"): _counts("audio", 8),
    ("phi4_multimodal", "image"): _counts("image", *range(4, 400)),
    ("t5gemma2", "image"): _answered(16),
}
