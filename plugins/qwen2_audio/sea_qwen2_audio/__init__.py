"""SEA plugin for Qwen2-Audio."""

from __future__ import annotations

from sea_core import hookimpl
from sea_qwen2_audio.adapter import Qwen2AudioAdapter


@hookimpl
def sea_adapters() -> list[Qwen2AudioAdapter]:
    return [Qwen2AudioAdapter()]
