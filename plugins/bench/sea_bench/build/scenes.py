"""Descriptions of scenes for a text-to-image or text-to-video generator: one sentence for each phrase.

With a language model: its prompt contains two of five prepared examples, drawn by seed (paper, section 4). Without
one: by rule.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Sequence

from sea_core.data.examples import Kind
from sea_core.errors import SeaError
from sea_core.llm.cache import cached
from sea_core.llm.types import Prompt, TextModel
from sea_core.runs.digests import sha256
from sea_core.runs.jsonl import JsonlLog

CompleteChat = Callable[[list[dict[str, str]]], str]
"""Sends chat messages to a language model, and returns its reply."""
MAX_TOKENS = 120
"""Length limit of a description, which is one sentence."""

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
"""The prepared examples: phrase and description. The paper's own were not published."""

PLACES = ("in a living room", "in a quiet street", "in a small shop", "in a garden", "in an office")
VIEWS = (
    "filmed by hand",
    "from far away, the camera still",
    "close up, in evening light",
    "from above",
    "the camera circling",
)


def scene_messages(phrase: str, kind: Kind, seed: int, noun: str) -> list[dict[str, str]]:
    """Return the chat messages that ask for one description, with two of the five examples."""
    examples = random.Random(seed).sample(EXAMPLES, 2)
    system = (
        f"You describe scenes for a text-to-{noun} model. Answer with one sentence that says what can be seen: "
        "who or what, where, light and camera. No words may be readable in the scene."
    )
    messages = [{"role": "system", "content": system}]
    for example, scene in examples:
        messages += [{"role": "user", "content": f"Phrase: {example}"}, {"role": "assistant", "content": scene}]
    return [*messages, {"role": "user", "content": f"Phrase: {phrase}"}]


def make_completer(model: TextModel, log: JsonlLog) -> CompleteChat:
    """Return a function that completes a chat with a language model, and caches the replies in a log.

    The function raises SeaError if the model gives no usable reply.
    """

    def complete(messages: list[dict[str, str]]) -> str:
        key = sha256(json.dumps(messages).encode())[:16]
        (reply,) = cached(model, log, [Prompt(key, messages, max_tokens=MAX_TOKENS)])
        if reply.status not in ("ok", "truncated") or reply.text is None:
            raise SeaError(
                f"the language model returned no scene ({reply.status}): {reply.detail}",
                hint="Finished media are kept: re-run the same command to resume, or use --scenes rules.",
            )
        return reply.text

    return complete


def describe_scene(phrase: str, kind: Kind, seed: int, noun: str, complete: CompleteChat | None = None) -> str:
    """Return the description of one scene. Raises SeaError if the language model's reply is empty."""
    if complete is None:
        return describe_by_rule(phrase, kind, seed)
    scene = " ".join(complete(scene_messages(phrase, kind, seed, noun)).split())
    if not scene:
        raise SeaError(
            f"the language model returned no scene for {phrase!r}",
            hint="Finished media are kept: re-run the same command to resume, or use --scenes rules.",
        )
    return scene


def describe_by_rule(phrase: str, kind: Kind, seed: int) -> str:
    """Return a description made of the phrase, and of a place and a view drawn by seed."""
    rng = random.Random(seed)
    place, view = rng.choice(PLACES), rng.choice(VIEWS)
    if kind == "product":
        return f"{phrase[:1].upper()}{phrase[1:]} on a table {place}, {view}."
    from sea_core.extraction.extractor import ExtractionFailed
    from sea_core.extraction.rules.verb_phrases import activity_sentence

    try:
        sentence = activity_sentence(phrase).rstrip(".")
    except ExtractionFailed:
        sentence = f"a person wants to {phrase}"
    return f"{sentence[:1].upper()}{sentence[1:]} {place}, {view}."
