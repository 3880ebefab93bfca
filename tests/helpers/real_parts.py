"""A model of real parts (blueprint `real`) whose parts are tiny and random."""

from __future__ import annotations

import torch
from transformers import LlamaConfig, LlamaForCausalLM, Qwen2AudioEncoderConfig
from transformers.models.qwen2_audio.modeling_qwen2_audio import Qwen2AudioEncoder

from sea_core.model.mllm import MLLM
from sea_qwen2_audio.adapter import Qwen2AudioAdapter
from sea_toy.qwen2_audio import real, tiny
from sea_toy.tokenizer import train_tokenizer
from sea_toy.world import ToyWorld


def make_real_model() -> MLLM:
    """Return a model of the real class around a random language model and a random Whisper encoder."""
    torch.manual_seed(0)
    special = ("<|endoftext|>", "<|im_start|>", "<|im_end|>")
    corpus = ToyWorld(Qwen2AudioAdapter()).corpus()
    tokenizer = train_tokenizer(corpus, special, end="<|im_end|>", pad="<|im_end|>")
    config = LlamaConfig(
        hidden_size=32,
        num_hidden_layers=1,
        num_attention_heads=2,
        num_key_value_heads=1,
        intermediate_size=32,
        vocab_size=len(tokenizer),
    )
    tower = Qwen2AudioEncoder(Qwen2AudioEncoderConfig(**tiny.encoder_config(16, 1, 2) | {"max_source_positions": 1500}))
    return real.build_model(LlamaForCausalLM(config), tokenizer, tower.state_dict(), heads=2)
