"""Teach a tiny MLLM of a real class the demo world, until it really sees or hears. About five minutes on two cores.

Two phases, as measured to work: the encoder alone learns to tell phrases and styles apart; then it is frozen, the
outputs for a pool of renderings are kept, and the projector and the language model learn to talk about them.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from sea_core.model.adapter import Adapter
from sea_core.model.embedding import Embedding
from sea_core.model.mllm import MLLM
from sea_core.model.padding import IGNORE_INDEX
from sea_toy.student import Lengths, Pool, Rendering, Report, Student, TrainedStudent, make_subject
from sea_toy.world import ToyWorld, TrainingSample


def teach(pupil: Student, seed: int, lengths: Lengths, report: Report) -> MLLM:
    """Build, warm up and teach a tiny model. Deterministic only as far as the renderings are."""
    torch.manual_seed(seed)
    rng = random.Random(seed)
    pupils = (pupil, *pupil.also)
    mllm = pupil.create(sentence for one in pupils for sentence in ToyWorld(one.adapter).corpus())
    subjects = [make_subject(one, mllm, lengths.clips, rng, report) for one in pupils]
    warm_up(subjects, lengths, report)
    for subject in subjects:
        subject.embeddings = encode_pool(subject)
    learn_to_talk(subjects, lengths, rng, report)
    return mllm


def warm_up(subjects: Sequence[TrainedStudent], lengths: Lengths, report: Report) -> None:
    """Train the encoder alone: linear heads on the mean of E tell verb or product, object, and style.

    The loss stays at chance for some hundred steps and then falls at once; do not give up before.
    """
    model = subjects[0].mllm
    readers = [_Reader(subject) for subject in subjects]
    encoder = encoder_parameters(model)
    for p in encoder:
        p.requires_grad_(True)
    heads = [p for reader in readers for p in reader.heads.parameters()]
    optimizer = torch.optim.AdamW([*encoder, *heads], lr=1e-3, weight_decay=0.01)
    rate = schedule(optimizer, lengths.encoder_steps)
    for step in range(lengths.encoder_steps):
        losses = [reader.loss(lengths.encoder_rows) for reader in readers]
        update(optimizer, rate, torch.stack(losses).sum(), encoder)
        if step % 50 == 49:
            told = ", ".join(f"{loss.item():.3f}" for loss in losses)
            report(f"encoder {step + 1}/{lengths.encoder_steps}: loss {told}")
    model.model.requires_grad_(False)


class _Reader:
    """The heads that read one subject's phrases and styles off the mean of E."""

    def __init__(self, subject: TrainedStudent) -> None:
        self.subject = subject
        self.targets, sizes = _classes(subject.pool, subject.pupil.adapter)
        with torch.no_grad():
            width = subject.pupil.encode(subject.mllm, subject.pool.pick(torch.arange(1)))[0].shape[-1]
        self.heads = nn.ModuleList(nn.Linear(width, size) for size in sizes)

    def loss(self, rows: int) -> Tensor:
        subject = self.subject
        index = torch.randint(len(subject.pool.media), (rows,))
        mean = _mean(*subject.pupil.encode(subject.mllm, subject.pool.pick(index)))
        targets = self.targets[index].T
        losses = [nn.functional.cross_entropy(h(mean), t) for h, t in zip(self.heads, targets, strict=True)]
        return torch.stack(losses).sum()


def encode_pool(subject: TrainedStudent) -> list[Embedding]:
    """Return E of every rendering, the encoder frozen."""
    pupil, mllm, pool = subject.pupil, subject.mllm, subject.pool
    embeddings: list[Embedding] = []
    with torch.no_grad():
        for index in torch.split(torch.arange(len(pool.media)), 256):
            features = pool.pick(index)
            encoded, n_rows = pupil.encode(mllm, features)
            grids = pupil.grids(features, len(index))
            embeddings += [Embedding(e[:n].clone(), g) for e, n, g in zip(encoded, n_rows.tolist(), grids, strict=True)]
    return embeddings


def learn_to_talk(subjects: Sequence[TrainedStudent], lengths: Lengths, rng: random.Random, report: Report) -> None:
    """Train everything behind the seam on lessons about the kept embeddings, and on plain text."""
    mllm = subjects[0].mllm
    trained = [*mllm.projector.parameters(), *mllm.language_parameters()]
    for p in trained:
        p.requires_grad_(True)
    optimizer = torch.optim.AdamW(trained, lr=1.5e-3, weight_decay=0.01)
    rate = schedule(optimizer, lengths.language_steps)
    for step in range(lengths.language_steps):
        losses = []
        for subject in subjects:
            lessons, shown = draw_lessons(subject, lengths.media_rows, lengths.text_rows, rng)
            losses.append(lesson_loss(subject.mllm, lessons, shown))
        update(optimizer, rate, torch.stack(losses).mean(), trained)
        if step % 50 == 49:
            told = ", ".join(f"{loss.item():.4f}" for loss in losses)
            report(f"language {step + 1}/{lengths.language_steps}: loss {told}")
    mllm.model.requires_grad_(False)


def draw_lessons(
    subject: TrainedStudent, media_rows: int, text_rows: int, rng: random.Random
) -> tuple[list[TrainingSample], list[Embedding]]:
    """Draw lessons about kept embeddings, blurred, and lessons in plain text."""
    world, pool, embeddings = subject.world, subject.pool, subject.embeddings
    blank = embeddings[next(i for i, medium in enumerate(pool.media) if medium.phrase is None)]
    drawn = [rng.randrange(len(pool.media)) for _ in range(media_rows)]
    lessons = [_lesson(world, pool.media[i], rng) for i in drawn] + [world.text_lesson(rng) for _ in range(text_rows)]
    return lessons, [blur(embeddings[i], blank, rng) for i in drawn]


def blur(embedding: Embedding, blank: Embedding, rng: random.Random) -> Embedding:
    """Add noise, and put the blank's rows in place of some: what is shown must be read from all of the rows together.

    A model taught on clean embeddings alone reads one question off a few directions, and another off others; an
    embedding optimised for the first is then nothing to the second.
    """
    rows = embedding.features
    noise = rng.uniform(0.0, 0.3) * rows.std() * torch.randn_like(rows)
    n_rows = min(len(embedding), len(blank))
    gone = torch.rand(n_rows) < rng.uniform(0.0, 0.3)
    blurred = rows + noise
    blurred[:n_rows] = torch.where(gone[:, None], blank.features[:n_rows], blurred[:n_rows])
    return embedding.with_features(blurred)


def lesson_loss(mllm: MLLM, lessons: Sequence[TrainingSample], shown: Sequence[Embedding]) -> Tensor:
    """Return the mean over lessons of the mean negative log-likelihood of their answers."""
    rows = iter(shown)
    prompts = [mllm.prompt_ids(x.prompt, len(next(rows)) if x.about_media else None) for x in lessons]
    batch = mllm.batch(prompts, [mllm.answer_ids(x.answer) for x in lessons])
    logits, targets, _ = mllm.answer_logits(batch, shown)
    weights = (1 / (batch.labels != IGNORE_INDEX).sum(1)).repeat_interleave((batch.labels != IGNORE_INDEX).sum(1))
    return (nn.functional.cross_entropy(logits, targets, reduction="none") * weights).sum() / len(lessons)


def _lesson(world: ToyWorld, medium: Rendering, rng: random.Random) -> TrainingSample:
    if medium.phrase is None:
        return world.blank_lesson(rng)
    skill = rng.choices(ToyWorld.SKILLS, weights=(18, 22, 18, 17, 21, 4))[0]
    return world.lesson(skill, medium.phrase, medium.style, rng)


def _classes(pool: Pool, adapter: Adapter) -> tuple[Tensor, list[int]]:
    names = [(m.phrase.head, m.phrase.tail, m.style) if m.phrase else ("blank", "blank", "blank") for m in pool.media]
    columns = [sorted({name[i] for name in names}) for i in range(3)]
    targets = torch.tensor([[columns[i].index(name[i]) for i in range(3)] for name in names])
    return targets, [len(column) for column in columns]


def encoder_parameters(mllm: MLLM) -> list[nn.Parameter]:
    """Return M's parameters: what is neither the projector's nor the language model's, but for fixed positions."""
    behind = {id(p) for p in (*mllm.projector.parameters(), *mllm.language_parameters())}
    return [p for n, p in mllm.model.named_parameters() if id(p) not in behind and "embed_positions" not in n]


def _mean(features: Tensor, n_rows: Tensor) -> Tensor:
    real = (torch.arange(features.shape[1]) < n_rows[:, None])[..., None]
    return (features * real).sum(1) / n_rows[:, None]


def schedule(optimizer: torch.optim.Optimizer, steps: int) -> torch.optim.lr_scheduler.LambdaLR:
    """Warm up over 20 steps, stay for a third of the time, then go down linearly to 4 %."""

    def factor(step: int) -> float:
        return min((step + 1) / 20, 1.0, 0.04 + 0.96 * (steps - step) / (0.65 * steps))

    return torch.optim.lr_scheduler.LambdaLR(optimizer, factor)


def update(optimizer: torch.optim.Optimizer, rate: Any, loss: Tensor, clipped: Sequence[nn.Parameter]) -> None:
    """Take one step along the clipped gradient of the loss."""
    optimizer.zero_grad()
    torch.autograd.backward(loss)
    nn.utils.clip_grad_norm_(clipped, 1.0)
    optimizer.step()
    rate.step()
