"""Put an encoder in front of a real language model, in about a quarter of an hour on two cores.

Three phases: the encoder learns to tell the world's phrases apart (`teach.warm_up`); encoder and projector learn to
give, row by row, the token embeddings of a caption that the frozen language model can already read; then a short LoRA
teaches it the answers' form, and is merged.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from sea_core.adapter import Adapter
from sea_core.demo import teach
from sea_core.demo.teach import Lengths, Medium, Pool, Pupil, Report
from sea_core.demo.world import World
from sea_core.embedding import Embedding
from sea_core.mllm import MLLM
from sea_core.words import ing


@dataclass(frozen=True)
class Graft:
    """How long the last two phases last, and how many rows a step has."""

    caption_steps: int = 400
    caption_rows: int = 64
    lora_steps: int = 200
    media_rows: int = 7
    text_rows: int = 1
    rank: int = 16


def graft(pupil: Pupil, mllm: MLLM, seed: int, lengths: Lengths, times: Graft, report: Report) -> MLLM:
    """Teach an MLLM whose language model is real and whose encoder and projector are new."""
    torch.manual_seed(seed)
    rng = random.Random(seed)
    pool = teach.render_pool(pupil, mllm, lengths.clips, rng)
    report(f"{len(pool.media)} renderings")
    teach.warm_up(pupil, mllm, pool, lengths, report)
    learn_captions(pupil, mllm, pool, times, report)
    embeddings = teach.encode_pool(pupil, mllm, pool)
    learn_answers(mllm, World(pupil.adapter), pool, embeddings, times, rng, report)
    return mllm


def caption(medium: Medium, adapter: Adapter) -> str:
    """Return the few words that a medium's rows should stand for."""
    if medium.phrase is None:
        return adapter.blank_word
    said = medium.phrase.text
    if medium.phrase.kind == "activity":
        said = f"{ing(medium.phrase.head)} {medium.phrase.tail}"
    return f"{medium.style}: {said}"


def learn_captions(pupil: Pupil, mllm: MLLM, pool: Pool, times: Graft, report: Report) -> None:
    """Train encoder and projector so that row r of P(E) is the token embedding of the caption's token r.

    Rows after the caption stand for a line break. The language model is not run.
    """
    with torch.no_grad():
        longest = pupil.encode(mllm, pool.pick(torch.arange(1)))[0].shape[1]
    targets = _caption_tokens(mllm, pool, pupil.adapter, longest)
    used, targets = torch.unique(targets, return_inverse=True)
    words = mllm.model.get_input_embeddings().weight[used].detach().float()
    trained = [*teach.encoder_parameters(mllm), *mllm.projector.parameters()]
    for p in trained:
        p.requires_grad_(True)
    optimizer = torch.optim.AdamW(trained, lr=1e-3, weight_decay=0.01)
    rate = teach.schedule(optimizer, times.caption_steps)
    for step in range(times.caption_steps):
        index = torch.randint(len(pool.media), (times.caption_rows,))
        features, n_rows = pupil.encode(mllm, pool.pick(index))
        real = torch.arange(features.shape[1]) < n_rows[:, None]
        wanted = targets[index][:, : features.shape[1]][real]
        rows = mllm.projector(features)[real]
        cosine = nn.functional.normalize(rows, dim=-1) @ nn.functional.normalize(words, dim=-1).T
        near = (rows - words[wanted]).square().mean() / words.var()
        loss = nn.functional.cross_entropy(20 * cosine, wanted) + near
        teach.update(optimizer, rate, loss, trained)
        if step % 50 == 49:
            right = (cosine.argmax(-1) == wanted).float().mean().item()
            report(
                f"captions {step + 1}/{times.caption_steps}: loss {loss.item():.3f}, {right:.3f} of the tokens right"
            )
    mllm.model.requires_grad_(False)


def learn_answers(
    mllm: MLLM, world: World, pool: Pool, embeddings: list[Embedding], times: Graft, rng: random.Random, report: Report
) -> None:
    """Train a LoRA on the language model, and the projector, on the world's lessons; merge it."""
    from peft import LoraConfig, get_peft_model

    path = next(n for n, m in mllm.model.named_modules() if m is mllm.adapter.language_model(mllm.model))
    targets = rf"{path}\..*\.(q_proj|k_proj|v_proj|o_proj|gate_proj|up_proj|down_proj)"
    mllm.model.to(torch.bfloat16)  # the frozen weights: three times faster on a CPU that knows bf16
    mllm.projector.float()
    tuned: Any = get_peft_model(mllm.model, LoraConfig(r=times.rank, lora_alpha=2 * times.rank, target_modules=targets))
    trained = [p for p in tuned.parameters() if p.requires_grad]
    trained += [p.requires_grad_(True) for p in mllm.projector.parameters()]
    optimizer = torch.optim.AdamW(trained, lr=1e-3, weight_decay=0.0)
    rate = teach.schedule(optimizer, times.lora_steps)
    for step in range(times.lora_steps):
        lessons, shown = teach.draw_lessons(world, pool, embeddings, times.media_rows, times.text_rows, rng)
        loss = teach.lesson_loss(mllm, lessons, shown)
        teach.update(optimizer, rate, loss, trained)
        if step % 20 == 19:
            report(f"answers {step + 1}/{times.lora_steps}: loss {loss.item():.4f}")
    tuned.merge_and_unload()
    mllm.model.requires_grad_(False)


def _caption_tokens(mllm: MLLM, pool: Pool, adapter: Adapter, longest: int) -> Tensor:
    """Return the caption's token ids for each medium, filled up with line breaks: (media, longest)."""
    tokens = [mllm.tokenizer(caption(m, adapter), add_special_tokens=False)["input_ids"] for m in pool.media]
    (filler,) = mllm.tokenizer("\n", add_special_tokens=False)["input_ids"]
    return torch.tensor([(ids + [filler] * longest)[:longest] for ids in tokens])
