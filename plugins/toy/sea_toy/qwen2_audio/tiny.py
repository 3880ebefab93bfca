"""The bundled tiny Qwen2-Audio: 1.2 million weights of the real class, trained on the toy world's speech."""

from __future__ import annotations

import math
import random
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from sea_bench.build.generators.espeak import synthesize
from sea_core.model.mllm import MLLM
from sea_qwen2_audio.adapter import RATE, Qwen2AudioAdapter, count_features
from sea_toy.student import Student
from sea_toy.tokenizer import train_tokenizer

SPECIAL = ("<|endoftext|>", "<|im_start|>", "<|im_end|>", "<|AUDIO|>", "<|audio_bos|>", "<|audio_eos|>")
VOICES = ("en-us", "en", "en-us+m3", "en-gb-x-rp", "en-gb-scotland")
SECONDS = 2
"""Length of the tiny model's input. Clips are padded to it, so a short one costs as much as a long one."""


class TinyAudioStudent(Student):
    """Speech by espeak-ng in six styles and five voices, with random pitch, rate, loudness, noise and pauses."""

    plugin = "qwen2_audio"
    adapter = Qwen2AudioAdapter(seconds=SECONDS)

    def create(self, corpus: Iterable[str]) -> MLLM:
        from transformers import Qwen2AudioConfig, Qwen2AudioForConditionalGeneration

        processor = build_processor(train_tokenizer(corpus, SPECIAL, end="<|im_end|>", pad="<|endoftext|>"))
        config = Qwen2AudioConfig(
            audio_config=encoder_config(96, 3, 4),
            text_config={
                "model_type": "qwen2",
                "hidden_size": 128,
                "num_hidden_layers": 3,
                "num_attention_heads": 4,
                "num_key_value_heads": 4,
                "intermediate_size": 384,
                "vocab_size": len(processor.tokenizer),
                "eos_token_id": processor.tokenizer.eos_token_id,
                "max_position_embeddings": 512,
                "tie_word_embeddings": False,
            },
            audio_token_index=processor.audio_token_id,
        )
        model = Qwen2AudioForConditionalGeneration(config)
        fill_positions(model)
        return MLLM(self.adapter, model, processor)

    def render(self, phrase: str, style: str, rng: random.Random) -> np.ndarray:
        rate = {"hurried": 270, "slow": 105}.get(style, 170) * rng.uniform(0.95, 1.05)
        pitch = {"bright": 90, "deep": 8}.get(style, 50) + rng.uniform(-4, 4)
        voice = "en-us+whisper" if style == "whispered" else rng.choice(VOICES)
        wave = synthesize(phrase, voice=voice, rate=round(rate), pitch=round(pitch))
        before, after = (int(rng.uniform(0, 0.12) * RATE) for _ in range(2))
        wave = np.concatenate([np.zeros(before, np.float32), wave, np.zeros(after, np.float32)])[: SECONDS * RATE]
        wave = wave * 10 ** (rng.uniform(-4, 4) / 20)
        snr = rng.uniform(5, 10) if style == "noisy" else rng.uniform(30, 40)
        return add_noise(wave, snr, rng)

    def render_blank(self, rng: random.Random) -> np.ndarray:
        silence = np.zeros(int(rng.uniform(0.4, SECONDS) * RATE), np.float32)
        if rng.random() < 0.5:
            return silence
        noise = np.random.default_rng(rng.getrandbits(32)).standard_normal(len(silence), np.float32)
        return noise * np.float32(10 ** rng.uniform(-5, -3.5))

    def encoder_inputs(self, mllm: MLLM, media: Sequence[Any]) -> dict[str, Tensor]:
        batch = mllm.processor.feature_extractor(
            list(media), sampling_rate=RATE, return_attention_mask=True, padding="max_length", return_tensors="pt"
        )
        return {"mel": batch["input_features"], "frames": batch["attention_mask"].sum(-1)}

    def encode(self, mllm: MLLM, inputs: dict[str, Tensor]) -> tuple[Tensor, Tensor]:
        """Encode as `Qwen2AudioModel.forward` does: vectors of padding are masked in attention."""
        tower: Any = mllm.model.get_submodule("model.audio_tower")
        frames = inputs["frames"].long()
        length = inputs["mel"].shape[-1] // 2
        real = torch.arange(length) < ((frames - 1) // 2 + 1)[:, None]
        mask = torch.where(real, 0.0, torch.finfo(torch.float32).min)[:, None, None, :].expand(-1, 1, length, -1)
        embedding: Tensor = tower(inputs["mel"], attention_mask=mask).last_hidden_state
        return embedding, torch.tensor([count_features(int(n)) for n in frames])


def add_noise(wave: np.ndarray, snr: float, rng: random.Random) -> np.ndarray:
    """Add white noise at a signal-to-noise ratio in dB, by a seed drawn from `rng`."""
    noise = np.random.default_rng(rng.getrandbits(32)).standard_normal(len(wave), np.float32)
    power = float(np.mean(wave**2)) + 1e-9
    noisy: np.ndarray = wave + noise * np.float32(math.sqrt(power / 10 ** (snr / 10)))
    return noisy.astype(np.float32)


def build_processor(tokenizer: Any, seconds: int = SECONDS) -> Any:
    """Return a `Qwen2AudioProcessor` around the tokenizer, with 80 mel bands; all clips are padded to `seconds`."""
    from transformers import Qwen2AudioProcessor, WhisperFeatureExtractor

    extractor = WhisperFeatureExtractor(feature_size=80, chunk_length=seconds)
    return Qwen2AudioProcessor(feature_extractor=extractor, tokenizer=tokenizer)


def encoder_config(width: int, layers: int, heads: int) -> dict[str, Any]:
    """Return an audio tower's configuration for two-second clips."""
    return {
        "model_type": "qwen2_audio_encoder",
        "d_model": width,
        "encoder_layers": layers,
        "encoder_attention_heads": heads,
        "encoder_ffn_dim": 4 * width,
        "num_mel_bins": 80,
        "max_source_positions": SECONDS * 50,
    }


def fill_positions(model: Any) -> None:
    """Set the tower's position embeddings to sinusoids: a model built from a configuration has random, frozen ones."""
    weight = model.model.audio_tower.embed_positions.weight
    length, width = weight.shape
    angles = torch.arange(length)[:, None] * torch.exp(-math.log(10_000) * torch.arange(width // 2) / (width // 2 - 1))
    weight.data = 0.3 * torch.cat([angles.sin(), angles.cos()], dim=1)
