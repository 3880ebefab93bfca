"""What is asked about an embedding in training, and what is answered."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from typing import Literal, NamedTuple

from sea_core.alignment.config import AlignConfig, Method
from sea_core.alignment.embedding_source import StoredEmbedding
from sea_core.data.examples import Example
from sea_core.errors import SeaError, number_of
from sea_core.model import prompts
from sea_core.model.adapter import Adapter

MAX_TRIES = 20
"""How often another embedding is drawn until one has another phrase."""


ANSWERS: Mapping[Method, str] = {"dpo": '"chosen" and "rejected"', "sft": '"response"'}
"""The columns that each method trains on."""


class Responses(NamedTuple):
    """The response to learn, which is the chosen one in DPO; and the rejected one, None in SFT."""

    answer: str
    rejected: str | None


class Question(NamedTuple):
    """A question with its responses."""

    prompt: str
    answer: str
    rejected: str | None


def find_responses(method: Method, response: str | None, chosen: str | None, rejected: str | None) -> Responses | None:
    """Return the responses of an example that a method trains on; None if it lacks them."""
    if method == "sft":
        answer = response or chosen
        return Responses(answer, None) if answer else None
    return Responses(chosen, rejected) if chosen and rejected else None


ADD_COLUMNS = "Add these columns, or name yours with --columns (docs/how-to/prepare-your-data.md)"


def require_answers(examples: Sequence[Example], method: Method, advice: str = ADD_COLUMNS, where: str = "") -> int:
    """Return how many examples lack the answers that a method trains on.

    Args:
        advice: what to do where all do, without a full stop. where: the file of the examples.

    Raises:
        SeaError: all examples lack them.
    """
    lacking = sum(not find_responses(method, each.response, each.chosen, each.rejected) for each in examples)
    if lacking < len(examples):
        return lacking
    has_response = method == "dpo" and any(find_responses("sft", e.response, e.chosen, e.rejected) for e in examples)
    way = "; or type --method sft, for which they have answers" if has_response else ""
    raise SeaError(
        f"none of {number_of(len(examples), 'example')} has {ANSWERS[method]} to train on with {method}",
        hint=f"{advice}{way}.",
        where=where,
    )


def stored_responses(embedding: StoredEmbedding, method: Method) -> Responses | None:
    """Return the responses of the example that an embedding was made for."""
    record = embedding.record
    return find_responses(method, record["response"], record["chosen"], record["rejected"])


def prompt_variants(
    adapter: Adapter, embedding: StoredEmbedding, variants: Literal["all", "prefixed", "bare"]
) -> tuple[str, ...]:
    """Return the prompts with which the example's question is asked about its embedding."""
    if embedding.is_real:
        return (embedding.record["instruction"],)
    extraction = embedding.extraction
    prefixed, bare = prompts.multimodal_prompt(adapter, extraction), extraction.detoxified
    if variants == "prefixed":
        return (prefixed,)
    if variants == "bare":
        return (bare,)
    return (prefixed, bare, *prompts.multimodal_prompt_variants(adapter, extraction))


def own_questions(
    adapter: Adapter, embedding: StoredEmbedding, responses: Responses, config: AlignConfig, weight: float
) -> list[Question]:
    """Draw `weight` variants of the question of the example that an embedding was made for, with these responses.

    Which ones depends on the embedding and the seed only: about its start, the same are asked (`pairs`).
    """
    questions = [Question(prompt, *responses) for prompt in prompt_variants(adapter, embedding, config.prompts)]
    kind = "real" if embedding.is_real else "synthetic"
    return draw_questions(questions, weight, f"{config.seed}:{kind}:{embedding.key}")


def retention_questions(
    adapter: Adapter, embedding: StoredEmbedding, others: Sequence[StoredEmbedding], method: Method, seed: int
) -> list[Question]:
    """Return questions about content and style of a synthetic embedding. A rejected answer is true of another one.

    Args:
        others: synthetic embeddings that rejected answers may be about.
    """
    rng = random.Random(f"{seed}:other:{embedding.id}")
    content = prompts.content_goal(adapter, embedding.extraction)
    rejected = _other_content(adapter, embedding, others, rng)
    asked = (content.prompt, *prompts.retention_questions(adapter, embedding.extraction.kind))
    questions = [Question(prompt, content.answer, rejected) for prompt in asked]
    if style := embedding.record["style"]:
        goal = prompts.style_goal(adapter, style)
        other_styles = [prompts.style_goal(adapter, other).answer for other in adapter.styles if other != style]
        questions.append(Question(goal.prompt, goal.answer, rng.choice(other_styles) if other_styles else None))
    if method == "sft":
        return [question._replace(rejected=None) for question in questions]
    return [question for question in questions if question.rejected is not None]


def _other_content(
    adapter: Adapter, embedding: StoredEmbedding, others: Sequence[StoredEmbedding], rng: random.Random
) -> str | None:
    """Return the content answer of an embedding with another phrase; None if none is found."""
    other = draw_other(embedding, others, rng)
    return prompts.content_goal(adapter, other.extraction).answer if other else None


def draw_other(
    embedding: StoredEmbedding, others: Sequence[StoredEmbedding], rng: random.Random
) -> StoredEmbedding | None:
    """Draw an embedding with another phrase; None if none is found."""
    for _ in range(MAX_TRIES):
        other = rng.choice(others)
        if other.record["phrase"] != embedding.record["phrase"]:
            return other
    return None


def draw_questions(questions: Sequence[Question], weight: float, seed: str) -> list[Question]:
    """Draw `weight` questions, each of them once before any is repeated.

    The fraction of `weight` is the probability of one more: of a weight of 1.5, one or two are drawn.
    """
    rng = random.Random(seed)
    shuffled = list(questions)
    rng.shuffle(shuffled)
    count = int(weight) + (rng.random() < weight % 1)
    return [shuffled[i % len(shuffled)] for i in range(count)] if shuffled else []
