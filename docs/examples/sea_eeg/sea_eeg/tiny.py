"""The bundled tiny EEG model: 0.4 million weights, trained on the toy world in a minute. It needs sea-toy."""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from sea_core import MLLM
from sea_core.model.checkpoint import write_card
from sea_core.plugin.blueprint import ReportLine
from sea_eeg import recordings
from sea_eeg.adapter import EegAdapter
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


class EegStudent(Student):
    """An untrained tiny model, and recordings of the toy world's phrases."""

    plugin, adapter = "eeg", EegAdapter()
    config = TrainConfig(renderings=6, encoder_steps=150, language_steps=600)

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
        return recordings.render(phrase, style, rng, self.adapter.seconds)

    def render_blank(self, rng: random.Random) -> np.ndarray:
        flat = self.adapter.blank_input(None)
        hum = np.random.default_rng(rng.getrandbits(32)).normal(0, 0.02, flat.shape)
        return flat if rng.random() < 0.5 else hum.astype(np.float32)

    def encoder_inputs(self, mllm: MLLM, media: Sequence[Any]) -> dict[str, Tensor]:
        return {"signals": torch.from_numpy(np.stack(media))}

    def encode(self, mllm: MLLM, inputs: dict[str, Tensor]) -> tuple[Tensor, Tensor]:
        features = mllm.model.model.encoder(inputs["signals"])
        return features, torch.full((len(features),), features.shape[1])


def build(out: Path, seed: int, report: ReportLine) -> None:
    """Train and save the tiny model; about a minute on two cores."""
    student = EegStudent()
    save(train(student, seed, student.config, report), out)
    write_card(out, {"blueprint": "tiny", "seed": seed, "limits": "It knows the toy world only."})
