"""Untrained models of the real classes, narrow enough for one core, in the proportions of the 7B checkpoints."""

from __future__ import annotations

import random
from argparse import ArgumentParser
from collections.abc import Callable
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

HIDDEN, LAYERS, HEADS = 512, 8, 8
PREFIX, TEXT, ANSWER = 35, 40, 20
"""Tokens before the media, after the media per goal, and of these in the answer."""
TEXT_CONFIG = {"hidden_size": HIDDEN, "num_hidden_layers": LAYERS, "num_attention_heads": HEADS}


def llava() -> tuple[MLLM, Embedding]:
    """576 feature vectors; the head takes 2 % of the decoder's products, as in the 7B."""
    text = TEXT_CONFIG | {"model_type": "llama", "intermediate_size": 1376, "vocab_size": 1000}
    tower = {"model_type": "clip_vision_model", "hidden_size": 128, "num_hidden_layers": 1, "num_attention_heads": 2}
    adapter, processor = bundled_processor("llava", "image")
    config = LlavaConfig(
        vision_config=tower | {"intermediate_size": 128, "image_size": 336, "patch_size": 14},
        text_config=text,
        image_token_index=processor.image_token_id,
    )
    return MLLM(adapter, LlavaForConditionalGeneration(config), processor), Embedding(torch.randn(576, 128))


def qwen2_audio() -> tuple[MLLM, Embedding]:
    """750 feature vectors, 30 seconds; the head takes 8 %."""
    adapter, processor = bundled_processor("qwen2_audio", "audio")
    text = TEXT_CONFIG | {"model_type": "qwen2", "num_key_value_heads": HEADS, "intermediate_size": 1376}
    config = Qwen2AudioConfig(
        audio_config={
            "model_type": "qwen2_audio_encoder",
            "d_model": 128,
            "encoder_layers": 1,
            "encoder_attention_heads": 2,
            "encoder_ffn_dim": 128,
        },
        text_config=text | {"vocab_size": 5000},
        audio_token_id=processor.tokenizer.convert_tokens_to_ids(adapter.placeholder),
    )
    return MLLM(adapter, Qwen2AudioForConditionalGeneration(config), processor), Embedding(torch.randn(750, 128))


def qwen2_vl() -> tuple[MLLM, Embedding]:
    """3,200 feature vectors, 800 tokens: 16 frames of 280 x 280; GQA, M-RoPE; the head takes 8 %."""
    adapter, processor = bundled_processor("qwen2_vl", "video")
    text = TEXT_CONFIG | {
        "model_type": "qwen2_vl_text",
        "num_key_value_heads": 2,
        "intermediate_size": 2688,
        "vocab_size": 5000,
        "rope_parameters": {"rope_type": "default", "rope_theta": 1e6, "mrope_section": [8, 12, 12]},
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
    vision = {"embed_dim": 128, "depth": 1, "num_heads": 2, "mlp_ratio": 1, "hidden_size": HIDDEN, "patch_size": 14}
    config = Qwen2VLConfig(vision_config=vision, text_config=text, **tokens)
    mllm = MLLM(adapter, Qwen2VLForConditionalGeneration(config), processor)
    return mllm, Embedding(torch.randn(3200, 128), (8, 20, 20))


FAMILIES: dict[str, Callable[[], tuple[MLLM, Embedding]]] = {
    "llava": llava,
    "qwen2_audio": qwen2_audio,
    "qwen2_vl": qwen2_vl,
}


def bundled_processor(plugin: str, modality: str) -> tuple[Any, Any]:
    """Return a plugin's adapter, and the processor of the model that it bundles."""
    _, adapter = loader.get_adapter(plugin, modality)
    return adapter, adapter.load(adapter.checkpoint, dtype=torch.float32, device="meta")[1]


def random_tasks(mllm: MLLM, start: Embedding, count: int) -> list[OptimizationTask]:
    """Return tasks of two goals each, made of random tokens."""
    rng = random.Random(0)

    def tokens(n: int) -> list[int]:
        return [rng.randrange(300, 500) for _ in range(n)]

    opening = [*tokens(PREFIX), *[mllm.placeholder_id] * mllm.adapter.placeholders(len(start))]
    return [
        OptimizationTask(
            f"example-{i}",
            tuple([*opening, *tokens(TEXT - ANSWER)] for _ in range(2)),
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
