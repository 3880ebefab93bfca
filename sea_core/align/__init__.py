"""Alignment: embeddings, encoded media and plain text make a safer model, by TRL and PEFT.

The only folder that imports them. Names load when they are first used: TRL takes seconds to import.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sea_core.align.alignment import Aligned, Inputs, align
    from sea_core.align.collate import Collator
    from sea_core.align.config import AlignConfig, Terms
    from sea_core.align.examples import Embeddings, Example, dataset
    from sea_core.align.mixture import Mixture, mix
else:
    _MODULES = {
        "alignment": ["Aligned", "Inputs", "align"],
        "collate": ["Collator"],
        "config": ["AlignConfig", "Terms"],
        "examples": ["Embeddings", "Example", "dataset"],
        "mixture": ["Mixture", "mix"],
    }
    _HOMES = {name: module for module, names in _MODULES.items() for name in names}

    def __getattr__(name):
        if name not in _HOMES:
            raise AttributeError(f"module 'sea_core.align' has no attribute {name!r}")
        globals()[name] = value = getattr(import_module(f"sea_core.align.{_HOMES[name]}"), name)
        return value


__all__ = [
    "AlignConfig",
    "Aligned",
    "Collator",
    "Embeddings",
    "Example",
    "Inputs",
    "Mixture",
    "Terms",
    "align",
    "dataset",
    "mix",
]
