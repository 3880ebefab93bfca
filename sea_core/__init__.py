"""SEA: safety alignment of multimodal language models from text, through synthetic embeddings.

Public names are imported on first use, so `import sea_core` imports neither torch nor anything else that is slow.
"""

from __future__ import annotations

import logging
from importlib import import_module
from typing import TYPE_CHECKING

logging.getLogger("bitsandbytes").setLevel(logging.ERROR)  # it names optional kernels that it did not find

if TYPE_CHECKING:
    from sea_core.alignment.config import AlignConfig
    from sea_core.data.examples import Example, Extraction, Goal, PreparedExample
    from sea_core.data.formats.base import Format
    from sea_core.errors import DataError, ModelError, PluginError, RunError, SeaError
    from sea_core.extraction.extractor import ExtractionFailed, Extractor
    from sea_core.judges.base import Answer, Judge, JudgeFactory, Verdict
    from sea_core.model.adapter import Adapter
    from sea_core.model.crossing import Crossing, ReplaySeam
    from sea_core.model.mllm import MLLM
    from sea_core.optimization.config import OptimizeConfig
    from sea_core.optimization.recipes.base import Recipe
    from sea_core.pipeline.align import align
    from sea_core.pipeline.data_spec import DataSpec
    from sea_core.pipeline.model_target import ModelTarget, load
    from sea_core.pipeline.optimize import optimize
    from sea_core.pipeline.prepare import prepare
    from sea_core.pipeline.read import read_examples
    from sea_core.pipeline.refusal_curve import RefusalCurve
    from sea_core.pipeline.safety_replay import SafetyReplay
    from sea_core.pipeline.synthesis import Synthesis
    from sea_core.pipeline.verify import verify
    from sea_core.plugin.blueprint import Blueprint
    from sea_core.plugin.generator import Generator
    from sea_core.plugin.hookspecs import hookimpl
    from sea_core.report.curves_page import write_curves
    from sea_core.runs.embedding_run import EmbeddingRun

    __version__: str
else:
    # Hidden from type checkers, which would otherwise accept any attribute.
    _MODULES = {
        "alignment.config": ["AlignConfig"],
        "data.examples": ["Example", "Extraction", "Goal", "PreparedExample"],
        "data.formats.base": ["Format"],
        "errors": ["DataError", "ModelError", "PluginError", "RunError", "SeaError"],
        "extraction.extractor": ["ExtractionFailed", "Extractor"],
        "judges.base": ["Answer", "Judge", "JudgeFactory", "Verdict"],
        "model.adapter": ["Adapter"],
        "model.crossing": ["Crossing", "ReplaySeam"],
        "model.mllm": ["MLLM"],
        "optimization.config": ["OptimizeConfig"],
        "optimization.recipes.base": ["Recipe"],
        "pipeline.align": ["align"],
        "pipeline.data_spec": ["DataSpec"],
        "pipeline.model_target": ["ModelTarget", "load"],
        "pipeline.optimize": ["optimize"],
        "pipeline.prepare": ["prepare"],
        "pipeline.read": ["read_examples"],
        "pipeline.refusal_curve": ["RefusalCurve"],
        "pipeline.safety_replay": ["SafetyReplay"],
        "pipeline.synthesis": ["Synthesis"],
        "pipeline.verify": ["verify"],
        "plugin.blueprint": ["Blueprint"],
        "plugin.generator": ["Generator"],
        "plugin.hookspecs": ["hookimpl"],
        "report.curves_page": ["write_curves"],
        "runs.embedding_run": ["EmbeddingRun"],
    }
    _MODULE_OF = {name: module for module, names in _MODULES.items() for name in names}

    def __getattr__(name):
        """Import a public name, or find a function that an installed plugin offers (hook `sea_functions`)."""
        if name in _MODULE_OF:
            value = getattr(import_module(f"sea_core.{_MODULE_OF[name]}"), name)
        elif name == "__version__":
            value = import_module("importlib.metadata").version("sea-core")
        elif name.startswith("_"):
            raise AttributeError(f"module 'sea_core' has no attribute {name!r}")
        else:
            value = import_module("sea_core.plugin.loader").get_function(name)
        globals()[name] = value
        return value

    def __dir__():
        return sorted({*globals(), *__all__})


__all__ = [
    "MLLM",
    "Adapter",
    "AlignConfig",
    "Answer",
    "Blueprint",
    "Crossing",
    "DataError",
    "DataSpec",
    "EmbeddingRun",
    "Example",
    "Extraction",
    "ExtractionFailed",
    "Extractor",
    "Format",
    "Generator",
    "Goal",
    "Judge",
    "JudgeFactory",
    "ModelError",
    "ModelTarget",
    "OptimizeConfig",
    "PluginError",
    "PreparedExample",
    "Recipe",
    "RefusalCurve",
    "ReplaySeam",
    "RunError",
    "SafetyReplay",
    "SeaError",
    "Synthesis",
    "Verdict",
    "__version__",
    "align",
    "hookimpl",
    "load",
    "optimize",
    "prepare",
    "read_examples",
    "verify",
    "write_curves",
]
