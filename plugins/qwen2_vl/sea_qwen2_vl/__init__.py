"""SEA plugin for Qwen2-VL and Qwen2.5-VL, images and videos."""

from __future__ import annotations

from sea_core import hookimpl
from sea_qwen2_vl.adapter import ImageAdapter, VideoAdapter
from sea_qwen2_vl.vision import VisionAdapter


@hookimpl
def sea_adapters() -> list[VisionAdapter]:
    return [ImageAdapter(), VideoAdapter()]
