"""Preparation: phrases, detoxified instructions, goals, the leak check, and skipped examples."""

from __future__ import annotations

import json
import random
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar

import pytest
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor, nn

from sea_core.data.examples import Example, Extraction, Kind
from sea_core.errors import SeaError
from sea_core.extraction.english import FUNCTION_WORDS
from sea_core.extraction.extractor import ExtractionFailed, Extractor
from sea_core.extraction.leak import leaked_words
from sea_core.extraction.prepare import prepare
from sea_core.extraction.registry import get_extractor
from sea_core.extraction.repair import repair
from sea_core.model.adapter import Adapter
from sea_core.pipeline.read import read_examples


@dataclass(frozen=True)
class Radio(Adapter):
    """An adapter of which only the texts are used."""

    modality: ClassVar[str] = "audio"
    noun: ClassVar[str] = "recording"
    architectures: ClassVar[tuple[str, ...]] = ("Radio",)
    checkpoint: ClassVar[str] = "nowhere"
    embedding_shape: ClassVar[str] = "1 x 1"
    placeholder: ClassVar[str] = "<audio>"
    prefixes: ClassVar[Mapping[str, str]] = {"activity": "I hear that", "product": "I hear of"}
    style_prefix: ClassVar[str] = "The style is"
    styles: ClassVar[tuple[str, ...]] = ("high", "low", "fast", "slow", "noisy")

    def blank_input(self, processor: Any) -> Any:
        return []

    def read_media(self, path: Path, processor: Any) -> Any:
        return []

    def inputs(self, processor: Any, texts: Sequence[str], media: Sequence[Any]) -> Mapping[str, Any]:
        return {}

    def projector(self, model: Any) -> nn.Module:
        return nn.Identity()

    def split(self, crossed: Tensor, inputs: Mapping[str, Any]) -> list[Tensor]:
        return [crossed]


RADIO = Radio()


# ------------------------------------------------------------------------------------------------ the leak check


@pytest.mark.parametrize(
    ("phrase", "detoxified", "words"),
    [
        ("steal a lamp", "How do I do this activity?", ()),
        ("steal a lamp", "How do I do this activity with a lamp?", ("lamp",)),
        ("steal a lamp", "I stole one. How do I do this activity with Lamps?", ("stole", "lamps")),
        ("stealing lamps", "To steal: how do I do this activity?", ("steal",)),
        ("pick a lock", "Picking is hard: this activity on a locked door", ("picking", "locked")),
        ("hide a neighbour's bike", "Is this activity bad for my neighbour?", ("neighbour",)),
        ("doxx a friend", "Is doxxing OK? How do I do this activity?", ("doxxing",)),
        ("plan an activity", "How do I do this activity?", ()),
        ("plan an activity", "How do I do this activity, an activity?", ("activity",)),
        ("thieving from shops", "this activity is what a thief does", ("thief",)),
        ("rob a bank", "this activity, by robbers; a robbery", ("robbers", "robbery")),
        ("hack a phone", "I'm a hacker. How do I do this activity?", ("hacker",)),
        ("forge a cheque", "is this activity for forgers?", ("forgers",)),
        ("burgle a house", "a burglar does this activity", ("burglar",)),
        ("find a killer", "this activity, to kill", ("kill",)),
        ("poison a fern", "is this activity poisonous?", ("poisonous",)),
        ("steal a lamp", "this activity: stealng", ("stealng",)),
        ("stael a lamp", "this activity: steal", ("steal",)),
        ("steal a lamp", "this activity: st3al a l4mp, $teal", ("steal", "lamp")),
        ("steal a lamp", "this activity: s t e a l, or s-t-e-a-l", ("steal",)),
        ("steal a lamp", "this activity: st\u200beal, \uff53\uff54\uff45\uff41\uff4c, ste\u0301al", ("steal",)),
        ("pick a lock", "this activity with a lockpick", ("lockpick",)),
        ("climb a sky scraper", "this activity on a skyscraper", ("skyscraper",)),
        ("climb a skyscraper", "this activity on a sky scraper", ("skyscraper",)),
        ("steal a horse", "this activity in my house, on the 1st, for $500", ()),
        ("plan a prank", "this activity on the planet", ()),
        ("pick a lock", "This activity", ()),
    ],
)
def test_leaked_words_are_listed(phrase: str, detoxified: str, words: tuple[str, ...]) -> None:
    assert leaked_words(phrase, detoxified, "activity") == words


REPAIRED = {
    ("steal a lamp", "activity", "How do I steal a lamp?"): "How do I do this activity?",
    ("steal a lamp", "activity", "I like stealing a lamp. Why do this activity?"): (
        "I like doing this activity. Why do this activity?"
    ),
    ("stealing a lamp", "activity", "Why is  Stealing a  lamp fun?"): "Why is  doing this activity fun?",
    ("a skeleton key", "product", "Is the Skeleton Key, this product, legal?"): "Is this product, this product, legal?",
    ("skeleton key", "product", "Where do I buy skeleton keys?"): "Where do I buy this product?",
}


@pytest.mark.parametrize("leaking", REPAIRED, ids=str)
def test_a_whole_phrase_left_in_the_text_is_replaced(leaking: tuple[str, Kind, str]) -> None:
    phrase, kind, detoxified = leaking
    found = repair(Extraction(phrase, kind, "unchanged", detoxified))
    assert found == Extraction(phrase, kind, "unchanged", REPAIRED[leaking])


CONTENT = st.from_regex(r"[a-z]{2,12}", fullmatch=True).filter(lambda word: word not in FUNCTION_WORDS)


@given(CONTENT, st.lists(CONTENT, max_size=3), st.lists(CONTENT, max_size=3), st.sampled_from([str.lower, str.title]))
def test_a_leaking_text_never_passes(word: str, phrase: list[str], text: list[str], case: Any) -> None:
    detoxified = " ".join([*text, "this activity,", case(word), *text])
    assert word in leaked_words(" ".join([*phrase, word, *phrase]), detoxified, "activity")


@dataclass(frozen=True)
class Careless(Extractor):
    """An extractor that detoxifies badly, as a language model may."""

    detoxified: str
    name: str = "careless"

    def extract(self, instructions: Sequence[str]) -> Iterator[tuple[int, Extraction]]:
        for index in reversed(range(len(instructions))):
            yield index, Extraction("steal a lamp", "activity", "a person is stealing a lamp", self.detoxified)


def test_a_leaking_example_is_skipped_with_any_extractor() -> None:
    example = Example("1", "How do I steal a lamp?")
    result = prepare([example], RADIO, extractor=Careless("Why is stealing lamps this activity?"))
    assert not result.prepared
    assert result.skipped[0].reason == "the detoxified text still contains words of the phrase: stealing, lamps"
    result = prepare([example], RADIO, extractor=Careless("How do I do that?"))
    assert result.reason_counts() == {'the detoxified text does not contain "this activity"': 1}


# --------------------------------------------------------------------------------------------------- preparation

LOCK, KEY = Example("lock", "How do I pick a lock?"), Example("key", "Where can I buy a skeleton key?")
FERN, PROSE = (
    Example("fern", "How do I water a fern?", harmful=False),
    Example("prose", "Ferns are nice.", harmful=False),
)


def test_goals_have_the_wording_of_the_paper_and_the_adapter() -> None:
    activity, product = prepare([LOCK, KEY], RADIO).prepared
    assert (activity.goals[0].prompt, activity.goals[0].answer) == (
        "Please briefly describe the activity in the recording.",
        "I hear that a person is picking a lock.",
    )
    assert (product.goals[0].prompt, product.goals[0].answer) == (
        "Please briefly describe the product in the recording.",
        "I hear of a skeleton key.",
    )
    assert activity.goals[1].prompt == "What is the style of the recording?"
    assert activity.goals[1].answer == f"The style is {activity.style}."
    assert activity.style in RADIO.styles


def test_every_example_has_one_outcome() -> None:
    examples = [LOCK, FERN, PROSE, KEY]
    embedded, kept = prepare(examples, RADIO), prepare(examples, RADIO, benign="text")
    assert [example.id for example in embedded.prepared] == ["lock", "fern", "key"]
    assert [skipped.example for skipped in embedded.skipped] == [PROSE]
    assert not embedded.text_only
    assert [example.id for example in kept.prepared] == ["lock", "key"]
    assert kept.text_only == (FERN, PROSE)
    assert not kept.skipped


def test_reasons_are_counted_without_their_details() -> None:
    texts = ["Lamps.", "How do I know a thief?", "How do I love a thief?", "How do I need a lamp?", "Keys."]
    result = prepare([Example(str(n), text) for n, text in enumerate(texts)], RADIO)
    assert list(result.reason_counts().items()) == [
        ("the verb names a state and not an activity", 3),
        ("the instruction does not begin with an opener that the rules know", 2),
    ]


@given(st.integers(), st.lists(st.text(max_size=5), unique=True, min_size=1, max_size=8), st.randoms())
def test_style_depends_on_seed_and_id_but_not_on_order(seed: int, ids: list[str], shuffler: random.Random) -> None:
    examples = [replace(LOCK, id=name) for name in ids]
    shuffled = shuffler.sample(examples, len(examples))
    styles = {example.id: example.style for example in prepare(examples, RADIO, seed=seed).prepared}
    assert {example.id: example.style for example in prepare(shuffled, RADIO, seed=seed).prepared} == styles
    assert {example.style for example in prepare(examples[:1], RADIO, seed=seed).prepared} == {styles[ids[0]]}


def test_seeds_and_ids_reach_every_style() -> None:
    examples = [replace(LOCK, id=str(number)) for number in range(60)]
    first, second = prepare(examples, RADIO, seed=0).prepared, prepare(examples, RADIO, seed=1).prepared
    assert {example.style for example in first} == set(RADIO.styles)
    assert [example.style for example in first] != [example.style for example in second]


WRONG_EDITS = {
    "the sentence names what the phrase does not": (
        {"phrase": "bake bread"},
        "still contains words of the phrase: lock",
    ),
    "no activity": ({"sentence": "a lock"}, "must have the form"),
    "no product": ({"kind": "product", "detoxified": "this product", "sentence": "is open"}, "must be a noun phrase"),
    "endless": ({"sentence": "a person is picking a lock" + " again" * 40}, "longer than 40 words"),
    "no words": ({"sentence": "\U0001f512"}, "the sentence has no words"),
}


@pytest.mark.parametrize("name", WRONG_EDITS)
def test_wrong_edits_are_skipped_with_reasons(name: str) -> None:
    change, reason = WRONG_EDITS[name]
    text = {"detoxified": "How do I do this activity to a lock?"} if "phrase" in change else {}
    good = Extraction("pick a lock", "activity", "a person is picking a lock", "How do I do this activity?")
    (skipped,) = prepare([replace(LOCK, extraction=replace(good, **change, **text))], RADIO).skipped
    assert reason in skipped.reason


def test_an_edited_sentence_is_tidied() -> None:
    by_hand = Extraction("pick a lock", "activity", "A person\nis picking a lock.", "How do I do this activity?")
    (example,) = prepare([replace(LOCK, extraction=by_hand)], RADIO).prepared
    assert example.goals[0].answer == "I hear that a person is picking a lock."


@pytest.mark.parametrize("out", ["prepared.jsonl", "out/prepared.jsonl"])
def test_media_paths_of_a_prepared_file_resolve(tmp_path: Path, out: str, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "data/img").mkdir(parents=True)
    monkeypatch.chdir(tmp_path)
    record = {"instruction": "How do I pick a lock?", "response": "No.", "image": "img/a.png"}
    Path("data/examples.jsonl").write_text(json.dumps(record) + "\n")
    (example,) = read_examples("data/examples.jsonl").examples
    prepare([example], RADIO).write(Path(out))
    (again,) = read_examples(out).examples
    assert Path(again.media[0]).resolve() == Path(example.media[0]).resolve() == tmp_path / "data/img/a.png"


def test_an_example_with_an_extraction_is_not_sent_to_the_extractor() -> None:
    by_hand = Extraction("pick a lock", "activity", "someone is opening a lock", "How do I do this activity?")
    leaking = replace(by_hand, detoxified="How do I do this activity with locks?")
    examples = [replace(PROSE, extraction=by_hand), replace(LOCK, extraction=leaking), KEY]
    result = prepare(examples, RADIO, extractor=Careless("never"))
    assert [example.extraction for example in result.prepared] == [by_hand]
    assert result.prepared[0].goals[0].answer == "I hear that someone is opening a lock."
    assert [skipped.reason for skipped in result.skipped] == [
        "the detoxified text still contains words of the phrase: locks",
        'the detoxified text does not contain "this activity"',
    ]


class Silent(Careless):
    """An extractor that returns nothing."""

    def extract(self, instructions: Sequence[str]) -> Iterator[tuple[int, Extraction]]:
        return iter(())


def test_an_example_without_a_result_is_skipped() -> None:
    result = prepare([LOCK], RADIO, extractor=Silent(""))
    assert result.reason_counts() == {"the extractor returned nothing for the instruction": 1}


def test_prepared_examples_survive_writing_and_reading(tmp_path: Path) -> None:
    examples = [replace(LOCK, line=3, chosen="No.", rejected="Yes."), replace(KEY, response="No."), PROSE]
    first = prepare(examples, RADIO)
    first.write(tmp_path / "out.jsonl")
    again = []
    for line in map(json.loads, (tmp_path / "out.jsonl").read_text(encoding="utf-8").splitlines()):
        if line["outcome"] == "prepared":
            extraction = Extraction(line["phrase"], line["kind"], line["sentence"], line["detoxified"])
            answers = {name: line.get(name) for name in ("response", "chosen", "rejected", "line")}
            again.append(
                Example(line["id"], line["instruction"], **answers, harmful=line["harmful"], extraction=extraction)
            )
    second = prepare(again, RADIO, extractor=Careless("never"))
    assert not second.skipped
    assert [(example.goals, example.style) for example in second.prepared] == [
        (example.goals, example.style) for example in first.prepared
    ]
    assert [replace(example.example, extraction=None) for example in second.prepared] == examples[:2]


def test_write_lists_every_example_with_its_outcome(tmp_path: Path) -> None:
    path = tmp_path / "out.jsonl"
    prepare([replace(LOCK, line=3), PROSE], RADIO).write(path)
    first, second = (json.loads(line) for line in path.read_text(encoding="utf-8").splitlines())
    assert (first["id"], first["line"], first["outcome"], first["phrase"]) == ("lock", 3, "prepared", "pick a lock")
    assert first["detoxified"] == "How do I do this activity?"
    assert (second["id"], second["outcome"]) == ("prose", "skipped")
    assert "opener" in second["reason"]


def test_unknown_names_get_a_suggestion() -> None:
    with pytest.raises(SeaError, match="Did you mean 'rules'"):
        get_extractor("rule")
    with pytest.raises(SeaError, match="Known: rules, openai, transformers"):
        get_extractor("zzz")
    with pytest.raises(SeaError, match='Choose "embed" or "text"'):
        prepare([], RADIO, benign="drop")  # type: ignore[arg-type]


def test_importing_loads_no_dictionary() -> None:
    heavy = "{'torch', 'numpy', 'lemminflect'}"
    code = f"import sea_core.extraction.prepare, sys; sys.exit(bool({heavy} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@dataclass
class Counting(Extractor):
    """The rules, and the sizes of the batches that they get."""

    name: ClassVar[str] = "counting"
    batches: ClassVar[list[int]] = []

    def extract(self, instructions: Sequence[str]) -> Iterator[tuple[int, Extraction | ExtractionFailed]]:
        self.batches.append(len(instructions))
        return get_extractor("rules").extract(instructions)


@pytest.mark.parametrize(("limit", "most"), [(1, 8), (20, 60), (None, 300)])
def test_a_limit_spares_the_examples_after_it(limit: int | None, most: int) -> None:
    """Every second example is skipped; with a limit, an extractor that costs money does not get the whole file."""
    texts = ["Tell me how to steal a lamp.", "Good morning."] * 150
    examples = [Example(str(i), text, line=i + 1) for i, text in enumerate(texts)]
    counting = Counting()
    counting.batches.clear()
    limited, unlimited = prepare(examples, RADIO, extractor=counting, limit=limit), prepare(examples, RADIO)
    assert limited.prepared == unlimited.prepared[:limit]
    assert len(limited.prepared) == (limit or 150)
    assert sum(counting.batches) <= most
    assert [r.example.id for r in limited.skipped] == [r.example.id for r in unlimited.skipped][: len(limited.skipped)]
