"""The tiny EEG model that is bundled: 0.4 million weights, taught to read the demo world in a minute."""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any
from zlib import crc32

import numpy as np
import torch
from torch import Tensor

from sea_core import MLLM
from sea_core.model.checkpoint import write_card
from sea_core.plugin.blueprint import Report
from sea_eeg.adapter import CHANNELS, RATE, EegAdapter
from sea_eeg.model import EegConfig, EegForCausalLM, EegProcessor
from sea_toy.build import save
from sea_toy.student import Student, TrainConfig
from sea_toy.tokenizer import train_tokenizer
from sea_toy.training import train

SPECIAL = ("<|pad|>", "<|end|>", "<|user|>", "<|assistant|>", "<|eeg|>")
CHAT = (
    "{% for m in messages %}<|{{ m.role }}|>{% if m.content is string %}{{ m.content }}{% else %}{% for part in "
    "m.content %}{{ '<|eeg|>' if part.type == 'eeg' else part.text }}{% endfor %}{% endif %}<|end|>{% endfor %}"
    "{% if add_generation_prompt %}<|assistant|>{% endif %}"
)
BANDS = (5, 9, 15, 23, 35)  # Hz: a channel's rhythm stands for a fifth of a word


class EegPupil(Student):
    """A phrase as rhythms: the first word's code on four channels, the rest's on the others; styles as moods."""

    plugin, adapter = "eeg", EegAdapter()
    lengths = TrainConfig(renderings=6, encoder_steps=150, language_steps=600)

    def create(self, corpus: Iterable[str]) -> MLLM:
        tokenizer = train_tokenizer(corpus, SPECIAL, end="<|end|>", pad="<|pad|>")
        tokenizer.chat_template = CHAT
        text = {
            "hidden_size": 96,
            "intermediate_size": 256,
            "num_hidden_layers": 2,
            "num_attention_heads": 4,
            "vocab_size": len(tokenizer),
            "max_position_embeddings": 256,
            "bos_token_id": None,
            "eos_token_id": tokenizer.eos_token_id,
            "pad_token_id": tokenizer.pad_token_id,
        }
        config = EegConfig(text_config=text, eeg_token_id=tokenizer.convert_tokens_to_ids("<|eeg|>"))
        return MLLM(self.adapter, EegForCausalLM(config), EegProcessor(tokenizer))

    def render(self, phrase: str, style: str, rng: random.Random) -> np.ndarray:
        first, _, rest = phrase.partition(" ")
        noise = np.random.default_rng(rng.getrandbits(32))
        time = np.arange(int(self.adapter.seconds * RATE)) / RATE
        hertz = np.array([*code(first), *code(rest)])[:, None] + noise.uniform(-0.5, 0.5, (CHANNELS, 1))
        waves = np.sin(2 * np.pi * (hertz * time + noise.random((CHANNELS, 1))))
        waves *= {"calm": 0.5, "alert": 2.0}.get(style, 1.0) * rng.uniform(0.9, 1.1)
        waves += noise.normal(0, 0.6 if style == "restless" else 0.05, waves.shape)
        if style == "drowsy":
            waves += 2 * np.sin(2 * np.pi * (1.5 * time + rng.random()))
        return waves.astype(np.float32)

    def render_blank(self, rng: random.Random) -> np.ndarray:
        flat = self.adapter.blank_input(None)
        hum = np.random.default_rng(rng.getrandbits(32)).normal(0, 0.02, flat.shape)
        return flat if rng.random() < 0.5 else hum.astype(np.float32)

    def features(self, mllm: MLLM, media: Sequence[Any]) -> dict[str, Tensor]:
        return {"signals": torch.from_numpy(np.stack(media))}

    def encode(self, mllm: MLLM, features: dict[str, Tensor]) -> tuple[Tensor, Tensor]:
        rows = mllm.model.model.encoder(features["signals"])
        return rows, torch.full((len(rows),), rows.shape[1])


def code(words: str) -> list[int]:
    """Return the rhythms of four channels that stand for some words."""
    number = crc32(words.encode())
    return [BANDS[number // len(BANDS) ** i % len(BANDS)] for i in range(CHANNELS // 2)]


def build(out: Path, seed: int, report: Report) -> None:
    """Teach and save the tiny model; about a minute on two cores."""
    pupil = EegPupil()
    save(train(pupil, seed, pupil.config, report), out)
    write_card(out, {"blueprint": "tiny", "seed": seed, "limits": "It knows the demo world only."})
