"""Put an encoder in front of a real language model, in about a quarter of an hour on two cores.

Three phases: the encoder learns to tell the world's phrases apart (`teach.warm_up`); encoder and projector learn to
give, row by row, the token embeddings of a caption that the frozen language model can already read; then a short LoRA
teaches it the answers' form, and is merged.
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
from sea_toy import teacher
from sea_toy.student import Lengths, Rendering, Report, Student, TrainedStudent, make_subject


@dataclass(frozen=True)
class Graft:
    """How long the last two phases last, and how many rows a step has."""

    caption_steps: int = 400
    caption_rows: int = 64
    lora_steps: int = 200
    media_rows: int = 7
    text_rows: int = 1
    rank: int = 16


class GraftedStudent(Student):
    """A pupil whose language model is there already."""

    graft_lengths: Lengths = Lengths(clips=6)

    @abstractmethod
    def around(self, model: Any, tokenizer: Any) -> MLLM:
        """Return a model of the family's class with `model`, a causal language model, in it; the rest is new."""


def graft(pupil: Student, mllm: MLLM, seed: int, lengths: Lengths, times: Graft, report: Report) -> MLLM:
    """Teach an MLLM whose language model is real and whose encoder and projector are new."""
    torch.manual_seed(seed)
    rng = random.Random(seed)
    subjects = [make_subject(pupil, mllm, lengths.clips, rng, report) for pupil in (pupil, *pupil.also)]
    teacher.warm_up(subjects, lengths, report)
    learn_captions(subjects, times, report)
    for subject in subjects:
        subject.embeddings = teacher.encode_pool(subject)
    learn_answers(subjects, times, rng, report)
    return mllm


def caption(medium: Rendering, adapter: Adapter) -> str:
    """Return the few words that a medium's rows should stand for."""
    if medium.phrase is None:
        return adapter.blank_word
    said = medium.phrase.text
    if medium.phrase.kind == "activity":
        said = f"{ing_form(medium.phrase.head)} {medium.phrase.tail}"
    return f"{medium.style}: {said}"


def learn_captions(subjects: Sequence[TrainedStudent], times: Graft, report: Report) -> None:
    """Train encoder and projector so that row r of P(E) is the token embedding of the caption's token r.

    Rows after the caption stand for a line break. The language model is not run.
    """
    mllm = subjects[0].mllm
    captions = [_Captions(subject) for subject in subjects]
    trained = [*teacher.encoder_parameters(mllm), *mllm.projector.parameters()]
    for p in trained:
        p.requires_grad_(True)
    optimizer = torch.optim.AdamW(trained, lr=1e-3, weight_decay=0.01)
    rate = teacher.schedule(optimizer, times.caption_steps)
    for step in range(times.caption_steps):
        looks = [one.look(times.caption_rows) for one in captions]
        teacher.update(optimizer, rate, torch.stack([loss for loss, _ in looks]).sum(), trained)
        if step % 50 == 49:
            told = "; ".join(f"loss {loss.item():.3f}, {right:.3f} of the tokens right" for loss, right in looks)
            report(f"captions {step + 1}/{times.caption_steps}: {told}")
    mllm.model.requires_grad_(False)


class _Captions:
    """What one subject's projected rows should be."""

    def __init__(self, subject: TrainedStudent) -> None:
        self.subject = subject
        with torch.no_grad():
            longest = subject.pupil.encode(subject.mllm, subject.pool.pick(torch.arange(1)))[0].shape[1]
        tokens = _caption_tokens(subject, subject.mllm.adapter.placeholders(longest))
        used, self.targets = torch.unique(tokens, return_inverse=True)
        self.words = subject.mllm.model.get_input_embeddings().weight[used].detach().float()

    def look(self, count: int) -> tuple[Tensor, float]:
        """Return the loss of `count` renderings, and the share of rows nearest to the right token."""
        mllm, words = self.subject.mllm, self.words
        index = torch.randint(len(self.subject.pool.media), (count,))
        features, n_rows = self.subject.pupil.encode(mllm, self.subject.pool.pick(index))
        real = torch.arange(features.shape[1]) < n_rows[:, None]
        lengths = [mllm.adapter.placeholders(int(n)) for n in n_rows]
        wanted = torch.cat([row[:n] for row, n in zip(self.targets[index], lengths, strict=True)])
        rows = mllm.projector(features[real][None]).flatten(0, -2)
        cosine = nn.functional.normalize(rows, dim=-1) @ nn.functional.normalize(words, dim=-1).T
        near = (rows - words[wanted]).square().mean() / words.var()
        loss = nn.functional.cross_entropy(20 * cosine, wanted) + near
        return loss, (cosine.argmax(-1) == wanted).float().mean().item()


def learn_answers(subjects: Sequence[TrainedStudent], times: Graft, rng: random.Random, report: Report) -> None:
    """Train a LoRA on the language model, and the projector, on the world's lessons; merge it."""
    from peft import LoraConfig, get_peft_model

    mllm = subjects[0].mllm
    path = next(n for n, m in mllm.model.named_modules() if m is mllm.adapter.language_model(mllm.model))
    targets = rf"{path}\..*\.(q_proj|k_proj|v_proj|o_proj|gate_proj|up_proj|down_proj)"
    mllm.model.to(fastest_cpu_dtype())  # the frozen weights
    mllm.projector.float()
    tuned: Any = get_peft_model(mllm.model, LoraConfig(r=times.rank, lora_alpha=2 * times.rank, target_modules=targets))
    trained = [p for p in tuned.parameters() if p.requires_grad]
    trained += [p.requires_grad_(True) for p in mllm.projector.parameters()]
    optimizer = torch.optim.AdamW(trained, lr=1e-3, weight_decay=0.0)
    rate = teacher.schedule(optimizer, times.lora_steps)
    for step in range(times.lora_steps):
        losses = []
        for subject in subjects:
            lessons, shown = teacher.draw_lessons(subject, times.media_rows, times.text_rows, rng)
            losses.append(teacher.lesson_loss(subject.mllm, lessons, shown))
        loss = torch.stack(losses).mean()
        teacher.update(optimizer, rate, loss, trained)
        if step % 20 == 19:
            report(f"answers {step + 1}/{times.lora_steps}: loss {loss.item():.4f}")
    tuned.merge_and_unload()
    mllm.model.requires_grad_(False)


def _caption_tokens(subject: TrainedStudent, longest: int) -> Tensor:
    """Return the caption's token ids for each medium, filled up with line breaks: (media, longest)."""
    tokenizer, adapter = subject.mllm.tokenizer, subject.pupil.adapter
    tokens = [tokenizer(caption(m, adapter), add_special_tokens=False)["input_ids"] for m in subject.pool.media]
    (filler,) = tokenizer("\n", add_special_tokens=False)["input_ids"]
    return torch.tensor([(ids + [filler] * longest)[:longest] for ids in tokens])
