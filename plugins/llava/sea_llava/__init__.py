"""SEA plugin for LLaVA."""

from __future__ import annotations

from sea_core import Blueprint, hookimpl
from sea_llava.adapter import LlavaAdapter
from sea_llava.blueprints import BLUEPRINTS


@hookimpl
def sea_adapters() -> list[LlavaAdapter]:
    return [LlavaAdapter()]


@hookimpl
def sea_blueprints() -> list[Blueprint]:
    return BLUEPRINTS
