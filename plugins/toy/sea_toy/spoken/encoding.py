"""Clips in training: their phrases and waves, and E of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from sea_core.model.mllm import MLLM
from sea_core.plugin.blueprint import ReportLine
from sea_toy.spoken.clips import FULL_SCALE, PlannedClip, render_part, split_parts
from sea_toy.spoken.phrases import SpokenPhrase

REPORTED = 2000
"""After so many clips progress is reported."""


@dataclass(frozen=True)
class RecordedClip:
    """A phrase, and a clip that speaks it.

    Attributes:
        wave: int16 at 16 kHz.
    """

    phrase: SpokenPhrase
    wave: np.ndarray


def record_clips(planned: Sequence[PlannedClip], report: ReportLine) -> list[RecordedClip]:
    """Render clips, or read them from the cache.

    Raises:
        SeaError: a package of a voice cannot be had.
    """
    recorded: list[RecordedClip] = []
    for part in split_parts(planned):
        waves = [(wave * FULL_SCALE).round().astype(np.int16) for wave in render_part(part)]
        recorded += [RecordedClip(clip.phrase, wave) for clip, wave in zip(part, waves, strict=True)]
        if len(recorded) % REPORTED == 0:
            report(f"{len(recorded)}/{len(planned)} clips rendered")
    return recorded


def encode(mllm: MLLM, waves: Sequence[np.ndarray], dtype: torch.dtype) -> list[Tensor]:
    """Return E of each wave, (n_features, d_encoder), with gradients. The language model behind it is not run.

    Args:
        dtype: of the encoder's matrix products.
    """
    inputs = mllm.media_inputs(["?"] * len(waves), [wave.astype(np.float32) / FULL_SCALE for wave in waves])
    with torch.autocast(mllm.device.type, dtype, enabled=dtype != torch.float32):
        return [e.features for e in mllm.encode_with_grad(inputs, len(waves))]
