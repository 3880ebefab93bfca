"""E of clips: the frozen encoder runs once for each, and its outputs are kept in the cache."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from sea_core.model.mllm import MLLM
from sea_core.plugin.blueprint import Report
from sea_core.runs.atomic import atomic_write
from sea_toy.spoken.clips import PlannedClip, cache_file, render_part, split_parts
from sea_toy.spoken.phrases import SpokenPhrase


@dataclass(frozen=True)
class EncodedClip:
    """A phrase, and E of a clip that speaks it: (n_features, d_encoder), in fp16 on the CPU."""

    phrase: SpokenPhrase
    features: Tensor


def encode_clips(mllm: MLLM, planned: Sequence[PlannedClip], encoder: str, report: Report) -> list[EncodedClip]:
    """Render and encode clips.

    Args:
        encoder: what identifies the encoder's weights in the cache.

    Raises:
        SeaError: a package of a voice cannot be had.
    """
    encoded: list[EncodedClip] = []
    for part in split_parts(planned):
        path = cache_file(part, f"{encoder[:12]}.safetensors")
        if not path.exists():
            features = encode(mllm, render_part(part))
            with atomic_write(path) as partial:
                save_file({f"{i:03d}": e for i, e in enumerate(features)}, partial)
            report(f"{len(encoded) + len(part)}/{len(planned)} clips encoded")
        stored = load_file(path)
        encoded += [EncodedClip(clip.phrase, stored[f"{i:03d}"]) for i, clip in enumerate(part)]
    return encoded


@torch.no_grad()
def encode(mllm: MLLM, waves: Sequence[np.ndarray]) -> list[Tensor]:
    """Return E of each clip, in fp16 on the CPU. Only the encoder is run, not the language model behind it."""
    inputs = mllm.media_inputs(["?"] * len(waves), waves)
    return [e.features.half().cpu() for e in mllm.encode_with_grad(inputs, len(waves))]
