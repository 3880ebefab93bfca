"""Which library the processor of a model type needs for a modality, as transformers has it in its tables."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import transformers
from transformers.models.auto.configuration_auto import model_type_to_module_name
from transformers.models.auto.feature_extraction_auto import FEATURE_EXTRACTOR_MAPPING_NAMES
from transformers.models.auto.image_processing_auto import IMAGE_PROCESSOR_MAPPING_NAMES
from transformers.models.auto.video_processing_auto import VIDEO_PROCESSOR_MAPPING_NAMES
from transformers.utils.import_utils import define_import_structure

MODELS = Path(transformers.__file__).parent / "models"
NOT_NAMED = "not in transformers' tables"


def find_library(model_type: str, modality: str) -> str:
    """Return the library that must be installed beside SEA's own: empty for none, `NOT_NAMED` if nobody knows."""
    names = dict.fromkeys((model_type, model_type_to_module_name(model_type)))
    found = [library for name in names if (library := FINDERS[modality](name)) is not None]
    return found[0] if found else NOT_NAMED


def _for_images(name: str) -> str | None:
    backends = IMAGE_PROCESSOR_MAPPING_NAMES.get(name)
    return backends and ("" if "pil" in backends else "torchvision")


def _for_videos(name: str) -> str | None:
    return "torchvision" if name in VIDEO_PROCESSOR_MAPPING_NAMES else None


def _for_audio(name: str) -> str | None:
    extractor = FEATURE_EXTRACTOR_MAPPING_NAMES.get(name)
    if extractor is None:
        return None
    # Some say so in their code only.
    return "torchaudio" if "torchaudio" in _files()[extractor].read_text(encoding="utf-8") else ""


FINDERS = {"image": _for_images, "video": _for_videos, "audio": _for_audio}


@cache
def _files() -> dict[str, Path]:
    """The file of each class of transformers."""
    structure = define_import_structure(MODELS)
    modules = [item for by_module in structure.values() for item in by_module.items()]
    return {name: MODELS.joinpath(*module.split(".")).with_suffix(".py") for module, names in modules for name in names}
