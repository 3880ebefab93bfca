"""The small Qwen2-VL: a new vision transformer and merger in front of the real SmolLM2-135M-Instruct, for real text.

It sees the demo world only, but its language model is real: text that nobody taught it can be a target.
"""

from __future__ import annotations

from typing import Any

from torch import nn

from sea_core.model.mllm import MLLM
from sea_toy.graft import GraftedStudent
from sea_toy.qwen2_vl import tiny
from sea_toy.student import Lengths

LENGTHS = Lengths(clips=12, encoder_steps=1200, encoder_rows=48)


class SmallQwen2VLStudent(tiny.TinyQwen2VLStudent, GraftedStudent):
    """The demo world's pictures and videos, seen by a wider transformer in front of a language model that is there."""

    graft_lengths = LENGTHS

    def around(self, model: Any, tokenizer: Any) -> MLLM:
        """Return a Qwen2-VL with `model` (a Llama) as its language model: on plain text it says the same."""
        from transformers import Qwen2VLConfig, Qwen2VLForConditionalGeneration

        tokenizer.add_special_tokens({"additional_special_tokens": list(tiny.SPECIAL[3:])})
        model.resize_token_embeddings(len(tokenizer))
        own = model.config
        half = own.hidden_size // own.num_attention_heads // 2
        text = {
            name: getattr(own, name)
            for name in (
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
        }
        sections = [half // 4, half * 3 // 8, half - half // 4 - half * 3 // 8]
        rope = {"rope_type": "default", "rope_theta": own.rope_parameters["rope_theta"], "mrope_section": sections}
        config = Qwen2VLConfig(
            vision_config=tiny.vision_config(128, 4, 4, own.hidden_size),
            text_config=text | {"model_type": "qwen2_vl_text", "vocab_size": len(tokenizer), "rope_parameters": rope},
            tie_word_embeddings=False,
            **tiny.token_ids(tokenizer),
        )
        whole = Qwen2VLForConditionalGeneration(config)
        move_without_bias(whole, model)
        return MLLM(self.adapter, whole, tiny.build_processor(tokenizer))


def move_without_bias(whole: Any, model: Any) -> None:
    """Give `whole` the weights of a language model whose attention has no bias; this family's has one, so it is 0."""
    language = whole.model.language_model
    missing, unexpected = language.load_state_dict(model.model.state_dict(), strict=False)
    assert not unexpected
    for name in missing:
        assert name.endswith(".bias"), name
        nn.init.zeros_(language.get_parameter(name))
    whole.lm_head.load_state_dict(model.lm_head.state_dict())
