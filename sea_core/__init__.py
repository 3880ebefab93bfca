"""SEA: safety alignment of multimodal language models from text, through synthetic embeddings.

Public names are imported on first use, so `import sea_core` imports neither torch nor anything else that is slow.
"""

from __future__ import annotations

from importlib import import_module
from importlib.metadata import version
from typing import TYPE_CHECKING

__version__ = version("sea-core")

if TYPE_CHECKING:
    from sea_core.alignment.config import AlignConfig
    from sea_core.data.examples import Example, Extraction, Goal, PreparedExample
    from sea_core.data.read import read_examples
    from sea_core.errors import DataError, ModelError, PluginError, RunError, SeaError
    from sea_core.extraction.extractor import ExtractionFailed, Extractor
    from sea_core.model.adapter import Adapter
    from sea_core.model.mllm import MLLM
    from sea_core.optimization.config import OptimizeConfig
    from sea_core.optimization.recipes.base import Recipe
    from sea_core.plugin.blueprint import Blueprint
    from sea_core.plugin.generator import Generator
    from sea_core.plugin.hookspecs import hookimpl
    from sea_core.runs.embedding_run import EmbeddingRun
else:
    # Hidden from type checkers, which would otherwise accept any attribute.
    _MODULES = {
        "alignment.config": ["AlignConfig"],
        "data.examples": ["Example", "Extraction", "Goal", "PreparedExample"],
        "data.read": ["read_examples"],
        "errors": ["DataError", "ModelError", "PluginError", "RunError", "SeaError"],
        "extraction.extractor": ["ExtractionFailed", "Extractor"],
        "model.adapter": ["Adapter"],
        "model.mllm": ["MLLM"],
        "optimization.config": ["OptimizeConfig"],
        "optimization.recipes.base": ["Recipe"],
        "plugin.blueprint": ["Blueprint"],
        "plugin.generator": ["Generator"],
        "plugin.hookspecs": ["hookimpl"],
        "runs.embedding_run": ["EmbeddingRun"],
    }
    _MODULE_OF = {name: module for module, names in _MODULES.items() for name in names}

    def __getattr__(name):
        """Import a public name, or find a function that an installed plugin offers (hook `sea_functions`)."""
        if name in _MODULE_OF:
            value = getattr(import_module(f"sea_core.{_MODULE_OF[name]}"), name)
        elif name.startswith("_"):
            raise AttributeError(f"module 'sea_core' has no attribute {name!r}")
        else:
            value = import_module("sea_core.plugin.loader").function(name)
        globals()[name] = value
        return value

    def __dir__():
        return sorted({*globals(), *__all__})


__all__ = [
    "MLLM",
    "Adapter",
    "AlignConfig",
    "Blueprint",
    "DataError",
    "EmbeddingRun",
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
    "Recipe",
    "RunError",
    "SeaError",
    "__version__",
    "hookimpl",
    "read_examples",
]
