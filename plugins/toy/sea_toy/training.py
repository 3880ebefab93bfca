"""Train a tiny model of a real class on the toy world. About five minutes on two cores.

Two phases: the encoder alone learns to classify phrases and styles; then it is frozen, all renderings are encoded once,
and the projector and the language model learn to answer questions about the embeddings.
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
from sea_core.plugin.blueprint import ReportLine
from sea_toy.student import RenderingPool, Student, TrainConfig, TrainingState
from sea_toy.world import Skill, ToyWorld, TrainingSample

ENCODE_BATCH = 256
SKILL_WEIGHTS: dict[Skill, int] = {
    "content": 18,
    "style": 22,
    "verify": 18,
    "paraphrase": 17,
    "comply": 21,
    "decline": 4,
}


def train(student: Student, seed: int, config: TrainConfig, report: ReportLine) -> MLLM:
    """Create and train a tiny model. Reproducible by the seed as far as the student's renderings are."""
    torch.manual_seed(seed)
    rng = random.Random(seed)
    students = student.all_modalities
    mllm = student.create(sentence for each in students for sentence in each.world.corpus())
    states: list[TrainingState] = []
    for each in students:
        states.append(each.prepare(mllm, config.renderings, rng, report, states))
    train_encoder(states, config, report)
    for state in states:
        if state.pool.renderings:
            state.embeddings = encode_pool(state)
    train_language_model(states, config, rng, report)
    return mllm


def train_encoder(states: Sequence[TrainingState], config: TrainConfig, report: ReportLine) -> None:
    """Train the encoder alone: linear heads on the mean of E classify verb or product, object, and style.

    The loss stays at chance for some hundred steps and then falls quickly; do not stop it earlier.
    """
    mllm = states[0].mllm
    classifiers = [_ClassifierHeads(state) for state in states if state.pool.renderings]
    encoder = encoder_parameters(mllm)
    for p in encoder:
        p.requires_grad_(True)
    heads = [p for classifier in classifiers for p in classifier.heads.parameters()]
    optimizer = torch.optim.AdamW([*encoder, *heads], lr=1e-3, weight_decay=0.01)
    scheduler = make_scheduler(optimizer, max(1, config.encoder_steps))
    for step in range(config.encoder_steps):  # none where the encoder was trained before
        losses = [classifier.loss(config.encoder_batch) for classifier in classifiers]
        update(optimizer, scheduler, torch.stack(losses).sum(), encoder)
        if step % 50 == 49:
            report(f"encoder {step + 1}/{config.encoder_steps}: loss {_format_losses(losses, 3)}")
    mllm.model.requires_grad_(False)


class _ClassifierHeads:
    """Linear heads that classify the phrases and styles of one modality from the mean of E."""

    def __init__(self, state: TrainingState) -> None:
        self.state = state
        self.targets, sizes = _class_targets(state.pool, state.student.adapter)
        with torch.no_grad():
            width = state.encode(torch.arange(1))[0].shape[-1]
        self.heads = nn.ModuleList(nn.Linear(width, size) for size in sizes)

    def loss(self, batch_size: int) -> Tensor:
        """Return the cross-entropy of the heads, summed, on a random batch of renderings."""
        index = torch.randint(len(self.state.pool.renderings), (batch_size,))
        mean = _mean_features(*self.state.encode(index))
        targets = self.targets[index].T
        losses = [nn.functional.cross_entropy(head(mean), t) for head, t in zip(self.heads, targets, strict=True)]
        return torch.stack(losses).sum()


def encode_pool(state: TrainingState) -> list[Embedding]:
    """Return E of every rendering, without gradients."""
    embeddings: list[Embedding] = []
    with torch.no_grad():
        for index in torch.split(torch.arange(len(state.pool.renderings)), ENCODE_BATCH):
            inputs = state.pool.select(index)
            encoded, n_features = state.student.encode(state.mllm, inputs)
            grids = state.student.grids(inputs, len(index))
            embeddings += [
                Embedding(e[:n].clone(), g) for e, n, g in zip(encoded, n_features.tolist(), grids, strict=True)
            ]
    return embeddings


def train_language_model(
    states: Sequence[TrainingState], config: TrainConfig, rng: random.Random, report: ReportLine
) -> None:
    """Train the projector and the language model on questions about the embeddings, and on plain text."""
    mllm = states[0].mllm
    # A model with several encoders has a projector for each.
    projectors = {id(p): p for state in states for p in state.mllm.projector.parameters()}
    trained = [*projectors.values(), *mllm.language_parameters()]
    for p in trained:
        p.requires_grad_(True)
    optimizer = torch.optim.AdamW(trained, lr=1.5e-3, weight_decay=0.01)
    scheduler = make_scheduler(optimizer, config.language_steps)
    for step in range(config.language_steps):
        losses = []
        for state in states:
            media, text = (round(size * state.student.share) for size in (config.media_batch, config.text_batch))
            samples, embeddings = draw_samples(state, media, text, rng)
            losses.append(sample_loss(state.mllm, samples, embeddings))
        update(optimizer, scheduler, torch.stack(losses).mean(), trained)
        if step % 50 == 49:
            report(f"language {step + 1}/{config.language_steps}: loss {_format_losses(losses, 4)}")
    mllm.model.requires_grad_(False)


def _format_losses(losses: Sequence[Tensor], digits: int) -> str:
    return ", ".join(f"{loss.item():.{digits}f}" for loss in losses)


def draw_samples(
    state: TrainingState, media_batch: int, text_batch: int, rng: random.Random
) -> tuple[list[TrainingSample], list[Embedding]]:
    """Draw samples about perturbed embeddings, and samples in plain text. Returns them, and the embeddings."""
    world, blanks = state.world, [part.blank for part in state.parts()]
    drawn = [state.draw(rng) for _ in range(media_batch)]
    samples = [_draw_sample(world, rendering.phrase, rendering.style, rng) for rendering, _ in drawn]
    samples += [world.text_sample(rng) for _ in range(text_batch)]
    return samples, [
        state.join([perturb(part, blank, rng) for part, blank in zip(parts, blanks, strict=True)]) for _, parts in drawn
    ]


def perturb(embedding: Embedding, blank: Embedding, rng: random.Random) -> Embedding:
    """Add noise, and replace some vectors by the blank's, so that the model must read all vectors together.

    A model trained on clean embeddings alone answers each question from a few directions of its own. An embedding
    that is optimised for one question then means nothing for another.
    """
    features = embedding.features
    noise = rng.uniform(0.0, 0.3) * features.std() * torch.randn_like(features)
    n_features = min(len(embedding), len(blank))
    is_replaced = torch.rand(n_features) < rng.uniform(0.0, 0.3)
    perturbed = features + noise
    perturbed[:n_features] = torch.where(is_replaced[:, None], blank.features[:n_features], perturbed[:n_features])
    return embedding.with_features(perturbed)


def sample_loss(mllm: MLLM, samples: Sequence[TrainingSample], embeddings: Sequence[Embedding]) -> Tensor:
    """Return the negative log-likelihood of the answers: mean over the tokens of an answer, then over the samples."""
    remaining = iter(embeddings)
    prompts = [mllm.prompt_ids(s.prompt, next(remaining) if s.about_media else None) for s in samples]
    batch = mllm.batch(prompts, [mllm.answer_ids(s.answer) for s in samples])
    logits, targets, _ = mllm.answer_logits(batch, embeddings)
    n_targets = (batch.labels != IGNORE_INDEX).sum(1)
    weights = (1 / n_targets).repeat_interleave(n_targets)
    return (nn.functional.cross_entropy(logits, targets, reduction="none") * weights).sum() / len(samples)


def _draw_sample(world: ToyWorld, phrase: Any, style: str, rng: random.Random) -> TrainingSample:
    if phrase is None:
        return world.blank_sample(rng)
    (skill,) = rng.choices(tuple(SKILL_WEIGHTS), weights=tuple(SKILL_WEIGHTS.values()))
    return world.media_sample(skill, phrase, style, rng)


def _class_targets(pool: RenderingPool, adapter: Adapter) -> tuple[Tensor, list[int]]:
    """Return each rendering's class for the three heads, (renderings, 3), and the number of classes of each head."""
    labels = [(r.phrase.head, r.phrase.tail, r.style) if r.phrase else ("blank",) * 3 for r in pool.renderings]
    classes = [sorted({label[i] for label in labels}) for i in range(3)]
    targets = torch.tensor([[classes[i].index(label[i]) for i in range(3)] for label in labels])
    return targets, [len(names) for names in classes]


def encoder_parameters(mllm: MLLM) -> list[nn.Parameter]:
    """Return the parameters of M, without fixed position embeddings."""
    others = {id(p) for p in (*mllm.projector.parameters(), *mllm.language_parameters())}
    return [p for n, p in mllm.model.named_parameters() if id(p) not in others and "embed_positions" not in n]


def _mean_features(features: Tensor, n_features: Tensor) -> Tensor:
    is_real = (torch.arange(features.shape[1]) < n_features[:, None])[..., None]
    return (features * is_real).sum(1) / n_features[:, None]


def make_scheduler(optimizer: torch.optim.Optimizer, steps: int) -> torch.optim.lr_scheduler.LambdaLR:
    """Return a schedule: warm up over 20 steps, constant for a third of the steps, then linear down to 4 %."""

    def factor(step: int) -> float:
        return min((step + 1) / 20, 1.0, 0.04 + 0.96 * (steps - step) / (0.65 * steps))

    return torch.optim.lr_scheduler.LambdaLR(optimizer, factor)


def update(
    optimizer: torch.optim.Optimizer,
    scheduler: torch.optim.lr_scheduler.LambdaLR,
    loss: Tensor,
    clipped: Sequence[nn.Parameter],
) -> None:
    """Take one optimizer step; the gradient of the `clipped` parameters is clipped to norm 1."""
    optimizer.zero_grad()
    torch.autograd.backward(loss)
    nn.utils.clip_grad_norm_(clipped, 1.0)
    optimizer.step()
    scheduler.step()
