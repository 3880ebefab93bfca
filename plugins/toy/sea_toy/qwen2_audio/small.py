"""The small Qwen2-Audio: a new audio tower and projector in front of the real SmolLM2-135M-Instruct, for real text.

It hears the demo world only, but its language model is real: text that nobody taught it can be a target.
"""

from __future__ import annotations

from typing import Any

from sea_core.model.mllm import MLLM
from sea_toy.graft import GraftedStudent
from sea_toy.language import move_into
from sea_toy.qwen2_audio import tiny

SPECIAL = ("<|AUDIO|>", "<|audio_bos|>", "<|audio_eos|>")


class SmallAudioStudent(tiny.TinyAudioStudent, GraftedStudent):
    """The demo world's speech, heard by a wider tower in front of a language model that is already there."""

    def around(self, model: Any, tokenizer: Any) -> MLLM:
        """Return a Qwen2-Audio with `model` (a causal language model) as its language model."""
        from transformers import Qwen2AudioConfig, Qwen2AudioForConditionalGeneration

        tokenizer.add_special_tokens({"additional_special_tokens": list(SPECIAL)})
        model.resize_token_embeddings(len(tokenizer))
        processor = tiny.build_processor(tokenizer)
        text = model.config.to_dict() | {"tie_word_embeddings": False}
        config = Qwen2AudioConfig(
            audio_config=tiny.encoder_config(128, 3, 4), text_config=text, audio_token_index=processor.audio_token_id
        )
        whole = Qwen2AudioForConditionalGeneration(config)
        move_into(whole, model)
        tiny.fill_positions(whole)
        return MLLM(self.adapter, whole, processor)
