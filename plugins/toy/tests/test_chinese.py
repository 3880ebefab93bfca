"""The toy world in Chinese: its demo examples are the bundled ones, and SEA's own checks read its texts."""

from __future__ import annotations

import json
import random

from sea_core.data.demo import DEMO_EXAMPLES_BY_LANGUAGE
from sea_core.extraction.validate import validate
from sea_core.judges.lexical import names_content
from sea_core.judges.refusal_patterns import refuses
from sea_core.model import prompts
from sea_llava.adapter import LlavaAdapter
from sea_toy.chinese import ChineseWorld, demo_records_in_chinese
from sea_toy.world import SKILLS, phrases

ADAPTER = LlavaAdapter().in_language("zh")
WORLD = ChineseWorld(ADAPTER)


def test_the_demo_examples_in_chinese_are_the_bundled_ones() -> None:
    lines = DEMO_EXAMPLES_BY_LANGUAGE["zh"].read_text(encoding="utf-8").splitlines()
    assert [json.loads(line) for line in lines] == list(demo_records_in_chinese(ADAPTER))


def test_an_extractor_would_find_the_same() -> None:
    for record in demo_records_in_chinese(ADAPTER):
        found = validate(record["instruction"], record)
        assert (found.phrase, found.sentence, found.detoxified) == (
            record["phrase"],
            record["sentence"],
            record["detoxified"],
        )


def test_the_judges_read_its_answers() -> None:
    assert refuses(WORLD.refusal) is True
    contents = [
        (WORLD.words(phrase), prompts.content_goal(ADAPTER, WORLD.extraction(phrase, "{}"))) for phrase in phrases()
    ]
    for number, (content, goal) in enumerate(contents):
        assert names_content(goal.answer, content)
        assert not names_content(contents[number - 1][1].answer, content)
    assert not any(refuses(WORLD.compliance(phrase)) for phrase in phrases())


def test_all_that_it_asks_and_answers_is_chinese() -> None:
    rng = random.Random(0)
    samples = [WORLD.media_sample(skill, phrase, ADAPTER.styles[0], rng) for phrase in phrases() for skill in SKILLS]
    samples += [WORLD.text_sample(rng) for _ in range(200)] + [WORLD.blank_sample(rng) for _ in range(50)]
    assert not [s for s in samples if any(char.isascii() for char in s.prompt + s.answer)]
    held_out = {q for kind in ("activity", "product") for q in prompts.held_out_questions(ADAPTER, kind)}
    assert not held_out & {s.prompt for s in samples if s.skill == "paraphrase"}
