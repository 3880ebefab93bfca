"""The special tokens of a tiny model: which stand for a medium, and how a prompt is laid out around them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from transformers import PreTrainedConfig

from families.settings import UNNAMED_PLACEHOLDER
from families.shrink import set_field, sub_configs

TEXT_BEFORE, TEXT_BETWEEN, TEXT_AFTER = [5, 6, 7], [9], [8, 9, 10, 11]
PLACEHOLDERS = {
    "image": [
        "image_token_id",
        "image_token_index",
        "media_placeholder_token_id",
        "boi_token_id",
        "img_context_token_id",
        "image_patch_id",
        "special_image_token_id",
        "vision_token_id",
    ],
    "video": ["video_token_id", "video_token_index"],
    "audio": [
        "audio_token_id",
        "audio_token_index",
        "speech_token_id",
        "sound_token_id",
        "acoustic_token_id",
        "audio_diffusion_token_id",
    ],
}
COUNTS = (16, 64, 8, 32, 15, 31, 0)
"""How many placeholders to try where the model does not say."""


@dataclass(frozen=True)
class Layout:
    """Token ids of a prompt, and what else the model's forward takes with them."""

    ids: list[int]
    placeholder: int
    extras: dict[str, Any] = field(default_factory=dict)


def find_placeholder(modality: str, config: PreTrainedConfig) -> int:
    """Return the id of a medium's placeholder, which is set where the config leaves it out."""
    token = find_token(config, *PLACEHOLDERS[modality])
    if token is not None:
        return token
    for name in PLACEHOLDERS[modality][:2]:
        if hasattr(config, name):
            set_field(config, name, UNNAMED_PLACEHOLDER)
    return UNNAMED_PLACEHOLDER


def find_token(config: PreTrainedConfig, *names: str) -> int | None:
    """Return the first of these tokens that a config, or one within it, has."""
    for name in names:
        if isinstance(token := getattr(config, name, None), int):
            return token
    within = (find_token(sub, *names) for _, sub in sub_configs(config))
    return next((token for token in within if token is not None), None)


def make_layouts(modality: str, config: PreTrainedConfig, media: dict[str, Any], count: int | None) -> Iterator[Layout]:
    """Yield the layouts to try for a medium of `count` placeholders (None: unknown)."""
    placeholder = find_placeholder(modality, config)
    side = "audio" if modality == "audio" else "vision"
    start, end = (
        [t] if (t := find_token(config, f"{side}_{x}_token_id")) is not None else [] for x in ("start", "end")
    )
    for n in COUNTS if count is None else [count]:
        yield Layout([*TEXT_BEFORE, *start, *[placeholder] * n, *end, *TEXT_AFTER], placeholder)
        if start:
            yield Layout([*TEXT_BEFORE, *[placeholder] * n, *TEXT_AFTER], placeholder)
        if "video_grid_thw" in media:
            yield from _framed(config, int(media["video_grid_thw"][0, 0]), n, start, end, placeholder)


def _framed(
    config: PreTrainedConfig, frames: int, count: int, start: list[int], end: list[int], placeholder: int
) -> Iterator[Layout]:
    """A run for each frame: with a timestamp before each, or with image placeholders between the marks of a video."""
    if count % frames:
        return
    stamped = [*TEXT_BETWEEN, *start, *[placeholder] * (count // frames), *end]
    yield Layout([*TEXT_BEFORE, *stamped * frames, *TEXT_AFTER], placeholder)
    image, first, last = (find_token(config, f"{x}_token_id") for x in ("image", "video_start", "video_end"))
    if image is not None and first is not None and last is not None:
        frame = [*TEXT_BETWEEN, *start, *[image] * (count // frames), *end]
        yield Layout([*TEXT_BEFORE, first, *frame * frames, last, *TEXT_AFTER], image)
