"""A tiny model of a family whose media attend to themselves in both directions, with the tokenizer of a bundled one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from sea_core.model.mllm import MLLM
from sea_core.plugin import loader
from sea_llava.adapter import LlavaAdapter

SIDE, N_TOKENS = 112, 16


class BidirectionalAdapter(LlavaAdapter):
    """Images through Gemma 3 as the contract can say it: without the media's attention to what comes after."""

    architectures = ("Gemma3ForConditionalGeneration",)

    def blank_input(self, processor: Any) -> Tensor:
        return torch.zeros(3, SIDE, SIDE)

    def placeholders(self, n_features: int) -> int:
        return N_TOKENS

    def inputs(self, processor: Any, texts: Sequence[str], media: Sequence[Any]) -> Mapping[str, Any]:
        expanded = [text.replace(self.placeholder, self.placeholder * N_TOKENS) for text in texts]
        batch = dict(processor.tokenizer(expanded, padding=True, return_tensors="pt"))
        is_medium = batch["input_ids"] == processor.tokenizer.convert_tokens_to_ids(self.placeholder)
        return batch | {"pixel_values": torch.stack(list(media)), "token_type_ids": is_medium.long()}

    def projector(self, model: Any) -> nn.Module:
        return model.model.multi_modal_projector


def bidirectional_model(dtype: torch.dtype) -> MLLM:
    """Return a random model, with weights far from zero: small ones hide what depends on what."""
    from transformers import Gemma3Config, Gemma3ForConditionalGeneration

    _, adapter = loader.get_adapter("llava")
    _, processor = adapter.load(adapter.checkpoint, dtype=torch.float32, device="cpu")
    tokenizer = processor.tokenizer
    text = {"vocab_size": len(tokenizer), "hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 4}
    vision = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 4}
    config = Gemma3Config(
        text_config=text | {"num_attention_heads": 4, "num_key_value_heads": 2, "head_dim": 8},
        vision_config=vision | {"image_size": SIDE, "patch_size": 14},
        mm_tokens_per_image=N_TOKENS,
        image_token_id=tokenizer.convert_tokens_to_ids(adapter.placeholder),
    )
    torch.manual_seed(0)
    model = Gemma3ForConditionalGeneration(config).eval().requires_grad_(False)
    for parameter in model.parameters():
        parameter.data.add_(0.05 * torch.randn_like(parameter))
    return MLLM(BidirectionalAdapter(), model.to(dtype), processor)
