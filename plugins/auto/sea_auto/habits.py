"""How a model itself opens its answers (paper, section 3.1): it is asked about media that show different things."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sea_core.model.adapter import Adapter
from sea_core.model.prompts import content_question, style_question

if TYPE_CHECKING:
    from sea_core.model.embedding import Embedding
    from sea_core.model.mllm import MLLM

NOISES = 8
"""Embeddings of noise that the model is asked about, the noisier the later."""
FEWEST = 3
"""Answers that must differ from the one about the blank input."""
MAX_TOKENS = 24
"""The length of an answer: an opening is short."""
NOUNS = {
    "image": ("image", "picture", "photo", "photograph"),
    "video": ("video", "clip", "footage"),
    "audio": ("audio", "recording", "sound", "clip", "speech"),
}
"""What models call a medium."""
DETERMINERS = frozenset("a an the someone something people two three four several some many various no there".split())
"""The words with which the content itself begins."""
BEFORE_NO_SENTENCE = frozenset("is are was of with by".split())
"""The words after which no sentence can follow, as it does after the opening of an answer about an activity."""


@dataclass(frozen=True)
class Habit:
    """How a model opens its answers to a question.

    Attributes:
        setting: the setting that it is a value for.
        question: what was asked. answers: what the model answered, about each medium.
        default: what the adapter uses.
        opening: what most answers open with; empty if they have no opening that can be used.
        count: how many do.
    """

    setting: str
    question: str
    answers: tuple[str, ...]
    default: str
    opening: str
    count: int


def find_habits(mllm: MLLM, media: Sequence[Any] = ()) -> list[Habit]:
    """Ask a model about its blank input, noise and sample media, and return how it opens its answers.

    Args:
        media: sample media. On trained models they show more than noise does.
    """
    adapter = mllm.adapter
    embeddings = [*_noisy(mllm.encode([adapter.blank_input(mllm.processor)])[0]), *(mllm.encode([m])[0] for m in media)]
    asked = {
        "activity_prefix": (content_question(adapter, "activity"), adapter.prefixes["activity"]),
        "product_prefix": (content_question(adapter, "product"), adapter.prefixes["product"]),
        "style_opening": (style_question(adapter), adapter.style_prefix),
    }
    habits = []
    for setting, (question, default) in asked.items():
        blank, *others = (_answer(mllm, question, embedding) for embedding in embeddings)
        answers = tuple(answer for answer in others if answer != blank)
        opening = find_opening(answers, adapter, setting)
        count = sum(answer.startswith(opening) for answer in answers) if opening else 0
        habits.append(Habit(setting, question, answers, default, opening, count))
    return habits


def find_opening(answers: Sequence[str], adapter: Adapter, setting: str) -> str:
    """Return what most answers open with, up to their content; empty if there is nothing that can be used."""
    if len(answers) < FEWEST:
        return ""
    common = _common_words([answer.split() for answer in answers])
    nouns = (adapter.noun, *NOUNS.get(adapter.modality, ()))
    named = next((i for i, word in enumerate(common) if word.strip(".,:;").lower() in nouns), None)
    if named is None or named == 0:
        return ""
    opening = common[: named + 1]
    for word in common[named + 1 :]:
        is_content = word.lower() in DETERMINERS or (setting == "product_prefix" and word == "that")
        if is_content or (setting == "style_opening" and opening[-1] == "is"):
            break
        opening.append(word)
    return " ".join(opening) if _can_be_continued(opening, named, setting) else ""


def _can_be_continued(opening: Sequence[str], named: int, setting: str) -> bool:
    """Return whether a sentence about an activity, a product or a style can follow."""
    last = opening[-1]
    if last.endswith("."):  # the answers do not differ, so that it is unknown where their content begins
        return False
    is_clause = len(opening) > named + 1 or last.endswith(",")  # "The image" alone says nothing
    if setting == "style_opening":
        return last == "is"
    return is_clause and not (setting == "activity_prefix" and last.lower() in BEFORE_NO_SENTENCE)


def _common_words(answers: Sequence[Sequence[str]]) -> list[str]:
    """Return the words with which more than half of the answers open."""
    most, common = len(answers) / 2, list[str]()
    while True:
        following = Counter(
            a[len(common)] for a in answers if list(a[: len(common)]) == common and len(a) > len(common)
        )
        word, count = next(iter(following.most_common(1)), ("", 0))
        if count <= most:
            return common
        common.append(word)


def _noisy(blank: Embedding) -> Iterator[Embedding]:
    """Yield the blank's embedding, and it with noise of growing strength."""
    import torch

    yield blank
    for seed in range(NOISES):
        noise = torch.randn(blank.features.shape, generator=torch.Generator().manual_seed(seed)).to(blank.features)
        yield blank.with_features(blank.features + (seed + 1) * blank.rms * noise)


def _answer(mllm: MLLM, question: str, embedding: Embedding) -> str:
    (ids,) = mllm.generate([question], [embedding], MAX_TOKENS)
    return mllm.detokenize(ids)
