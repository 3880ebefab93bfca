"""The small Qwen2-VL: a new vision transformer and merger in front of the real SmolLM2-135M-Instruct, for real text.

The encoder knows the toy world only, but the language model is real: any text can be a target answer.
"""

from __future__ import annotations

from typing import Any

from torch import nn

from sea_core.model.mllm import MLLM
from sea_toy.graft import GraftedStudent
from sea_toy.qwen2_vl import tiny
from sea_toy.student import TrainConfig

ENCODER_CONFIG = TrainConfig(renderings=12, encoder_steps=1200, encoder_batch=48)


COPIED_SETTINGS = (
    "hidden_size",
    "intermediate_size",
    "num_hidden_layers",
    "num_attention_heads",
    "num_key_value_heads",
    "rms_norm_eps",
    "max_position_embeddings",
    "bos_token_id",
    "eos_token_id",
    "pad_token_id",
)
"""Settings of the Llama that the Qwen2-VL takes over."""


class SmallQwen2VLStudent(tiny.TinyQwen2VLStudent, GraftedStudent):
    """The toy world's pictures and videos, a wider vision transformer, and an existing language model."""

    encoder_config = ENCODER_CONFIG

    def build_around(self, language_model: Any, tokenizer: Any) -> MLLM:
        """Return a Qwen2-VL around a Llama, whose logits on plain text it keeps."""
        from transformers import Qwen2VLConfig, Qwen2VLForConditionalGeneration

        tokenizer.add_special_tokens({"additional_special_tokens": list(tiny.SPECIAL[3:])})
        language_model.resize_token_embeddings(len(tokenizer))
        config = Qwen2VLConfig(
            vision_config=tiny.vision_config(128, 4, 4, language_model.config.hidden_size),
            text_config=text_config(language_model.config, len(tokenizer)),
            tie_word_embeddings=False,
            **tiny.token_ids(tokenizer),
        )
        model = Qwen2VLForConditionalGeneration(config)
        copy_weights_without_bias(model, language_model)
        return MLLM(self.adapter, model, tiny.build_processor(tokenizer))


def text_config(llama: Any, vocabulary: int) -> dict[str, Any]:
    """Return the configuration of a Qwen2-VL language model that computes what a Llama computes on plain text."""
    half = llama.hidden_size // llama.num_attention_heads // 2
    sections = [half // 4, half * 3 // 8, half - half // 4 - half * 3 // 8]
    rope = {"rope_type": "default", "rope_theta": llama.rope_parameters["rope_theta"], "mrope_section": sections}
    copied = {name: getattr(llama, name) for name in COPIED_SETTINGS}
    return copied | {"model_type": "qwen2_vl_text", "vocab_size": vocabulary, "rope_parameters": rope}


def copy_weights_without_bias(mllm: Any, language_model: Any) -> None:
    """Copy the weights of a Llama. Its attention has no biases; Qwen2-VL's has, which are set to zero."""
    decoder = mllm.model.language_model
    missing, unexpected = decoder.load_state_dict(language_model.model.state_dict(), strict=False)
    assert not unexpected
    for name in missing:
        assert name.endswith(".bias"), name
        nn.init.zeros_(decoder.get_parameter(name))
    mllm.lm_head.load_state_dict(language_model.lm_head.state_dict())
