"""What sea-toy registers: the `sea toy` commands, blueprints of toy models, and generators of toy media."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sea_core import Blueprint, Generator, hookimpl

if TYPE_CHECKING:
    import typer


@hookimpl
def sea_commands() -> list[typer.Typer]:
    from sea_toy.cli import app

    return [app]


@hookimpl
def sea_blueprints() -> list[Blueprint]:
    from sea_toy.llava.blueprints import BLUEPRINTS as LLAVA
    from sea_toy.omni.blueprints import BLUEPRINTS as OMNI
    from sea_toy.qwen2_audio.blueprints import BLUEPRINTS as QWEN2_AUDIO
    from sea_toy.qwen2_vl.blueprints import BLUEPRINTS as QWEN2_VL

    return [*LLAVA, *QWEN2_AUDIO, *QWEN2_VL, *OMNI]


@hookimpl
def sea_generators() -> list[Generator]:
    from sea_toy.bench_generators import ToyImages, ToyVideos

    return [ToyImages(), ToyVideos()]
