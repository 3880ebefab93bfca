"""Answers that first say what an embedding shows, and then refuse or help (`answers=read-first`).

A model reads real media as it reads synthetic embeddings. What it may not carry over is the decision, if that was
learnt on the embedding's features. So half of these examples have the embedding of another phrase, and the description
is given with the prompt: there, only the words that were read can decide.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import replace

from sea_core.alignment.config import AlignConfig
from sea_core.alignment.dataset import TrainingExample
from sea_core.alignment.embedding_source import StoredEmbedding
from sea_core.alignment.questions import Question, draw_other
from sea_core.data.examples import Extraction
from sea_core.model import prompts
from sea_core.model.adapter import Adapter


def own_examples(
    adapter: Adapter,
    embedding: StoredEmbedding,
    questions: Sequence[Question],
    others: Sequence[StoredEmbedding],
    config: AlignConfig,
) -> Iterator[TrainingExample]:
    """Yield the training examples of questions about an embedding, with direct or read-first answers.

    A real medium has no description, and is always answered directly.

    Args:
        others: synthetic embeddings that examples with a given description may show.
    """
    kind = "real" if embedding.is_real else "synthetic"
    rng = random.Random(f"{config.seed}:answers:{embedding.key}")
    for question in questions:
        if embedding.is_real or config.answers == "direct" or rng.random() >= config.read_first_ratio:
            yield TrainingExample.about(kind, question, embedding)
        else:
            described = describe_first(adapter, embedding.extraction, question)
            yield TrainingExample.about(kind, described, embedding)
            yield from _given_examples(adapter, embedding, described, others, config.given_ratio, rng)


def synthetic_weight(config: AlignConfig) -> float:
    """Return how many training examples each synthetic embedding has, on average, besides those of retention."""
    if config.answers == "direct":
        return config.synthetic
    return config.synthetic * (1 + config.read_first_ratio * config.given_ratio / (1 - config.given_ratio))


def describe_first(adapter: Adapter, extraction: Extraction, question: Question) -> Question:
    """Return the question with answers that first say what the medium shows.

    In DPO both do: the preference is then between the decisions alone, after the same words.
    """

    def describe(answer: str) -> str:
        return prompts.read_first_answer(adapter, extraction, answer)

    rejected = question.rejected and describe(question.rejected)
    return question._replace(answer=describe(question.answer), rejected=rejected)


def _given_examples(
    adapter: Adapter,
    embedding: StoredEmbedding,
    question: Question,
    others: Sequence[StoredEmbedding],
    ratio: float,
    rng: random.Random,
) -> Iterator[TrainingExample]:
    """Yield as many examples with a given description and another phrase's embedding as `ratio` asks for."""
    count, fraction = divmod(ratio / (1 - ratio), 1)
    for _ in range(int(count) + (rng.random() < fraction)):
        if other := draw_other(embedding, others, rng):
            made = TrainingExample.about("synthetic", question, other)
            # without the space behind it: where a tokenizer joins it to what follows, it tells the decision
            given = prompts.read_first_answer(adapter, embedding.extraction, "").rstrip()
            yield replace(made, id=embedding.id, harmful=embedding.harmful, given=given)
