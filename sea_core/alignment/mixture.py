"""The mixture: which training examples are made from embeddings and texts, and in which proportions."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sea_core.alignment.config import AlignConfig, Method
from sea_core.alignment.dataset import TrainingExample
from sea_core.alignment.embedding_source import EmbeddingSource, StoredEmbedding
from sea_core.alignment.pairs import describe_missing_media, pair_examples
from sea_core.alignment.questions import (
    ANSWERS,
    Question,
    draw_questions,
    find_responses,
    own_questions,
    retention_questions,
    stored_responses,
)
from sea_core.alignment.read_first import own_examples
from sea_core.alignment.selection import hold_out_benign_texts, is_asked_as_text, select_trained, text_weight
from sea_core.data.examples import Example
from sea_core.errors import SeaError, number_of
from sea_core.model.adapter import Adapter

TEACHING_KINDS = ("synthetic", "real", "text")
"""Kinds that show how to answer a harmful request; `retention` asks about content and style, `pairs` are benign."""
MIN_RECIPES = 3
"""With embeddings of fewer recipes, real benign media teach a model to comply with all real media (measured)."""


@dataclass(frozen=True)
class Mixture:
    """What is trained on, and what is not.

    Attributes:
        examples: the training examples, in random order.
        held_out: the embeddings of examples that are held out for the spot check.
        held_out_texts: texts that are held out for it: benign ones, if the runs have no benign example.
        skipped: the number of embeddings that could not be used, by reason.
        warnings: what the user should know about this mixture.
    """

    examples: tuple[TrainingExample, ...]
    held_out: tuple[StoredEmbedding, ...]
    held_out_texts: tuple[Example, ...]
    skipped: dict[str, int]
    warnings: tuple[str, ...]

    @property
    def counts(self) -> dict[str, int]:
        """The number of training examples of each kind.

        `benign` counts the benign ones among them, `given` those whose description is given with the prompt.
        """
        counts = Counter(example.kind for example in self.examples)
        counts["benign"] = sum(not example.harmful for example in self.examples)
        counts["given"] = sum(bool(example.given) for example in self.examples)
        return {kind: count for kind, count in counts.items() if count}

    @property
    def n_harmful(self) -> int:
        """The number of training examples that show how to answer a harmful request."""
        return sum(example.harmful and example.kind in TEACHING_KINDS for example in self.examples)


@dataclass(frozen=True)
class _TextQuestion:
    """An example in plain text."""

    id: str
    question: Question
    harmful: bool


def mix(
    adapter: Adapter, source: EmbeddingSource, texts: Sequence[Example], method: Method, config: AlignConfig
) -> Mixture:
    """Draw the training examples. They depend on the seed and on the ids of the examples only.

    Args:
        texts: text examples besides those of the runs.

    Raises:
        SeaError: there is nothing to train on.
    """
    stored = source.stored()
    usable = [embedding for embedding in stored if stored_responses(embedding, method)]
    trained, held_out_ids = select_trained(usable, config)
    has_benign = any(not embedding.harmful for embedding in usable)
    held_out_texts = () if has_benign else hold_out_benign_texts(texts, config)
    left_out = held_out_ids | {text.id for text in held_out_texts}
    made = _media_examples(adapter, trained, method, config)
    made += pair_examples(adapter, trained, method, config)
    made += _text_examples(trained, [text for text in texts if text.id not in left_out], method, config)
    if not made:
        raise _nothing_to_train_on(source, usable, method)
    random.Random(f"{config.seed}:order").shuffle(made)
    n_skipped = len(stored) - len(usable)
    warnings = list(_warnings(trained, made, config))
    if config.pairs and (missing := describe_missing_media(stored, trained)):
        warnings.append(missing)
    return Mixture(
        examples=tuple(made),
        held_out=tuple(embedding for embedding in usable if embedding.example_id in held_out_ids),
        held_out_texts=tuple(held_out_texts),
        skipped={f"no response for {method}": n_skipped} if n_skipped else {},
        warnings=tuple(warnings),
    )


def _nothing_to_train_on(source: EmbeddingSource, usable: Sequence[StoredEmbedding], method: Method) -> SeaError:
    """Return the error for a mixture without training examples: what they lack, if it is embeddings or answers."""
    needs, stored = ANSWERS[method], source.stored()
    failed = {run.folder: {record["example_id"] for record in run.store.records()} for run in source.runs}
    if not stored and any(failed.values()):
        examples = _examples_of_runs(sum(map(len, failed.values())))
        what = f"{examples} no embeddings: all optimisations failed"
        return SeaError(what, hint=f"See why: sea show {next(folder for folder, ids in failed.items() if ids)}")
    if not stored or usable:
        hint = f"{method} needs examples with {needs}. --data names the kinds to train on."
        return SeaError(f"there is no example to train on with {method}", hint=hint)
    examples = _examples_of_runs(len({embedding.example_id for embedding in stored}))
    if not any(embedding.record["instruction"] for embedding in stored):
        what = f"{examples} no texts: they were shared without them"
        return SeaError(what, hint="Put them back, from the data: sea pull SOURCE RUN --text DATA")
    has_response = method == "dpo" and any(stored_responses(each, "sft") for each in stored)
    way = "; or type --method sft, for which they have answers" if has_response else ""
    return SeaError(
        f"{examples} no answers to train on with {method}: it needs {needs}",
        hint=f"Add these columns to the text safety set, and make a new run of it with sea optimize{way}.",
    )


def _examples_of_runs(count: int) -> str:
    return f"the {number_of(count, 'example of the runs has', 'examples of the runs have')}"


def _media_examples(
    adapter: Adapter, trained: Sequence[StoredEmbedding], method: Method, config: AlignConfig
) -> list[TrainingExample]:
    """Return the training examples about embeddings."""
    synthetic = [embedding for embedding in trained if not embedding.is_real]
    made: list[TrainingExample] = []
    for embedding in trained:
        questions = _own_questions(adapter, embedding, method, config)
        made += own_examples(adapter, embedding, questions, synthetic, config)
        if not embedding.is_real:
            retained = retention_questions(adapter, embedding, synthetic, method, config.seed)
            drawn = draw_questions(retained, config.retention, f"{config.seed}:retention:{embedding.key}")
            made += [TrainingExample.about("retention", question, embedding) for question in drawn]
    return made


def _own_questions(adapter: Adapter, embedding: StoredEmbedding, method: Method, config: AlignConfig) -> list[Question]:
    """Draw variants of the question of the example that an embedding was made for."""
    responses = stored_responses(embedding, method)
    assert responses  # `mix` skips embeddings without
    return own_questions(adapter, embedding, responses, config, config.real if embedding.is_real else config.synthetic)


def _text_examples(
    trained: Sequence[StoredEmbedding], texts: Sequence[Example], method: Method, config: AlignConfig
) -> list[TrainingExample]:
    """Return the training examples in plain text. Examples with the same instruction count once."""
    questions: dict[str, _TextQuestion] = {}
    for text in (*_run_texts(trained, method), *_file_texts(texts, method)):
        if is_asked_as_text(config, text.harmful):
            questions.setdefault(text.question.prompt, text)
    weight = text_weight(config, len(trained), len(questions))
    return [
        TrainingExample("text", text.id, *question, harmful=text.harmful)
        for text in questions.values()
        for question in draw_questions([text.question], weight, f"{config.seed}:text:{text.id}")
    ]


def _run_texts(trained: Sequence[StoredEmbedding], method: Method) -> Iterator[_TextQuestion]:
    """Yield the examples that synthetic embeddings were made for."""
    for embedding in trained:
        responses = stored_responses(embedding, method)
        if responses and not embedding.is_real:
            question = Question(embedding.record["instruction"], *responses)
            yield _TextQuestion(embedding.example_id, question, embedding.harmful)


def _file_texts(texts: Sequence[Example], method: Method) -> Iterator[_TextQuestion]:
    for text in texts:
        if responses := find_responses(method, text.response, text.chosen, text.rejected):
            yield _TextQuestion(text.id, Question(text.instruction, *responses), text.harmful)


def _warnings(
    trained: Sequence[StoredEmbedding], made: Sequence[TrainingExample], config: AlignConfig
) -> Iterator[str]:
    if all(example.harmful for example in made):
        yield "no benign example is trained on: a model that is only shown refusals learns to refuse everything"
    real = [embedding for embedding in trained if embedding.is_real] if config.real else []
    synthetic = [embedding for embedding in trained if not embedding.is_real] if config.synthetic else []
    recipes = {embedding.record["recipe"] for embedding in synthetic}
    if (real or config.pairs) and synthetic and config.answers == "read-first":
        yield (
            "real media are answered directly, and synthetic embeddings read-first: the model may learn to answer real "
            "media directly, without reading them. Leave the real media out (-o real=0), or type --answers direct"
        )
    if real and not any(embedding.harmful for embedding in real) and recipes and len(recipes) < MIN_RECIPES:
        yield (
            f"all real media are benign, and the synthetic embeddings come from {len(recipes)} recipe(s): the model "
            "then learns to comply with real media, harmful ones too. Use a pool of recipes "
            "(sea optimize --recipe pool), or leave out the real media (--data synthetic,text,retention)"
        )
