"""The languages in which SEA puts questions to a model, as data: `languages/CODE.toml`."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import TypedDict

from sea_core.errors import SeaError, suggest

FOLDER = Path(__file__).resolve().parent / "languages"


class MediumWords(TypedDict):
    """What a language says of one kind of medium: how a model opens its answers, and its style set."""

    noun: str
    measure: str
    activity_prefix: str
    product_prefix: str
    style_prefix: str
    styles: list[str]


@dataclass(frozen=True)
class Language:
    """The wording of questions and target answers in one language.

    Attributes:
        name: in English.
        goals, questions: templates, or lists of them; {kind}, {noun} and others are filled in.
        kinds: the words for "activity" and "product". kinds_with_article: the same as the object of a sentence.
        media: what takes the place of an adapter's noun, prefixes and styles, by its English noun; none for English.
        letters: a pattern that every sentence in the language contains; empty for any.
    """

    name: str
    goals: Mapping[str, str]
    questions: Mapping[str, str | list[str]]
    kinds: Mapping[str, str]
    kinds_with_article: Mapping[str, str]
    media: Mapping[str, MediumWords] = field(default_factory=dict)
    letters: str = ""

    def question(self, name: str) -> str:
        """Return the template of one question."""
        template = self.questions[name]
        assert isinstance(template, str)
        return template

    def has(self, text: str) -> bool:
        """Return whether a text may be in the language, by its letters."""
        return re.search(self.letters, text) is not None


@cache
def languages() -> Mapping[str, Language]:
    """Return the languages by their code."""
    return {
        file.stem: Language(**tomllib.loads(file.read_text(encoding="utf-8"))) for file in sorted(FOLDER.glob("*.toml"))
    }


def get_language(code: str) -> Language:
    """Return the language with a code. Raises SeaError for an unknown one."""
    if code not in languages():
        raise SeaError(f"SEA has no wording in the language {code!r}", hint=suggest(code, list(languages())))
    return languages()[code]
