"""Put a new encoder in front of a real language model, in about a quarter of an hour on two cores.

Three phases: the encoder learns to classify the toy world's phrases (`training.train_encoder`); encoder and projector
learn to produce, vector by vector, the token embeddings of a caption that the frozen language model can already read;
then a short LoRA training teaches the language model the form of the answers, and is merged.
"""

from __future__ import annotations

import random
from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from sea_core.extraction.english import ing_form
from sea_core.model.adapter import Adapter
from sea_core.model.mllm import MLLM
from sea_core.model.placement import fastest_cpu_dtype
from sea_core.plugin.blueprint import ReportLine
from sea_toy import training
from sea_toy.student import Rendering, Student, TrainConfig, TrainingState, prepare_training

COSINE_SCALE = 20
"""Inverse temperature of the caption loss."""


@dataclass(frozen=True)
class GraftConfig:
    """Lengths of the last two phases, batch sizes, and the LoRA rank."""

    caption_steps: int = 400
    caption_batch: int = 64
    lora_steps: int = 200
    media_batch: int = 7
    text_batch: int = 1
    rank: int = 16


class GraftedStudent(Student):
    """A student whose language model already exists. `encoder_config` sets the length of the encoder's phase."""

    encoder_config: TrainConfig = TrainConfig(renderings=6)

    @abstractmethod
    def build_around(self, language_model: Any, tokenizer: Any) -> MLLM:
        """Return a model of the family's class around a causal language model; encoder and projector are new."""


def graft(
    student: Student, mllm: MLLM, seed: int, encoder_config: TrainConfig, config: GraftConfig, report: ReportLine
) -> MLLM:
    """Train an MLLM whose language model is real and whose encoder and projector are new."""
    torch.manual_seed(seed)
    rng = random.Random(seed)
    states = [prepare_training(each, mllm, encoder_config.renderings, rng, report) for each in student.all_modalities]
    training.train_encoder(states, encoder_config, report)
    train_captions(states, config, report)
    for state in states:
        state.embeddings = training.encode_pool(state)
    train_answers(states, config, rng, report)
    return mllm


def make_caption(rendering: Rendering, adapter: Adapter) -> str:
    """Return the few words that the embedding of a rendering should stand for."""
    if rendering.phrase is None:
        return adapter.blank_word
    content = rendering.phrase.text
    if rendering.phrase.kind == "activity":
        content = f"{ing_form(rendering.phrase.head)} {rendering.phrase.tail}"
    return f"{rendering.style}: {content}"


def train_captions(states: Sequence[TrainingState], config: GraftConfig, report: ReportLine) -> None:
    """Train encoder and projector so that vector i of P(E) is the embedding of the caption's token i.

    Vectors after the caption stand for line breaks. The language model is not run.
    """
    mllm = states[0].mllm
    captions = [_CaptionTargets(state) for state in states]
    trained = [*training.encoder_parameters(mllm), *mllm.projector.parameters()]
    for p in trained:
        p.requires_grad_(True)
    optimizer = torch.optim.AdamW(trained, lr=1e-3, weight_decay=0.01)
    scheduler = training.make_scheduler(optimizer, config.caption_steps)
    for step in range(config.caption_steps):
        results = [targets.loss(config.caption_batch) for targets in captions]
        training.update(optimizer, scheduler, torch.stack([loss for loss, _ in results]).sum(), trained)
        if step % 50 == 49 or step + 1 == config.caption_steps:
            summary = "; ".join(f"loss {loss.item():.3f}, token accuracy {right:.3f}" for loss, right in results)
            report(f"captions {step + 1}/{config.caption_steps}: {summary}")
    mllm.model.requires_grad_(False)


class _CaptionTargets:
    """The token embeddings that P(E) of one modality should match.

    Attributes:
        targets: the index of the right token embedding for each rendering and position.
        token_embeddings: those of all tokens that occur in captions.
    """

    def __init__(self, state: TrainingState) -> None:
        self.state = state
        with torch.no_grad():
            n_features = state.encode(torch.arange(1))[0].shape[1]
        tokens = _caption_features(state, state.mllm.adapter.placeholders(n_features))
        used, self.targets = torch.unique(tokens, return_inverse=True)
        self.token_embeddings = state.mllm.model.get_input_embeddings().weight[used].detach().float()

    def loss(self, batch_size: int) -> tuple[Tensor, float]:
        """Return the loss on a random batch of renderings, and the ratio of vectors nearest to the right token."""
        mllm, tokens = self.state.mllm, self.token_embeddings
        index = torch.randint(len(self.state.pool.renderings), (batch_size,))
        features, n_features = self.state.encode(index)
        is_real = torch.arange(features.shape[1]) < n_features[:, None]
        lengths = [mllm.adapter.placeholders(int(n)) for n in n_features]
        targets = torch.cat([row[:n] for row, n in zip(self.targets[index], lengths, strict=True)])
        projected = mllm.projector(features[is_real][None]).flatten(0, -2)
        cosine = nn.functional.normalize(projected, dim=-1) @ nn.functional.normalize(tokens, dim=-1).T
        distance = (projected - tokens[targets]).square().mean() / tokens.var()
        loss = nn.functional.cross_entropy(COSINE_SCALE * cosine, targets) + distance
        return loss, (cosine.argmax(-1) == targets).float().mean().item()


def train_answers(states: Sequence[TrainingState], config: GraftConfig, rng: random.Random, report: ReportLine) -> None:
    """Train a LoRA on the language model, and the projector, on the toy world's questions; then merge it."""
    from peft import LoraConfig, get_peft_model

    mllm = states[0].mllm
    path = next(n for n, m in mllm.model.named_modules() if m is mllm.adapter.language_model(mllm.model))
    targets = rf"{path}\..*\.(q_proj|k_proj|v_proj|o_proj|gate_proj|up_proj|down_proj)"
    mllm.model.to(fastest_cpu_dtype())  # the frozen weights
    mllm.projector.float()
    lora = LoraConfig(r=config.rank, lora_alpha=2 * config.rank, target_modules=targets)
    peft_model: Any = get_peft_model(mllm.model, lora)
    trained = [p for p in peft_model.parameters() if p.requires_grad]
    trained += [p.requires_grad_(True) for p in mllm.projector.parameters()]
    optimizer = torch.optim.AdamW(trained, lr=1e-3, weight_decay=0.0)
    scheduler = training.make_scheduler(optimizer, config.lora_steps)
    for step in range(config.lora_steps):
        losses = []
        for state in states:
            samples, embeddings = training.draw_samples(state, config.media_batch, config.text_batch, rng)
            losses.append(training.sample_loss(state.mllm, samples, embeddings))
        loss = torch.stack(losses).mean()
        training.update(optimizer, scheduler, loss, trained)
        if step % 20 == 19 or step + 1 == config.lora_steps:
            report(f"answers {step + 1}/{config.lora_steps}: loss {loss.item():.4f}")
    peft_model.merge_and_unload()
    mllm.model.requires_grad_(False)


def _caption_features(state: TrainingState, length: int) -> Tensor:
    """Return the caption's token ids for each rendering, filled up with line breaks: (renderings, length)."""
    tokenizer, adapter = state.mllm.text_tokenizer, state.student.adapter
    captions = [make_caption(rendering, adapter) for rendering in state.pool.renderings]
    tokens = [tokenizer.text_ids(caption) for caption in captions]
    (filler,) = tokenizer.text_ids("\n")
    return torch.tensor([(ids + [filler] * length)[:length] for ids in tokens])
