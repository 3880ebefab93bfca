"""SEA plugin for any model: an adapter derived from the checkpoint, and proved before it is used."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sea_auto.adapter import AudioAutoAdapter, AutoAdapter, ImageAutoAdapter, VideoAutoAdapter
from sea_auto.joint import ImageAudioAutoAdapter
from sea_core import hookimpl


@hookimpl
def sea_adapters() -> list[AutoAdapter]:
    return [ImageAutoAdapter(), VideoAutoAdapter(), AudioAutoAdapter(), ImageAudioAutoAdapter()]


@hookimpl
def sea_functions() -> dict[str, Callable[..., Any]]:
    from sea_auto.habits import find_habits
    from sea_auto.source.write import write_adapter_source

    return {"find_habits": find_habits, "write_adapter_source": write_adapter_source}
