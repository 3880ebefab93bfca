"""Teach a tiny MLLM of a real class the demo world, until it really sees or hears. About five minutes on two cores.

Two phases, as measured to work: the encoder alone learns to tell phrases and styles apart; then it is frozen, the
outputs for a pool of renderings are kept, and the projector and the language model learn to talk about them.
"""

from __future__ import annotations

import random
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from sea_core.adapter import Adapter
from sea_core.demo.world import Lesson, Phrase, World, phrases
from sea_core.embedding import Embedding, Grid
from sea_core.mllm import IGNORED, MLLM

Report = Callable[[str], None]


class Pupil(ABC):
    """What a plugin provides to have a tiny model taught: an untrained model, and renderings of the world."""

    adapter: Adapter

    @abstractmethod
    def create(self, corpus: Iterable[str]) -> MLLM:
        """Return an untrained model of the real class, with a processor whose tokenizer was trained on the corpus."""

    @abstractmethod
    def render(self, phrase: str, style: str, rng: random.Random) -> Any:
        """Return a fresh medium that shows or says the phrase in the style; no two calls are quite alike."""

    @abstractmethod
    def render_blank(self, rng: random.Random) -> Any:
        """Return a blank medium: sometimes the adapter's own blank, sometimes a near one."""

    @abstractmethod
    def features(self, mllm: MLLM, media: Sequence[Any]) -> dict[str, Tensor]:
        """Return the encoder's inputs, one entry of each tensor for each medium."""

    @abstractmethod
    def encode(self, mllm: MLLM, features: dict[str, Tensor]) -> tuple[Tensor, Tensor]:
        """Run the encoder with gradients. Returns E padded, (media, n_rows, d_encoder), and each n_rows, (media,)."""

    def grids(self, features: dict[str, Tensor], count: int) -> list[Grid]:
        """Return each medium's `Embedding.grid`."""
        return [()] * count


@dataclass(frozen=True)
class Medium:
    """One rendering in the pool; `phrase` is None for a blank."""

    phrase: Phrase | None
    style: str


@dataclass
class Pool:
    """Renderings with the encoder inputs, in the same order."""

    media: list[Medium]
    features: dict[str, Tensor]

    def pick(self, index: Tensor) -> dict[str, Tensor]:
        return {name: tensor[index].float() for name, tensor in self.features.items()}


@dataclass(frozen=True)
class Lengths:
    """How long to teach: clips per phrase and style, steps of each phase, rows of media and of text in a batch."""

    clips: int = 12
    encoder_steps: int = 500
    language_steps: int = 600
    media_rows: int = 44
    text_rows: int = 8


def teach(pupil: Pupil, seed: int, lengths: Lengths, report: Report) -> MLLM:
    """Build, warm up and teach a tiny model. Deterministic only as far as the renderings are."""
    torch.manual_seed(seed)
    rng = random.Random(seed)
    world = World(pupil.adapter)
    mllm = pupil.create(world.corpus())
    pool = render_pool(pupil, mllm, lengths.clips, rng)
    report(f"{len(pool.media)} renderings of {len(phrases())} phrases")
    warm_up(pupil, mllm, pool, lengths, report)
    embeddings = encode_pool(pupil, mllm, pool)
    learn_to_talk(world, mllm, pool, embeddings, lengths, rng, report)
    return mllm


def render_pool(pupil: Pupil, mllm: MLLM, clips: int, rng: random.Random) -> Pool:
    """Render each phrase in each style `clips` times, and blanks to one in thirty."""
    styles = pupil.adapter.styles
    media = [Medium(phrase, style) for phrase in phrases() for style in styles for _ in range(clips)]
    media += [Medium(None, "") for _ in range(max(1, len(media) // 30))]
    chunks: list[dict[str, Tensor]] = []
    for start in range(0, len(media), 256):
        raw = [
            pupil.render(m.phrase.text, m.style, rng) if m.phrase else pupil.render_blank(rng)
            for m in media[start : start + 256]
        ]
        chunks.append({k: v.half() for k, v in pupil.features(mllm, raw).items()})
    return Pool(media, {name: torch.cat([chunk[name] for chunk in chunks]) for name in chunks[0]})


def warm_up(pupil: Pupil, mllm: MLLM, pool: Pool, lengths: Lengths, report: Report) -> None:
    """Train the encoder alone: linear heads on the mean of E tell verb or product, object, and style.

    The loss stays at chance for some hundred steps and then falls at once; do not give up before.
    """
    targets, sizes = _classes(pool, pupil.adapter)
    with torch.no_grad():
        width = pupil.encode(mllm, pool.pick(torch.arange(1)))[0].shape[-1]
    heads = nn.ModuleList(nn.Linear(width, size) for size in sizes)
    encoder = encoder_parameters(mllm)
    for p in encoder:
        p.requires_grad_(True)
    optimizer = torch.optim.AdamW([*encoder, *heads.parameters()], lr=1e-3, weight_decay=0.01)
    rate = schedule(optimizer, lengths.encoder_steps)
    for step in range(lengths.encoder_steps):
        index = torch.randint(len(pool.media), (64,))
        features, n_rows = pupil.encode(mllm, pool.pick(index))
        mean = _mean(features, n_rows)
        loss = torch.stack(
            [nn.functional.cross_entropy(head(mean), targets[index, i]) for i, head in enumerate(heads)]
        ).sum()
        update(optimizer, rate, loss, encoder)
        if step % 50 == 49:
            report(f"encoder {step + 1}/{lengths.encoder_steps}: loss {loss.item():.3f}")
    mllm.model.requires_grad_(False)


def encode_pool(pupil: Pupil, mllm: MLLM, pool: Pool) -> list[Embedding]:
    """Return E of every rendering, the encoder frozen."""
    embeddings: list[Embedding] = []
    with torch.no_grad():
        for index in torch.split(torch.arange(len(pool.media)), 256):
            features = pool.pick(index)
            encoded, n_rows = pupil.encode(mllm, features)
            grids = pupil.grids(features, len(index))
            embeddings += [Embedding(e[:n].clone(), g) for e, n, g in zip(encoded, n_rows.tolist(), grids, strict=True)]
    return embeddings


def learn_to_talk(
    world: World,
    mllm: MLLM,
    pool: Pool,
    embeddings: list[Embedding],
    lengths: Lengths,
    rng: random.Random,
    report: Report,
) -> None:
    """Train everything behind the seam on lessons about the kept embeddings, and on plain text."""
    trained = [*mllm.projector.parameters(), *mllm.language_parameters()]
    for p in trained:
        p.requires_grad_(True)
    optimizer = torch.optim.AdamW(trained, lr=1.5e-3, weight_decay=0.01)
    rate = schedule(optimizer, lengths.language_steps)
    for step in range(lengths.language_steps):
        lessons, shown = draw_lessons(world, pool, embeddings, lengths.media_rows, lengths.text_rows, rng)
        loss = lesson_loss(mllm, lessons, shown)
        update(optimizer, rate, loss, trained)
        if step % 50 == 49:
            report(f"language {step + 1}/{lengths.language_steps}: loss {loss.item():.4f}")
    mllm.model.requires_grad_(False)


def draw_lessons(
    world: World, pool: Pool, embeddings: list[Embedding], media_rows: int, text_rows: int, rng: random.Random
) -> tuple[list[Lesson], list[Embedding]]:
    """Draw lessons about kept embeddings, blurred, and lessons in plain text."""
    blank = embeddings[next(i for i, medium in enumerate(pool.media) if medium.phrase is None)]
    drawn = [rng.randrange(len(pool.media)) for _ in range(media_rows)]
    lessons = [_lesson(world, pool.media[i], rng) for i in drawn] + [world.text_lesson(rng) for _ in range(text_rows)]
    return lessons, [blur(embeddings[i], blank, rng) for i in drawn]


def blur(embedding: Embedding, blank: Embedding, rng: random.Random) -> Embedding:
    """Add noise, and put the blank's rows in place of some: what is shown must be read from all of the rows together.

    A model taught on clean embeddings alone reads one question off a few directions, and another off others; an
    embedding optimised for the first is then nothing to the second.
    """
    rows = embedding.rows
    noise = rng.uniform(0.0, 0.3) * rows.std() * torch.randn_like(rows)
    n_rows = min(len(embedding), len(blank))
    gone = torch.rand(n_rows) < rng.uniform(0.0, 0.3)
    blurred = rows + noise
    blurred[:n_rows] = torch.where(gone[:, None], blank.rows[:n_rows], blurred[:n_rows])
    return embedding.with_rows(blurred)


def lesson_loss(mllm: MLLM, lessons: Sequence[Lesson], shown: Sequence[Embedding]) -> Tensor:
    """Return the mean over lessons of the mean negative log-likelihood of their answers."""
    rows = iter(shown)
    prompts = [mllm.prompt_ids(x.prompt, len(next(rows)) if x.about_media else None) for x in lessons]
    batch = mllm.batch(prompts, [mllm.answer_ids(x.answer) for x in lessons])
    logits, targets, _ = mllm.answer_logits(batch, shown)
    weights = (1 / (batch.labels != IGNORED).sum(1)).repeat_interleave((batch.labels != IGNORED).sum(1))
    return (nn.functional.cross_entropy(logits, targets, reduction="none") * weights).sum() / len(lessons)


def examine(pupil: Pupil, mllm: MLLM, per_skill: int, seed: int) -> dict[str, float]:
    """Return, for each skill, the share of exact greedy answers about fresh renderings through the real encoder.

    Teacher-forced argmax equal to the answer at every token is the same as greedy decoding giving it.
    """
    rng = random.Random(seed)
    world = World(pupil.adapter)
    exact: dict[str, float] = {}
    for skill in (*World.SKILLS, "blank", "text"):
        media = [Medium(rng.choice(phrases()), rng.choice(pupil.adapter.styles)) for _ in range(per_skill)]
        if skill == "text":
            lessons, shown = [world.text_lesson(rng) for _ in media], []
        elif skill == "blank":
            lessons = [world.blank_lesson(rng) for _ in media]
            shown = mllm.encode([pupil.render_blank(rng) for _ in media])
        else:
            lessons = [world.lesson(skill, m.phrase, m.style, rng) for m in media if m.phrase]
            shown = mllm.encode([pupil.render(m.phrase.text, m.style, rng) for m in media if m.phrase])
        exact[skill] = sum(said_exactly(mllm, lessons, shown)) / len(lessons)
    return exact


@torch.no_grad()
def said_exactly(mllm: MLLM, lessons: Sequence[Lesson], shown: Sequence[Embedding]) -> list[bool]:
    """Tell for each lesson whether the greedy answer is the lesson's, token for token."""
    prompts = [mllm.prompt_ids(x.prompt, len(shown[i]) if x.about_media else None) for i, x in enumerate(lessons)]
    batch = mllm.batch(prompts, [mllm.answer_ids(x.answer) for x in lessons])
    logits, targets, row = mllm.answer_logits(batch, shown)
    wrong = torch.zeros(len(lessons)).index_add_(0, row, (logits.argmax(-1) != targets).float())
    return (wrong == 0).tolist()


def _lesson(world: World, medium: Medium, rng: random.Random) -> Lesson:
    if medium.phrase is None:
        return world.blank_lesson(rng)
    skill = rng.choices(World.SKILLS, weights=(18, 22, 18, 17, 21, 4))[0]
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
