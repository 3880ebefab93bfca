"""A dozen model types, one of each shape, build and run; and what does not is no trouble to the others."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator

import pytest
import torch
from torch import Tensor

from families.child import Stopped, run_in_child
from families.derivation import prove
from families.matrix import examine
from families.outcome import Outcome, run_only
from families.pair import Pair
from families.pairs import pairs

SPLICED, GRID, DEEP = ("one module", "splice"), ("positions", "replay"), ("several modules", "replay")
SHAPES = {
    "llava": {"image": SPLICED},
    "idefics3": {"image": SPLICED},
    "qwen2_5_vl": {"image": GRID, "video": GRID},
    "mistral3": {"image": ("projector by grid", "replay")},
    "blip-2": {"image": ("other", "replay")},
    "llava_next": {"image": ("tiles", "replay")},
    "qwen3_vl": {"image": DEEP, "video": DEEP},
    "gemma3": {"image": ("token types", "replay")},
    "gemma4": dict.fromkeys(["image", "video", "audio"], ("other", "replay")),
    "mllama": {"image": ("cross attention", "replay")},
    "fuyu": {"image": ("no projector", "replay")},
    "voxtral": {"audio": SPLICED},
    "vibevoice_asr": {"audio": ("several tensors", "replay")},
    "qwen2_5_omni_thinker": {"image": GRID, "video": SPLICED, "audio": SPLICED},
}
"""By modality: the shape, and the mechanism that carries it."""


@pytest.mark.parametrize("model_type", SHAPES)
def test_a_shape_is_derived_and_proved_from_pairs_that_differ_in_the_medium_alone(model_type: str) -> None:
    found = list(pairs(model_type))
    assert [pair.modality for pair in found] == list(SHAPES[model_type])
    for pair in found:
        assert pair.model_type == model_type
        assert pair.token_id in pair.a["input_ids"]
        assert pair.a.keys() == pair.b.keys()
        differ = [name for name in pair.a if not _equal(pair.a[name], pair.b[name])]
        assert differ
        assert all(pair.a[name].is_floating_point() for name in differ)
        assert not any(parameter.requires_grad for parameter in pair.model.parameters())
        outcome = prove(pair)
        assert outcome.done, outcome.reason
        assert (outcome.facts["shape"], outcome.facts["mechanism"]) == SHAPES[model_type][pair.modality]


def _equal(a: object, b: object) -> bool:
    return torch.equal(a, b) if isinstance(a, Tensor) and isinstance(b, Tensor) else a == b


def test_a_proof_that_breaks_a_process_stops_no_other() -> None:
    def crash(pair: Pair) -> Outcome:
        os._exit(7)

    broken, proved = [next(examine("llava", ask)).outcome for ask in (crash, run_only)]
    assert (broken.done, broken.reason) == (False, "the process ended with exit code 7")
    assert proved.done
    assert proved.facts["inputs"]["input_ids"] == [1, 71]


def test_a_proof_that_fails_has_its_reason() -> None:
    def fail(pair: Pair) -> Outcome:
        raise ValueError(f"nothing crosses in {pair.class_name}")

    outcome = next(examine("llava", fail)).outcome
    assert outcome == Outcome(False, "not proved: ValueError: nothing crosses in LlavaForConditionalGeneration")


def test_a_class_without_pairs_has_its_reason() -> None:
    [entry] = examine("evolla", run_only)
    assert (entry.modality, entry.outcome.reason) == ("", "it reads proteins")


def test_a_child_that_hangs_is_stopped() -> None:
    def hang() -> Iterator[int]:
        yield 1
        time.sleep(60)

    results = run_in_child(hang, seconds=0.5)
    assert next(results) == 1
    with pytest.raises(Stopped, match=r"more than 0\.5 s"):
        next(results)
