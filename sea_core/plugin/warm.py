"""Teach a tiny random model to answer about embeddings, so that an adapter can be tried to the end of the chain.

A random model can say no target answer, so that nothing can be optimised on it. Here its language model learns the
answers for a few phrases of the demo examples. Each phrase and each style has an embedding of its own, so that the
answer can only be read from the embedding.
"""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from statistics import fmean
from zlib import crc32

import torch
from torch import Tensor, nn

from sea_core.data.demo import DEMO_EXAMPLES
from sea_core.data.examples import Example, Goal, PreparedExample
from sea_core.data.formats.registry import FORMATS
from sea_core.data.read import read_examples
from sea_core.extraction.prepare import prepare
from sea_core.model.embedding import Embedding
from sea_core.model.mllm import MLLM
from sea_core.model.prompts import content_goal, held_out_questions, style_goal

MEDIA_BATCH, TEXT_BATCH = 28, 4
"""Lessons about embeddings, and in plain text, in one step."""
LEARNING_RATE, BETAS = 1e-2, (0.9, 0.95)
WARM_UP = 20
"""Steps in which the learning rate grows."""
DISTANCE = 2.0
"""How far the embeddings of phrases and styles are from the blank's, in multiples of its root mean square."""
NOISE = 0.3
"""The largest noise on them, in the same unit."""
ENOUGH = 0.002
"""Training stops at this mean loss: an embedding succeeds below 0.01."""
RECENT = 10
"""Steps over which the loss is averaged."""


@dataclass(frozen=True)
class Lesson:
    """A question with its answer, about an embedding or in plain text."""

    question: str
    answer: str
    embedding: Embedding | None = None


@dataclass
class Lessons:
    """What a model is taught: content and style of `phrases` demo examples, and their instructions in plain text."""

    mllm: MLLM
    phrases: int = 10
    seed: int = 0

    def __post_init__(self) -> None:
        demo = read_examples(DEMO_EXAMPLES, formats=FORMATS).examples
        self.examples = prepare(demo, self.mllm.adapter, limit=self.phrases).prepared
        self.blank = self.mllm.blank()
        self._rng, self._noise = random.Random(self.seed), torch.Generator().manual_seed(self.seed)

    def draw(self) -> list[Lesson]:
        """Return the lessons of one step."""
        rng = self._rng
        lessons = []
        for _ in range(MEDIA_BATCH):
            example, style = rng.choice(self.examples), rng.choice(self.mllm.adapter.styles)
            goal = rng.choice(self.goals(example, style))
            embedding = self._with_noise(self.embedding(example, style), NOISE * rng.random())
            lessons.append(Lesson(goal.prompt, goal.answer, embedding))
        drawn = rng.choices(self.examples, k=TEXT_BATCH)
        return lessons + [Lesson(each.example.instruction, compliance(each.example)) for each in drawn]

    def examination(self) -> list[Lesson]:
        """Return all lessons about embeddings without noise, each example in its own style."""
        return [
            Lesson(goal.prompt, goal.answer, self.embedding(example, example.style))
            for example in self.examples
            for goal in self.goals(example, example.style)
        ]

    def goals(self, example: PreparedExample, style: str) -> list[Goal]:
        """Return the questions about an example's embedding in a style, held-out ones too, with their answers."""
        adapter = self.mllm.adapter
        content = content_goal(adapter, example.extraction)
        held_out = held_out_questions(adapter, example.extraction.kind)
        return [content, style_goal(adapter, style), *(Goal(question, content.answer) for question in held_out)]

    def embedding(self, example: PreparedExample, style: str) -> Embedding:
        """Return the embedding that stands for an example's phrase in a style."""
        direction = self._direction(example.extraction.phrase) + self._direction(style)
        return self.blank.with_features(self.blank.features + DISTANCE * self.blank.rms * direction)

    def _direction(self, name: str) -> Tensor:
        """Return a random vector that depends on the name only; the same for all features, which P may average."""
        generator = torch.Generator().manual_seed(crc32(name.encode()))
        return torch.randn(self.blank.features.shape[-1], generator=generator).to(self.blank.features)

    def _with_noise(self, embedding: Embedding, strength: float) -> Embedding:
        noise = torch.randn(embedding.features.shape, generator=self._noise).to(embedding.features)
        return embedding.with_features(embedding.features + strength * embedding.rms * noise)


def compliance(example: Example) -> str:
    """Return the answer of a demo example that complies: the one that an alignment is to change, if harmful."""
    return str(example.rejected if example.harmful else example.chosen)


def teach(lessons: Lessons, steps: int) -> Iterator[float]:
    """Train all weights after P, in place, and yield the mean loss of the latest steps after each step.

    Ends early when the loss is low enough. The model is frozen again afterwards.
    """
    mllm = lessons.mllm
    trained = mllm.language_parameters()
    optimizer = torch.optim.AdamW(trained, lr=LEARNING_RATE, betas=BETAS)
    scheduler = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: _rate(step, steps))
    recent: deque[float] = deque(maxlen=RECENT)
    for parameter in trained:
        parameter.requires_grad_(True)
    try:
        for step in range(steps):
            loss, worst = _losses(mllm, lessons.draw())
            optimizer.zero_grad()
            torch.autograd.backward(loss + worst)
            optimizer.step()
            scheduler.step()
            recent.append(loss.item())
            yield fmean(recent)
            is_low = len(recent) == RECENT and fmean(recent) < ENOUGH
            if is_low and step % RECENT == 0 and not find_wrong(mllm, lessons.examination()):
                return
    finally:
        mllm.model.requires_grad_(False)


def _losses(mllm: MLLM, lessons: Sequence[Lesson]) -> tuple[Tensor, Tensor]:
    """Return the mean loss of all tokens, and the mean over the answers of the loss of the worst one.

    Most tokens of an answer do not depend on the embedding. Those that do would have little weight in a mean.
    """
    losses, worst = [], []
    # Not every model takes media and plain text in one batch.
    for about_media in (True, False):
        batch = [lesson for lesson in lessons if (lesson.embedding is not None) == about_media]
        logits, targets, index = _answer(mllm, batch)
        losses.append(nn.functional.cross_entropy(logits, targets, reduction="none"))
        worst.append(losses[-1].new_zeros(len(batch)).scatter_reduce(0, index, losses[-1], "amax"))
    return torch.cat(losses).mean(), torch.cat(worst).mean()


def _rate(step: int, steps: int) -> float:
    """Return the factor of the learning rate: up at the start, constant for a third, then down to 4 %."""
    return min((step + 1) / WARM_UP, 1.0, 0.04 + 0.96 * (steps - step) / (0.65 * steps))


@dataclass(frozen=True)
class WrongAnswer:
    """A question that a model does not answer as taught: what it was taught, and what it says in place of it."""

    question: str
    taught: str
    answer: str


@torch.no_grad()
def find_wrong(mllm: MLLM, lessons: Sequence[Lesson]) -> list[WrongAnswer]:
    """Return the lessons that the model does not answer as taught, when each next token follows the right ones."""
    wrong = []
    for lesson in lessons:
        logits, targets, _ = _answer(mllm, [lesson])
        predicted = logits.argmax(-1)
        if not torch.equal(predicted, targets):
            wrong.append(WrongAnswer(lesson.question, lesson.answer, mllm.detokenize(predicted.tolist())))
    return wrong


def _answer(mllm: MLLM, lessons: Sequence[Lesson]) -> tuple[Tensor, Tensor, Tensor]:
    """Return the logits of the answers' tokens, as `MLLM.answer_logits` does."""
    embeddings = [lesson.embedding for lesson in lessons if lesson.embedding is not None]
    prompts = [mllm.prompt_ids(lesson.question, lesson.embedding) for lesson in lessons]
    batch = mllm.batch(prompts, [mllm.answer_ids(lesson.answer) for lesson in lessons])
    return mllm.answer_logits(batch, embeddings)
