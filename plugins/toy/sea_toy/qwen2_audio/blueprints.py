"""What `sea toy build` can build for this plugin. A blueprint's imports happen when it runs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from sea_core.plugin.blueprint import Blueprint, ReportLine, Scores
from sea_toy.blueprints import make_blueprints

if TYPE_CHECKING:
    from sea_toy.graft import GraftedStudent
    from sea_toy.student import Student


def _tiny() -> Student:
    from sea_toy.qwen2_audio.tiny import TinyAudioStudent

    return TinyAudioStudent()


def _small() -> GraftedStudent:
    from sea_toy.qwen2_audio.small import SmallAudioStudent

    return SmallAudioStudent()


def _build_real(out: Path, seed: int, report: ReportLine) -> None:
    from sea_toy.qwen2_audio.real import build_real

    build_real(out, seed, report)


def _check_real(folder: Path, seed: int) -> Scores:
    from sea_toy.qwen2_audio.real import check_real

    return check_real(folder, seed)


REAL = Blueprint(
    "real",
    "qwen2_audio",
    "audio",
    "Whisper tiny.en's encoder, a linear layer and SmolLM2-135M-Instruct, for spoken English in open vocabulary",
    _build_real,
    _check_real,
    min_score=0.8,
)
BLUEPRINTS = make_blueprints(
    "qwen2_audio",
    "audio",
    _tiny,
    "1.2 million weights, trained on the toy world's speech; bundled",
    _small,
    "SmolLM2-135M-Instruct with a new audio tower, for real text",
)
BLUEPRINTS.append(REAL)
