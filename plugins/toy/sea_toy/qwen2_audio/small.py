"""The small Qwen2-Audio: a new audio tower and projector in front of the real SmolLM2-135M-Instruct, for real text.

The encoder knows the toy world only, but the language model is real: any text can be a target answer.
"""

from __future__ import annotations

from typing import Any

from sea_core.model.mllm import MLLM
from sea_toy.graft import GraftedStudent
from sea_toy.language import copy_weights
from sea_toy.qwen2_audio import tiny

SPECIAL = ("<|AUDIO|>", "<|audio_bos|>", "<|audio_eos|>")


class SmallAudioStudent(tiny.TinyAudioStudent, GraftedStudent):
    """The toy world's speech, a wider audio tower, and an existing language model."""

    def build_around(self, language_model: Any, tokenizer: Any) -> MLLM:
        """Return a Qwen2-Audio around a causal language model."""
        from transformers import Qwen2AudioConfig, Qwen2AudioForConditionalGeneration

        tokenizer.add_special_tokens({"additional_special_tokens": list(SPECIAL)})
        language_model.resize_token_embeddings(len(tokenizer))
        processor = tiny.build_processor(tokenizer)
        text = language_model.config.to_dict() | {"tie_word_embeddings": False}
        config = Qwen2AudioConfig(
            audio_config=tiny.encoder_config(128, 3, 4), text_config=text, audio_token_index=processor.audio_token_id
        )
        model = Qwen2AudioForConditionalGeneration(config)
        copy_weights(model, language_model)
        tiny.fill_positions(model)
        return MLLM(self.adapter, model, processor)
