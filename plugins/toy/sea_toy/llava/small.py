"""The small LLaVA: a new vision tower and projector in front of the real SmolLM2-135M-Instruct, for real text.

The encoder knows the toy world only, but the language model is real: any text can be a target answer.
"""

from __future__ import annotations

from typing import Any

from sea_core.model.mllm import MLLM
from sea_toy.graft import GraftedStudent
from sea_toy.language import copy_weights
from sea_toy.llava import tiny

TEMPLATE = (
    "{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\n' }}"
    "{% for content in message['content'] | selectattr('type', 'equalto', 'image') %}{{ '<image>\n' }}{% endfor %}"
    "{% for content in message['content'] | selectattr('type', 'equalto', 'text') %}{{ content['text'] }}{% endfor %}"
    "{{ '<|im_end|>\n' }}{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)


class SmallLlavaStudent(tiny.TinyLlavaStudent, GraftedStudent):
    """The toy world's pictures, a wider vision tower, and an existing language model."""

    def build_around(self, language_model: Any, tokenizer: Any) -> MLLM:
        """Return a LLaVA around a causal language model."""
        from transformers import LlavaConfig, LlavaForConditionalGeneration

        tokenizer.add_special_tokens({"additional_special_tokens": [self.adapter.placeholder]})
        language_model.resize_token_embeddings(len(tokenizer))
        processor = tiny.build_processor(tokenizer, TEMPLATE)
        config = LlavaConfig(
            vision_config=tiny.tower_config(128, 4, 4),
            text_config=language_model.config.to_dict() | {"tie_word_embeddings": False},
            image_token_index=processor.image_token_id,
            image_seq_length=(tiny.SIDE // tiny.PATCH) ** 2,
        )
        model = LlavaForConditionalGeneration(config)
        copy_weights(model, language_model)
        return MLLM(self.adapter, model, processor)
