"""The pairs of a model type, one for each modality."""

from __future__ import annotations

import inspect
from collections.abc import Iterator

from transformers import PreTrainedModel

from families.build import NotBuilt, build
from families.pair import Pair
from families.search import NoPair, Search
from families.shrink import ENCODER_WIDTH, TEXT_WIDTH

MODALITIES = ("image", "video", "audio")
MODALITY_PARAMETERS = {
    "image": ("pixel", "image_p", "flattened_patches"),
    "video": ("pixel_values_videos",),
    "audio": ("input_features", "audio_input_features", "input_values"),
}


def pairs(model_type: str) -> Iterator[Pair]:
    """Yield a pair for each modality that a model type takes and that inputs are found for.

    Raises:
        NotBuilt: No tiny model of this type can be built.
    """
    for modality in list_modalities(build(model_type)[0]):
        try:
            yield find_pair(model_type, modality)
        except NoPair:
            continue


def list_modalities(model: PreTrainedModel) -> list[str]:
    """Return what a model takes beside text."""
    methods = {m for m in MODALITIES if any(hasattr(part, f"get_{m}_features") for part in model.modules())}
    parameters = tuple(inspect.signature(model.forward).parameters)
    if not methods:
        methods = {m for m in MODALITIES if any(name.startswith(MODALITY_PARAMETERS[m]) for name in parameters)}
    if "pixel_values_videos" in parameters:
        methods.add("video")
    return [m for m in MODALITIES if m in methods]


def find_pair(model_type: str, modality: str) -> Pair:
    """Find the inputs of a pair by trying them. A wider encoder is tried where a narrow one does not do.

    Raises:
        NotBuilt: No tiny model of this type can be built.
        NoPair: None of the inputs run; says why the likeliest do not.
    """
    reasons: list[Exception] = []
    for width in (ENCODER_WIDTH, TEXT_WIDTH):
        try:
            return Search(model_type, modality, *build(model_type, width)).run()
        except (NoPair, NotBuilt) as why:
            reasons.append(why)
    raise reasons[0]
