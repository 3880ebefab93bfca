"""SEA: safety alignment of multimodal models from text, through synthetic embeddings.

The public names load when they are first used, so that importing `sea_core` imports neither torch nor anything else
heavy. A name that is also a module's is not among them: `from sea_core.optimize import optimize`.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

__version__ = "0.1.0"

if TYPE_CHECKING:
    from sea_core.adapter import Adapter
    from sea_core.blueprint import Blueprint
    from sea_core.errors import DataError, ModelError, PluginError, RunError, SeaError
    from sea_core.generator import Generator
    from sea_core.hookspecs import hookimpl
    from sea_core.mllm import MLLM
    from sea_core.optimize import OptimizeConfig
    from sea_core.prepare import Extractor, NotExtracted
    from sea_core.readers import read_rows
    from sea_core.rows import Extraction, Goal, PreparedRow, Row
else:
    # Hidden from type checkers, which would otherwise believe that any name is here.
    _MODULES = {
        "adapter": ["Adapter"],
        "errors": ["DataError", "ModelError", "PluginError", "RunError", "SeaError"],
        "generator": ["Generator"],
        "hookspecs": ["hookimpl"],
        "mllm": ["MLLM"],
        "optimize": ["OptimizeConfig"],
        "prepare": ["Extractor", "NotExtracted"],
        "readers": ["read_rows"],
        "blueprint": ["Blueprint"],
        "rows": ["Extraction", "Goal", "PreparedRow", "Row"],
    }
    _HOMES = {name: module for module, names in _MODULES.items() for name in names}

    def __getattr__(name):
        if name not in _HOMES:
            raise AttributeError(f"module 'sea_core' has no attribute {name!r}")
        globals()[name] = value = getattr(import_module(f"sea_core.{_HOMES[name]}"), name)
        return value

    def __dir__():
        return sorted({*globals(), *__all__})


__all__ = [
    "MLLM",
    "Adapter",
    "Blueprint",
    "DataError",
    "Extraction",
    "Extractor",
    "Generator",
    "Goal",
    "ModelError",
    "NotExtracted",
    "OptimizeConfig",
    "PluginError",
    "PreparedRow",
    "Row",
    "RunError",
    "SeaError",
    "__version__",
    "hookimpl",
    "read_rows",
]
