"""The bundled tiny LLaVA that answers in Chinese: the English one with new tokens, taught to answer in them."""

from __future__ import annotations

import random
from collections.abc import Iterable

from PIL import Image

from sea_core.model.mllm import MLLM
from sea_llava.adapter import LlavaAdapter
from sea_toy.chinese import ChineseWorld
from sea_toy.llava.tiny import TinyLlavaStudent
from sea_toy.student import TrainConfig
from sea_toy.world import ToyWorld


class ChineseLlavaStudent(TinyLlavaStudent):
    """The toy world's pictures, with their letters in English, and questions and answers in Chinese."""

    adapter = LlavaAdapter().in_language("zh")  # type: ignore[assignment]
    config = TrainConfig(renderings=5, encoder_steps=0, language_steps=600, media_batch=32, text_batch=6)
    has_small = False

    @property
    def world(self) -> ToyWorld:
        return ChineseWorld(self.adapter)

    def create(self, corpus: Iterable[str]) -> MLLM:
        """Return the bundled English model with an untrained embedding and head for another tokenizer."""
        import torch

        mllm = super().create(corpus)
        english, _ = LlavaAdapter().load(LlavaAdapter.checkpoint, dtype=torch.float32, device="cpu")
        of_tokens = ("embed_tokens", "lm_head")
        kept = {name: w for name, w in english.state_dict().items() if not any(part in name for part in of_tokens)}
        mllm.model.load_state_dict(kept, strict=False)
        return mllm

    def render(self, phrase: str, style: str, rng: random.Random) -> Image.Image:
        english = LlavaAdapter.styles[self.styles.index(style)]
        return super().render(phrase, english, rng)
