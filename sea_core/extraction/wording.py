"""How phrases are taken out of instructions in a language: placeholders, forms of sentences, and prompts, as data."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).resolve().parent / "languages"
LATIN_END = 0x24F
"""The last Latin letter of Unicode's first blocks."""


@dataclass(frozen=True)
class Wording:
    """The words of one language (`languages/CODE.toml`).

    Attributes:
        placeholders: what replaces the phrase, for each kind.
        replacements: the same with a verb in front where the language needs one.
        actor: how the sentence of an activity begins; None for English, whose form is checked in `validate`.
        persons: words of the first and second person. negation: words that negate.
        common: characters that say nothing of what a text is about.
        prompt: `task`, `examples` and `correction` of the extraction with a language model.
    """

    placeholders: Mapping[str, str]
    replacements: Mapping[str, str]
    actor: re.Pattern[str] | None
    persons: tuple[str, ...]
    negation: re.Pattern[str] | None
    common: frozenset[str]
    prompt: Mapping[str, Any]


@cache
def wordings() -> Mapping[str, Wording]:
    """Return the wordings by the code of their language."""
    return {file.stem: _read(file) for file in sorted(FOLDER.glob("*.toml"))}


def wording_of(text: str) -> Wording:
    """Return the wording for a text: Chinese for Chinese characters, else English."""
    return wordings()["zh" if re.search(r"[\u4e00-\u9fff]", text) and not is_kana(text) else "en"]


def is_kana(text: str) -> bool:
    """Return whether a text has Japanese syllables."""
    return re.search(r"[\u3040-\u30ff]", text) is not None


def is_latin(text: str) -> bool:
    """Return whether most letters of a text are Latin, so that English rules may be applied to it."""
    letters = [char for char in text if char.isalpha()]
    return 2 * sum(ord(char) <= LATIN_END for char in letters) >= len(letters)


def _read(file: Path) -> Wording:
    content = tomllib.loads(file.read_text(encoding="utf-8"))
    return Wording(
        placeholders=content["placeholders"],
        replacements=content["replacements"],
        actor=re.compile(content["actor"]) if "actor" in content else None,
        persons=tuple(content.get("persons", ())),
        negation=re.compile(content["negation"]) if "negation" in content else None,
        common=frozenset("".join(content.get("common", "").split())),
        prompt=content["prompt"],
    )
