"""All classes times all modalities, each in a child process of its own."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

from families.build import FAULTS, NotBuilt, build
from families.child import SECONDS, Stopped, run_in_child
from families.classes import NOT_POSSIBLE, list_classes
from families.outcome import Outcome, Prove
from families.pairs import find_pair, list_modalities
from families.search import NoPair


@dataclass(frozen=True)
class Entry:
    """What came out for a class and a modality ("" where it has none)."""

    model_type: str
    class_name: str
    modality: str
    outcome: Outcome
    seconds: float = 0.0

    def to_json(self) -> dict[str, Any]:
        """Return a flat object."""
        fields = asdict(self)
        return {**fields, **fields.pop("outcome")}


def examine(model_type: str, prove: Prove, seconds: float = SECONDS) -> Iterator[Entry]:
    """Yield what came out for each modality of a model type."""
    found = _run((model_type, ""), _find_modalities, model_type, seconds=seconds)
    if not found.done:
        yield Entry(model_type, list_classes()[model_type], "", found)
        return
    for modality in found.facts["modalities"]:
        start = time.perf_counter()
        outcome = _run((model_type, modality), _prove, model_type, modality, prove, seconds=seconds)
        seconds_taken = round(time.perf_counter() - start, 1)
        yield Entry(model_type, list_classes()[model_type], modality, outcome, seconds_taken)


def _run(key: tuple[str, str], function: Any, *args: Any, seconds: float) -> Outcome:
    if key in NOT_POSSIBLE:
        return Outcome(False, NOT_POSSIBLE[key])
    try:
        return next(run_in_child(function, *args, seconds=seconds))
    except Stopped as why:
        return Outcome(False, str(why))


def _find_modalities(model_type: str) -> Iterator[Outcome]:
    try:
        modalities = list_modalities(build(model_type)[0])
    except NotBuilt as why:
        yield Outcome(False, f"not built: {why}")
    else:
        yield Outcome(bool(modalities), "its forward takes no media", {"modalities": modalities})


def _prove(model_type: str, modality: str, prove: Prove) -> Iterator[Outcome]:
    try:
        yield prove(find_pair(model_type, modality))
    except NotBuilt as why:
        yield Outcome(False, f"not built: {why}")
    except NoPair as why:
        yield Outcome(False, f"no inputs: {why}")
    except FAULTS as why:
        yield Outcome(False, f"not proved: {type(why).__name__}: {why}")
