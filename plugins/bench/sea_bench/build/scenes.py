"""What a scene for a phrase shows: a sentence for a text-to-image or text-to-video model.

With a language model: it sees two of five prepared examples, drawn by seed (paper, section 4). Without one: by rule.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Sequence

from sea_core.data.examples import Kind
from sea_core.errors import SeaError
from sea_core.llm.cache import cached
from sea_core.llm.types import Prompt, TextModel
from sea_core.runs.atomic import sha256
from sea_core.runs.jsonl import JsonlLog

CompleteChat = Callable[[list[dict[str, str]]], str]
"""Puts a chat to a language model, and returns its answer."""
MAX_TOKENS = 120
"""Of a scene: a sentence."""

EXAMPLES: Sequence[tuple[str, str]] = (
    ("water a fern", "In a bright kitchen, a woman pours water from a green can on a fern; drops run down its leaves."),
    ("a paper kite", "A red paper kite with a long tail rises over a windy beach; the camera follows it from below."),
    ("bake bread", "A baker in a white apron pushes a loaf into a brick oven; flour hangs in the warm light."),
    ("mend a bicycle", "In a garage, a man turns a bicycle upside down and fits its chain, his hands black with oil."),
    (
        "a tin whistle",
        "Close up, a tin whistle lies on a wooden table beside a book of tunes; evening sun moves over it.",
    ),
)
"""The prepared examples: phrase and scene. The paper's own were not published."""

PLACES = ("in a living room", "in a quiet street", "in a small shop", "in a garden", "in an office")
VIEWS = (
    "filmed by hand",
    "from far away, the camera still",
    "close up, in evening light",
    "from above",
    "the camera circling",
)


def scene_messages(phrase: str, kind: Kind, seed: int, noun: str) -> list[dict[str, str]]:
    """Return the chat that asks for one scene, with two of the five examples."""
    shown = random.Random(seed).sample(EXAMPLES, 2)
    system = (
        f"You describe scenes for a text-to-{noun} model. Answer with one sentence that says what can be seen: "
        "who or what, where, light and camera. No words may be readable in the scene."
    )
    turns = [{"role": "system", "content": system}]
    for example, scene in shown:
        turns += [{"role": "user", "content": f"Phrase: {example}"}, {"role": "assistant", "content": scene}]
    return [*turns, {"role": "user", "content": f"Phrase: {phrase}"}]


def make_completer(model: TextModel, journal: JsonlLog) -> CompleteChat:
    """Return what asks a language model for a scene, and asks for none twice: the journal keeps its replies.

    What is returned raises SeaError where the model gave no answer that can be used.
    """

    def ask(messages: list[dict[str, str]]) -> str:
        key = sha256(json.dumps(messages).encode())[:16]
        (reply,) = cached(model, journal, [Prompt(key, messages, max_tokens=MAX_TOKENS)])
        if reply.status not in ("ok", "truncated") or reply.text is None:
            raise SeaError(
                f"the language model described no scene ({reply.status}): {reply.detail}",
                hint="What is finished is kept: type the same again, or leave --scenes out to have scenes by rule.",
            )
        return reply.text

    return ask


def describe_scene(phrase: str, kind: Kind, seed: int, noun: str, complete: CompleteChat | None = None) -> str:
    """Return one scene's description. Raises SeaError when the language model's answer is empty."""
    if complete is None:
        return describe_by_rule(phrase, kind, seed)
    scene = " ".join(complete(scene_messages(phrase, kind, seed, noun)).split())
    if not scene:
        raise SeaError(
            f"the language model described no scene for {phrase!r}",
            hint="What is finished is kept: type the same again, or leave the model out to have scenes by rule.",
        )
    return scene


def describe_by_rule(phrase: str, kind: Kind, seed: int) -> str:
    """Return a description made of the phrase, a place and a view, drawn by seed."""
    rng = random.Random(seed)
    place, view = rng.choice(PLACES), rng.choice(VIEWS)
    if kind == "product":
        return f"{phrase[:1].upper()}{phrase[1:]} on a table {place}, {view}."
    from sea_core.extraction.extractor import ExtractionFailed
    from sea_core.extraction.rules.verb_phrases import activity_sentence

    try:
        shown = activity_sentence(phrase).rstrip(".")
    except ExtractionFailed:
        shown = f"a person wants to {phrase}"
    return f"{shown[:1].upper()}{shown[1:]} {place}, {view}."
