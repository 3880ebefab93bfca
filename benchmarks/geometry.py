"""Untrained models of the real classes, narrow enough for one core, in the proportions of the 7B checkpoints."""

from __future__ import annotations

import random
from argparse import ArgumentParser
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from transformers import (
    LlavaConfig,
    LlavaForConditionalGeneration,
    Qwen2AudioConfig,
    Qwen2AudioForConditionalGeneration,
    Qwen2VLConfig,
    Qwen2VLForConditionalGeneration,
)

from sea_core.model.embedding import Embedding
from sea_core.model.mllm import MLLM
from sea_core.optimization.engine.types import OptimizationTask
from sea_core.plugin import loader

PREFIX, TEXT, ANSWER = 35, 40, 20
"""Tokens before the media, after the media per goal, and of these in the answer."""


@dataclass(frozen=True)
class Size:
    """The widths and depths of a model; `features` is the width of E."""

    hidden: int
    layers: int
    heads: int
    kv_heads: int
    mlp: int
    vocabulary: int
    features: int

    def text_config(self, model_type: str) -> dict[str, Any]:
        return {
            "model_type": model_type,
            "hidden_size": self.hidden,
            "num_hidden_layers": self.layers,
            "num_attention_heads": self.heads,
            "num_key_value_heads": self.kv_heads,
            "intermediate_size": self.mlp,
            "vocab_size": self.vocabulary,
        }


NARROW = {
    "llava": Size(512, 8, 8, 8, 1376, 1000, 128),
    "qwen2_audio": Size(512, 8, 8, 8, 1376, 5000, 128),
    "qwen2_vl": Size(512, 8, 8, 2, 2688, 5000, 128),
}
"""The head takes 2, 8 and 8 % of the decoder's products, as in the 7B models."""
FULL = {
    "llava": Size(4096, 32, 32, 32, 11008, 32064, 1024),
    "qwen2_audio": Size(4096, 32, 32, 32, 11008, 156032, 1280),
    "qwen2_vl": Size(3584, 28, 28, 4, 18944, 152064, 1280),
}
"""LLaVA-1.5-7B, Qwen2-Audio-7B and Qwen2-VL-7B, but for the encoder, which is not run."""

SMALL = {"llava": Size(896, 24, 14, 2, 4864, 151936, 1024)}
"""A language model of 0.5 B parameters."""
SIZES = {"narrow": NARROW, "small": SMALL, "7b": FULL}


def llava(size: Size) -> tuple[MLLM, Embedding]:
    """576 feature vectors."""
    tower = {"model_type": "clip_vision_model", "num_hidden_layers": 1, "num_attention_heads": 2}
    adapter, processor = bundled_processor("llava", "image")
    config = LlavaConfig(
        vision_config=tower
        | {"hidden_size": size.features, "intermediate_size": 128, "image_size": 336, "patch_size": 14},
        text_config=size.text_config("llama"),
        image_token_index=processor.image_token_id,
    )
    return MLLM(adapter, LlavaForConditionalGeneration(config), processor), Embedding(torch.randn(576, size.features))


def qwen2_audio(size: Size) -> tuple[MLLM, Embedding]:
    """750 feature vectors, 30 seconds."""
    adapter, processor = bundled_processor("qwen2_audio", "audio")
    config = Qwen2AudioConfig(
        audio_config={
            "model_type": "qwen2_audio_encoder",
            "d_model": size.features,
            "encoder_layers": 1,
            "encoder_attention_heads": 2,
            "encoder_ffn_dim": 128,
        },
        text_config=size.text_config("qwen2"),
        audio_token_id=processor.tokenizer.convert_tokens_to_ids(adapter.placeholder),
    )
    model = Qwen2AudioForConditionalGeneration(config)
    return MLLM(adapter, model, processor), Embedding(torch.randn(750, size.features))


def qwen2_vl(size: Size) -> tuple[MLLM, Embedding]:
    """3,200 feature vectors, 800 tokens: 16 frames of 280 x 280; GQA, M-RoPE."""
    adapter, processor = bundled_processor("qwen2_vl", "video")
    angles = size.hidden // size.heads // 2
    sections = [angles // 4, angles * 3 // 8, angles * 3 // 8]
    text = size.text_config("qwen2_vl_text") | {
        "rope_parameters": {"rope_type": "default", "rope_theta": 1e6, "mrope_section": sections},
    }
    tokens = {
        name: processor.tokenizer.convert_tokens_to_ids(token)
        for name, token in (
            ("image_token_id", "<|image_pad|>"),
            ("video_token_id", "<|video_pad|>"),
            ("vision_start_token_id", "<|vision_start|>"),
            ("vision_end_token_id", "<|vision_end|>"),
        )
    }
    vision = {"embed_dim": size.features, "depth": 1, "num_heads": 2, "mlp_ratio": 1, "patch_size": 14}
    config = Qwen2VLConfig(vision_config=vision | {"hidden_size": size.hidden}, text_config=text, **tokens)
    mllm = MLLM(adapter, Qwen2VLForConditionalGeneration(config), processor)
    return mllm, Embedding(torch.randn(3200, size.features), (8, 20, 20))


BUILDERS: dict[str, Callable[[Size], tuple[MLLM, Embedding]]] = {
    "llava": llava,
    "qwen2_audio": qwen2_audio,
    "qwen2_vl": qwen2_vl,
}


FAMILIES = {name: partial(build, NARROW[name]) for name, build in BUILDERS.items()}


def build_on(device: torch.device, name: str, size: Size) -> tuple[MLLM, Embedding]:
    """Build a random model of a family in bf16 on a device, and a random E."""
    dtype = torch.get_default_dtype()
    torch.set_default_dtype(torch.bfloat16)
    try:
        with device:
            mllm, start = BUILDERS[name](size)
    finally:
        torch.set_default_dtype(dtype)
    return mllm, start.with_features(start.features.to(device, torch.float32))


def bundled_processor(plugin: str, modality: str) -> tuple[Any, Any]:
    """Return a plugin's adapter, and the processor of the model that it bundles."""
    _, adapter = loader.get_adapter(plugin, modality)
    return adapter, adapter.load(adapter.checkpoint, dtype=torch.float32, device="meta")[1]


def random_tasks(mllm: MLLM, start: Embedding, count: int, text: int = TEXT) -> list[OptimizationTask]:
    """Return tasks of two goals each, of `text` random tokens after the media; those before it are always the same."""
    rng = random.Random(0)

    def tokens(n: int) -> list[int]:
        return [rng.randrange(300, 500) for _ in range(n)]

    opening = [*tokens(PREFIX), *[mllm.placeholder_id] * mllm.adapter.placeholders(len(start))]
    return [
        OptimizationTask(
            f"example-{i}",
            tuple([*opening, *tokens(text - ANSWER)] for _ in range(2)),
            (tokens(ANSWER), tokens(ANSWER)),
        )
        for i in range(count)
    ]


def parse_families(description: str | None) -> list[str]:
    """Return the families that the command line names; all by default."""
    parser = ArgumentParser(description=description)
    parser.add_argument("families", nargs="*", metavar="FAMILY", help=f"any of {', '.join(FAMILIES)}; default: all")
    families: list[str] = parser.parse_args().families
    if unknown := set(families) - set(FAMILIES):
        parser.error(f"unknown family: {', '.join(sorted(unknown))}")
    return families or list(FAMILIES)
