"""Derive where E crosses in the model of a pair, prove it, and describe what was found."""

from __future__ import annotations

from typing import Any

from families.mechanism import Splice, find_mechanism
from families.outcome import Outcome
from families.pair import Pair
from families.shape import classify
from sea_auto.derive import Derivation, derive
from sea_auto.prove import broken_rule
from sea_core.errors import ModelError


def prove(pair: Pair) -> Outcome:
    """Derive an adapter's parts from a pair's inputs, and prove them with rules that name no family."""
    try:
        derivation = derive(pair.model, pair.a, pair.b, pair.token_id)
    except ModelError as why:
        return Outcome(False, f"not derived: {why.what}")
    problem = broken_rule(pair.model, derivation, pair.a, pair.b)
    return Outcome(not problem, problem and f"not proved: {problem}", _describe(pair, derivation))


def _describe(pair: Pair, derivation: Derivation) -> dict[str, Any]:
    seam, splice = derivation.seam, Splice(pair, derivation)
    return {
        "shape": classify(splice),
        "seam": [f"{crossing.module}:{crossing.side}" for crossing in seam.crossings],
        "skips": list(seam.skipped),
        "found": derivation.found,
        "decoder": derivation.decoder,
        "skipped_part": round(derivation.skipped_part, 3),
        "mechanism": find_mechanism(splice),
    }
