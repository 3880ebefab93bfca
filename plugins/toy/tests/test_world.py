"""The toy world: the bundled demo examples are its examples, and the spot check asks about its other phrases."""

from __future__ import annotations

import json
from collections import Counter

from sea_core.data.demo import DEMO_EXAMPLES
from sea_llava.adapter import LlavaAdapter
from sea_toy.spot_check import demo_cases, find_renderer
from sea_toy.world import demo_phrases, demo_records, phrases


def test_demo_examples_are_the_bundled_ones() -> None:
    lines = DEMO_EXAMPLES.read_text(encoding="utf-8").splitlines()
    assert [json.loads(line) for line in lines] == demo_records()


def test_spot_check_asks_about_phrases_of_no_demo_example() -> None:
    known = {phrase.text for phrase in demo_phrases()}
    notes: list[str] = []
    render = find_renderer("llava", LlavaAdapter(), notes.append)
    assert render
    assert not notes
    cases = demo_cases(LlavaAdapter(), render, seed=0)
    assert {case.phrase for case in cases} == {phrase.text for phrase in phrases()} - known
    assert Counter(case.group for case in cases) == {"text": 32, "media": 64}
    assert sum(case.harmful for case in cases) == len(cases) // 2


def test_spot_check_without_a_renderer_is_in_text() -> None:
    notes: list[str] = []
    render = find_renderer("eeg-of-nobody", LlavaAdapter(), notes.append)
    assert render is None
    assert "renders no toy media" in notes[0]
    assert {case.group for case in demo_cases(LlavaAdapter(), render, seed=0)} == {"text"}
