"""SEA plugin: EEG."""

from __future__ import annotations

from sea_core import Blueprint, Generator, hookimpl
from sea_eeg.adapter import EegAdapter
from sea_eeg.blueprints import BLUEPRINTS
from sea_eeg.generator import Rhythms


@hookimpl
def sea_adapters() -> list[EegAdapter]:
    return [EegAdapter()]


@hookimpl
def sea_blueprints() -> list[Blueprint]:
    return BLUEPRINTS


@hookimpl
def sea_generators() -> list[Generator]:
    return [Rhythms()]
