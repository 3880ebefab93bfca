"""SEA plugin for any model: an adapter derived from the checkpoint, and proved before it is used."""

from __future__ import annotations

from sea_auto.adapter import AudioAutoAdapter, AutoAdapter, ImageAutoAdapter, VideoAutoAdapter
from sea_auto.joint import ImageAudioAutoAdapter
from sea_core import hookimpl


@hookimpl
def sea_adapters() -> list[AutoAdapter]:
    return [ImageAutoAdapter(), VideoAutoAdapter(), AudioAutoAdapter(), ImageAudioAutoAdapter()]
