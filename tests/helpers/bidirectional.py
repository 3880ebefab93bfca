"""A plugin for Gemma 3, whose media attend to themselves in both directions, and a tiny random model of it.

The tokenizer is the one of a bundled model. `CausalAdapter` is the adapter that forgets the attention.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sea_core import hookimpl
from sea_llava.adapter import LlavaAdapter

if TYPE_CHECKING:
    import torch
    from PIL.Image import Image

    from sea_core.model.mllm import MLLM

SIDE, N_TOKENS = 112, 16


class CausalAdapter(LlavaAdapter):
    """Images through Gemma 3, but a medium's tokens attend only to what comes before them: a wrong adapter."""

    architectures = ("Gemma3ForConditionalGeneration",)

    def load(self, checkpoint: str, *, dtype: Any, device: str, revision: str | None = None) -> tuple[Any, Any]:
        from sea_core.model.checkpoint import load_transformers

        return load_transformers(checkpoint, self.architectures, dtype=dtype, device=device, revision=revision)

    def blank_input(self, processor: Any) -> Image:
        from PIL import Image

        return Image.new("RGB", (SIDE, SIDE))

    def placeholders(self, n_features: int) -> int:
        return N_TOKENS

    def inputs(self, processor: Any, texts: Sequence[str], media: Sequence[Any]) -> Mapping[str, Any]:
        import numpy as np
        import torch

        expanded = [text.replace(self.placeholder, self.placeholder * N_TOKENS) for text in texts]
        batch = dict(processor.tokenizer(expanded, padding=True, return_tensors="pt"))
        is_medium = batch["input_ids"] == processor.tokenizer.convert_tokens_to_ids(self.placeholder)
        pixels = [torch.tensor(np.asarray(image.resize((SIDE, SIDE)))).permute(2, 0, 1) / 255 for image in media]
        return batch | {"pixel_values": torch.stack(pixels), "token_type_ids": is_medium.long()}


class BidirectionalAdapter(CausalAdapter):
    """The right one: the decoder learns which tokens are a medium's."""

    def backbone_inputs(self, model: Any, input_ids: Any, attention_mask: Any, grids: Any) -> Mapping[str, Any]:
        return {"token_type_ids": (input_ids == model.config.image_token_id).long()}


@hookimpl
def sea_adapters() -> list[BidirectionalAdapter]:
    return [BidirectionalAdapter()]


def bidirectional_model(adapter: CausalAdapter, dtype: torch.dtype) -> MLLM:
    """Return a random model, with weights far from zero: small ones hide what depends on what."""
    import torch
    from transformers import Gemma3Config, Gemma3ForConditionalGeneration

    from sea_core.model.mllm import MLLM

    llava = LlavaAdapter()
    _, processor = llava.load(llava.checkpoint, dtype=torch.float32, device="cpu")
    tokenizer = processor.tokenizer
    text = {"vocab_size": len(tokenizer), "hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 4}
    windows = {"layer_types": ["sliding_attention", "full_attention"] * 2, "sliding_window": 24}
    vision = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 4}
    config = Gemma3Config(
        text_config=text | {"num_attention_heads": 4, "num_key_value_heads": 2, "head_dim": 8} | windows,
        vision_config=vision | {"image_size": SIDE, "patch_size": 14},
        mm_tokens_per_image=N_TOKENS,
        image_token_id=tokenizer.convert_tokens_to_ids(adapter.placeholder),
    )
    torch.manual_seed(0)
    model = Gemma3ForConditionalGeneration(config).eval().requires_grad_(False)
    for parameter in model.parameters():
        parameter.data.add_(0.05 * torch.randn_like(parameter))
    return MLLM(adapter, model.to(dtype), processor)


def save_bidirectional_model(folder: Path) -> None:
    """Write such a model as a checkpoint."""
    import torch

    model = bidirectional_model(BidirectionalAdapter(), torch.float32)
    model.model.save_pretrained(folder)
    model.processor.save_pretrained(folder)
