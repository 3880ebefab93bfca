"""SEA: safety alignment of multimodal models from text, through synthetic embeddings.

The public names load when they are first used, so that importing `sea_core` imports neither torch nor anything else
heavy.
"""

from __future__ import annotations

from importlib import import_module
from importlib.metadata import version
from typing import TYPE_CHECKING

__version__ = version("sea-core")

if TYPE_CHECKING:
    from sea_core.data.examples import Example, Extraction, Goal, PreparedExample
    from sea_core.data.read import read_examples
    from sea_core.errors import DataError, ModelError, PluginError, RunError, SeaError
    from sea_core.extraction.extractor import ExtractionFailed, Extractor
    from sea_core.model.adapter import Adapter
    from sea_core.model.mllm import MLLM
    from sea_core.optimization.optimizer import OptimizeConfig
    from sea_core.plugin.blueprint import Blueprint
    from sea_core.plugin.generator import Generator
    from sea_core.plugin.hookspecs import hookimpl
else:
    # Hidden from type checkers, which would otherwise believe that any name is here.
    _MODULES = {
        "data.examples": ["Example", "Extraction", "Goal", "PreparedExample"],
        "data.read": ["read_examples"],
        "errors": ["DataError", "ModelError", "PluginError", "RunError", "SeaError"],
        "extraction.extractor": ["ExtractionFailed", "Extractor"],
        "model.adapter": ["Adapter"],
        "model.mllm": ["MLLM"],
        "optimization.optimizer": ["OptimizeConfig"],
        "plugin.blueprint": ["Blueprint"],
        "plugin.generator": ["Generator"],
        "plugin.hookspecs": ["hookimpl"],
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
    "Example",
    "Extraction",
    "ExtractionFailed",
    "Extractor",
    "Generator",
    "Goal",
    "ModelError",
    "OptimizeConfig",
    "PluginError",
    "PreparedExample",
    "RunError",
    "SeaError",
    "__version__",
    "hookimpl",
    "read_examples",
]
