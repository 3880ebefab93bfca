"""Candidates of media inputs, by the names of the parameters that take them. They are tried in turn."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from transformers import PreTrainedConfig

Media = dict[str, Any]

VISION_CONFIGS = ("vision_config", "vit_config", "visual_config", "vq_config", "encoder")
AUDIO_CONFIGS = (
    "audio_config",
    "encoder_config",
    "speech_config",
    "audio_encoder_config",
    "acoustic_tokenizer_encoder_config",
)
noise = torch.randn


@dataclass(frozen=True)
class Vision:
    """What a vision config says about pictures."""

    patch: int
    size: int
    channels: int
    temporal_patch: int
    merge: int
    pooling: int

    @property
    def patch_size(self) -> int:
        """Return how many values a patch of one frame has."""
        return self.channels * self.patch**2


def make_candidates(modality: str, config: PreTrainedConfig, names: list[str]) -> Iterator[Media]:
    """Yield media to try, made of noise. `names` are the parameters that could take them."""
    return _audios(config, names) if modality == "audio" else _pictures(config, names, modality)


def find_number(config: PreTrainedConfig, names: tuple[str, ...], default: int) -> int:
    """Return the first of these fields that a config has, the first entry of a list."""
    for name in names:
        value = getattr(config, name, None)
        if value is not None:
            return int(value[0] if isinstance(value, list | tuple) else value)
    return default


def find_config(config: PreTrainedConfig, names: tuple[str, ...]) -> PreTrainedConfig:
    """Return the first of these configs within a config, or else itself."""
    return next((c for name in names if isinstance(c := getattr(config, name, None), PreTrainedConfig)), config)


def grid(height: int, width: int) -> Tensor:
    """Return the (x, y) of each patch, (1, height * width, 2)."""
    return torch.stack(torch.meshgrid(torch.arange(width), torch.arange(height), indexing="xy"), -1).reshape(1, -1, 2)


def read_vision(config: PreTrainedConfig) -> Vision:
    """Read what a model's config says about pictures."""
    vision = find_config(find_config(config, VISION_CONFIGS), ("vision_config",))
    patch = find_number(vision, ("patch_size",), 14)
    return Vision(
        patch=patch,
        size=find_number(vision, ("image_size",), 8 * patch),
        channels=find_number(vision, ("in_channels", "num_channels", "in_chans"), 3),
        temporal_patch=find_number(vision, ("temporal_patch_size",), 1),
        merge=find_number(vision, ("spatial_merge_size", "merge_size"), 2),
        pooling=find_number(vision, ("pooling_kernel_size",), 3),
    )


def _pictures(config: PreTrainedConfig, names: list[str], modality: str) -> Iterator[Media]:
    vision = read_vision(config)
    pixels = "pixel_values_videos" if modality == "video" and "pixel_values_videos" in names else "pixel_values"
    yield from _patches_with_grid(vision, names, modality, pixels)
    yield from _patches_with_positions(vision, names, modality, pixels)
    yield from _rows_of_patches(vision, names, pixels)
    yield from _whole(vision, names, modality, pixels)


def _patches_with_grid(vision: Vision, names: list[str], modality: str, pixels: str) -> Iterator[Media]:
    """Qwen-VL's way: all patches in one list, and (frames, height, width) of each medium."""
    grids = [n for n in names if n == "grid_thws" or (n.startswith(modality) and n.endswith("grid_thw"))]
    if not grids:
        return
    frames = 2 if modality == "video" else 1
    merges = f"{modality}_merge_sizes"
    if merges in names:
        for merge in (1, 2):
            patches = noise(frames * 16, vision.patch_size)
            yield {pixels: patches, grids[0]: torch.tensor([[frames, 4, 4]]), merges: torch.tensor([merge])}
    height, width = 2 * vision.merge, 3 * vision.merge
    count, p = frames * height * width, vision.patch
    shapes = [(count, vision.patch_size * t) for t in dict.fromkeys((vision.temporal_patch, 1, 2))]
    shapes += [(count, vision.channels, p, p), (count, vision.channels, vision.temporal_patch, p, p)]
    shapes += [(1, count, vision.channels, p, p)]
    for shape in shapes:
        yield {pixels: noise(*shape), grids[0]: torch.tensor([[frames, height, width]])}


def _patches_with_positions(vision: Vision, names: list[str], modality: str, pixels: str) -> Iterator[Media]:
    """Gemma 4's way: a list of patches, and (x, y) of each."""
    positions = [n for n in names if n.endswith("position_ids") and n.startswith((modality, "pixel"))]
    if not positions:
        return
    side = 2 * vision.pooling
    frames = 2 if modality == "video" else 1
    where = grid(side, side).expand(frames, -1, -1)
    counts = {"num_frames_per_video": torch.tensor([frames])} if "num_frames_per_video" in names else {}
    for width in (vision.patch_size, vision.patch_size * vision.pooling**2):
        yield {pixels: noise(frames, side**2, width), positions[0]: where, **counts}


def _rows_of_patches(vision: Vision, names: list[str], pixels: str) -> Iterator[Media]:
    """A list or a strip of patches, and height and width in patches."""
    if "spatial_shapes" in names:
        mask = {"pixel_attention_mask": torch.ones(1, 16, dtype=torch.long)}
        yield {pixels: noise(1, 16, vision.patch_size), "spatial_shapes": torch.tensor([[4, 4]]), **mask}
    if "image_grid_hw" in names:
        yield {pixels: noise(64, vision.patch_size), "image_grid_hw": torch.tensor([[8, 8]])}
    for name, sides in (("target_sizes_videos", (4, 8)), ("target_sizes", (8, 4))):
        for side in sides if name in names else ():
            strip = noise(1, vision.channels, vision.patch, side * side * vision.patch)
            yield {pixels: strip, name: torch.tensor([[side, side]], dtype=torch.int32)}


def _whole(vision: Vision, names: list[str], modality: str, pixels: str) -> Iterator[Media]:
    """Whole pictures, of some frames or tiles, with what else the model takes."""
    size, channels, side = vision.size, vision.channels, vision.size // vision.patch
    shapes = [(1, channels, size, size), *((1, n, channels, size, size) for n in (1, 2, 3, 5))]
    if modality == "video":
        shapes = [(1, n, channels, size, size) for n in (2, 8)] + shapes
    required = {
        "target_sizes": torch.tensor([[side, side]], dtype=torch.int32),
        "pixel_mask": torch.ones(1, size, size, dtype=torch.long),
    }
    for shape in shapes:
        media: Media = {pixels: noise(*shape), **{n: value for n, value in required.items() if n in names}}
        optional: list[tuple[str, Media]] = [
            ("image_sizes", {"image_sizes": torch.tensor([[size, size]])}),
            ("", {}),
            ("pixel_values_local", {"pixel_values_local": noise(*shape)}),
            ("high_res_pixel_values", {"high_res_pixel_values": noise(*shape)}),
            (
                "num_local_patches",
                {"pixel_values_local": noise(2, channels, size, size), "num_local_patches": [2]},
            ),
            ("pixel_attention_mask", {"pixel_attention_mask": torch.ones(shape[:2], dtype=torch.bool)}),
            ("image_grid_hw", {"image_grid_hw": torch.tensor([[side, side]])}),
        ]
        yield from ({**media, **more} for name, more in optional if not name or name in names)


def _audios(config: PreTrainedConfig, names: list[str]) -> Iterator[Media]:
    audio = find_config(config, AUDIO_CONFIGS)
    mel = find_number(audio, ("num_mel_bins", "input_feat_size", "input_dim", "n_mels", "input_size", "num_mels"), 80)
    frames = 2 * find_number(audio, ("max_source_positions",), 64)
    name = next((n for n in ("input_features", "input_values", "audio_input_features") if n in names), None)
    if name is None:
        return
    masks = [n for n in names if n.endswith("mask") and n != "attention_mask"] or [
        n for n in names if n == "attention_mask"
    ]
    lengths = [n for n in names if "length" in n]
    mels = [(1, mel, frames), (1, frames, mel), *((1, frames, m) for m in (2 * mel, 560, 160, 80)), (1, 1, frames, mel)]
    samples = [(1, 1, 3200), (1, 6400), (1, 48, 640), (1, 24000)]
    for shape in [*mels, *samples]:
        steps = frames if shape in mels else 48 if shape == (1, 48, 640) else shape[-1]
        for dtype in (torch.long, torch.bool):
            every: Media = {n: torch.ones(1, steps, dtype=dtype) for n in masks}
            yield {name: noise(*shape), **every, **{n: torch.tensor([steps]) for n in lengths}}
        yield {name: noise(*shape)}
        if masks:
            yield {name: noise(*shape), masks[0]: torch.ones(1, steps, dtype=torch.long)}
