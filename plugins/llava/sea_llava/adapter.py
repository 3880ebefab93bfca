"""The SEA adapter for LLaVA-1.5, 7B and 13B: one image, 576 vectors of E."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from sea_core.errors import DataError, ModelError
from sea_core.model.adapter import Adapter

if TYPE_CHECKING:
    from PIL.Image import Image
    from torch import nn


MAX_ASPECT_RATIO = 100
"""Longest side / shortest side. The processor scales the shortest side up: a thin image would take gigabytes."""


@dataclass(frozen=True)
class LlavaAdapter(Adapter):
    """Images through `LlavaForConditionalGeneration` (transformers >= 5.23).

    E is the hidden states of the vision tower's layer that the checkpoint selects (LLaVA-1.5: the last but one),
    without the class token if the checkpoint drops it: (576, 1024) for the 7B and 13B models.
    """

    modality: ClassVar[str] = "image"
    noun: ClassVar[str] = "image"
    architectures: ClassVar[tuple[str, ...]] = ("LlavaForConditionalGeneration",)
    checkpoint: ClassVar[str] = str(Path(__file__).parent / "checkpoint")
    embedding_shape: ClassVar[str] = "576 x 1024 (1.5, 7B and 13B)"
    placeholder: ClassVar[str] = "<image>"
    prefixes: ClassVar[Mapping[str, str]] = {"activity": "In the image,", "product": "The image features"}
    style_prefix: ClassVar[str] = "The style of the image is"
    styles: ClassVar[tuple[str, ...]] = ("photographic", "painted", "cartoon", "sketched", "vintage", "monochrome")
    blank_word: ClassVar[str] = "black"
    one_shape: ClassVar[bool] = True

    def in_language(self, code: str) -> Adapter:
        adapter = super().in_language(code)
        if code == "zh":
            vars(adapter)["checkpoint"] = str(Path(__file__).parent / "checkpoint_zh")
        return adapter

    def load(self, checkpoint: str, *, dtype: Any, device: str, revision: str | None = None) -> tuple[Any, Any]:
        from sea_core.model.checkpoint import load_transformers, read_config

        reject_packing(checkpoint, read_config(checkpoint, revision))
        return load_transformers(checkpoint, self.architectures, dtype=dtype, device=device, revision=revision)

    def blank_input(self, processor: Any) -> Image:
        from PIL import Image

        return Image.new("RGB", (image_side(processor),) * 2)

    def read_media(self, path: Path, processor: Any) -> Image:
        from sea_core.model.media_files import read_picture

        return read_picture(path)

    def inputs(self, processor: Any, texts: Sequence[str], media: Sequence[Any]) -> Mapping[str, Any]:
        for image in media:
            if max(image.size) > MAX_ASPECT_RATIO * min(image.size):
                raise DataError(
                    f"an image of {image.width} x {image.height} pixels is too thin: the model would only see a small "
                    "part of its middle",
                    hint=f"Crop or pad it: the longest side may be at most {MAX_ASPECT_RATIO} times the shortest.",
                )
        batch: Mapping[str, Any] = processor(text=list(texts), images=list(media), padding=True, return_tensors="pt")
        return dict(batch)

    def projector(self, model: Any) -> nn.Module:
        return self.backbone(model).get_submodule("multi_modal_projector")


def image_side(processor: Any) -> int:
    """Return the side of the model's square input, in pixels."""
    size = processor.image_processor.crop_size or processor.image_processor.size
    return int(size["height"])


def reject_packing(checkpoint: str, config: Mapping[str, Any]) -> None:
    """Raise ModelError for a related model that changes P(E) before the language model reads it.

    LLaVA-NeXT cuts an image into tiles. After the projector it drops the vectors of padding, and inserts a trained
    vector after each line of tiles.
    """
    architectures = config.get("architectures") or ["model of no named architecture"]
    packs = any(name.startswith(("LlavaNext", "LlavaOnevision")) for name in architectures)
    if packs or (config.get("vision_config") or {}).get("model_type") == "pixtral":
        raise ModelError(
            f"the checkpoint {checkpoint} is a {architectures[0]} that packs its image features with line breaks "
            "after the projector, which synthetic embeddings do not contain",
            hint="Give a LLaVA-1.5 checkpoint (LlavaForConditionalGeneration, one square image).",
        )
