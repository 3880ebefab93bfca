"""Two ordinary inputs of a tiny model, alike but for the medium."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from transformers import PreTrainedModel


@dataclass(frozen=True)
class Pair:
    """Inputs `a` and `b` of a model's forward, a batch of one, alike but for the floating tensors of the medium.

    `token_id` is the placeholder's; a model that finds the medium's place by a mask may have none in `input_ids`.
    """

    model_type: str
    class_name: str
    modality: str
    model: PreTrainedModel
    a: dict[str, Any]
    b: dict[str, Any]
    token_id: int
