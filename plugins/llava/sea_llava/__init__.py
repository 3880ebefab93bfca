"""SEA plugin for LLaVA."""

from __future__ import annotations

from sea_core import hookimpl
from sea_llava.adapter import LlavaAdapter


@hookimpl
def sea_adapters() -> list[LlavaAdapter]:
    return [LlavaAdapter()]
