"""The bundled tiny LLaVA: 1.3 million weights of the real class, trained on the toy world's pictures."""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from PIL import Image
from torch import Tensor, full

from sea_core.model.mllm import MLLM
from sea_llava.adapter import LlavaAdapter
from sea_toy import pictures
from sea_toy.student import Student, TrainConfig
from sea_toy.tokenizer import train_tokenizer

SPECIAL = ("<pad>", "<s>", "</s>", "<image>")
TEMPLATE = (
    "{% for message in messages %}"
    "{% if message['role'] != 'system' %}{{ message['role'].upper() + ': ' }}{% endif %}"
    "{% for content in message['content'] | selectattr('type', 'equalto', 'image') %}{{ '<image>\n' }}{% endfor %}"
    "{% for content in message['content'] | selectattr('type', 'equalto', 'text') %}{{ content['text'] + ' ' }}"
    "{% endfor %}{% endfor %}{% if add_generation_prompt %}{{ 'ASSISTANT:' }}{% endif %}"
)
"""The chat template of LLaVA-1.5, whose tokenizer also puts <s> before the prompt."""
SIDE, PATCH = 80, 16
"""Pixels of the model's square input and of one patch: 25 vectors of E."""


class TinyLlavaStudent(Student):
    """A phrase in letters with a drawing, in six styles, with random offset, size, colour and noise."""

    plugin = "llava"
    adapter = LlavaAdapter()
    config = TrainConfig(encoder_steps=800, language_steps=1800)  # styles are learnt last

    def create(self, corpus: Iterable[str]) -> MLLM:
        from transformers import LlavaConfig, LlavaForConditionalGeneration

        corpus = (*corpus, "USER: ASSISTANT:")
        is_chinese = self.adapter.language == "zh"
        tokenizer = train_tokenizer(corpus, SPECIAL, end="</s>", pad="<pad>", begin="<s>", is_chinese=is_chinese)
        processor = build_processor(tokenizer, TEMPLATE)
        config = LlavaConfig(
            vision_config=tower_config(96, 4, 4),
            text_config={
                "model_type": "llama",
                "hidden_size": 128,
                "num_hidden_layers": 3,
                "num_attention_heads": 4,
                "num_key_value_heads": 4,
                "intermediate_size": 384,
                "vocab_size": len(tokenizer),
                "max_position_embeddings": 512,
                "tie_word_embeddings": False,
                "bos_token_id": tokenizer.bos_token_id,
                "eos_token_id": tokenizer.eos_token_id,
                "pad_token_id": tokenizer.pad_token_id,
            },
            image_token_index=processor.image_token_id,
            image_seq_length=(SIDE // PATCH) ** 2,
        )
        return MLLM(self.adapter, LlavaForConditionalGeneration(config), processor)

    def render(self, phrase: str, style: str, rng: random.Random) -> Image.Image:
        return pictures.draw(phrase, style, rng, SIDE)

    def render_blank(self, rng: random.Random) -> Image.Image:
        black = pictures.blank(SIDE)
        if rng.random() < 0.5:
            return black
        noise = np.random.default_rng(rng.getrandbits(32)).normal(0, rng.uniform(1, 6), (SIDE, SIDE, 3))
        return Image.fromarray(np.abs(noise).clip(0, 255).astype(np.uint8))

    def encoder_inputs(self, mllm: MLLM, media: Sequence[Any]) -> dict[str, Tensor]:
        return {"pixels": mllm.processor.image_processor(list(media), return_tensors="pt")["pixel_values"]}

    def encode(self, mllm: MLLM, inputs: dict[str, Tensor]) -> tuple[Tensor, Tensor]:
        """Encode as `LlavaModel.get_image_features` does before the projector: last layer but one, no class token."""
        tower: Any = mllm.model.get_submodule("model.vision_tower")
        states = tower(inputs["pixels"], output_hidden_states=True).hidden_states
        embedding: Tensor = states[mllm.model.config.vision_feature_layer][:, 1:]
        return embedding, full((len(embedding),), embedding.shape[1])


def build_processor(tokenizer: Any, template: str) -> Any:
    """Return a `LlavaProcessor` around the tokenizer, for squares of SIDE pixels."""
    from transformers import CLIPImageProcessorPil, LlavaProcessor

    return LlavaProcessor(
        image_processor=CLIPImageProcessorPil(size={"shortest_edge": SIDE}, crop_size={"height": SIDE, "width": SIDE}),
        tokenizer=tokenizer,
        patch_size=PATCH,
        vision_feature_select_strategy="default",
        num_additional_image_tokens=1,
        chat_template=template,
    )


def tower_config(width: int, layers: int, heads: int) -> dict[str, Any]:
    """Return a vision tower's configuration for squares of SIDE pixels; its last layer is not used, as in LLaVA-1.5."""
    return {
        "model_type": "clip_vision_model",
        "hidden_size": width,
        "num_hidden_layers": layers,
        "num_attention_heads": heads,
        "intermediate_size": 4 * width,
        "image_size": SIDE,
        "patch_size": PATCH,
        "projection_dim": width,
    }
