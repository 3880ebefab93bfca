"""A plugin in one file for Qwen3-VL, whose encoder reaches the language model in several ways ("DeepStack").

Use: sea plugins check ./deep_features.py --model FOLDER
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from sea_core import Adapter, Crossing, ReplaySeam, hookimpl


@dataclass(frozen=True)
class DeepFeaturesAdapter(Adapter):
    """Images. E is what the merger and the deep mergers are given, side by side."""

    side: int = 224
    """Width and height of the blank image in pixels."""

    modality: ClassVar[str] = "image"
    noun: ClassVar[str] = "image"
    architectures: ClassVar[tuple[str, ...]] = ("Qwen3VLForConditionalGeneration",)
    checkpoint: ClassVar[str] = "Qwen/Qwen3-VL-2B-Instruct"
    embedding_shape: ClassVar[str] = "196 x 4096 (2B, 224 x 224)"
    placeholder: ClassVar[str] = "<|image_pad|>"
    prefixes: ClassVar[Mapping[str, str]] = {"activity": "The image shows that", "product": "The image shows"}
    style_prefix: ClassVar[str] = "The style of the image is"
    styles: ClassVar[tuple[str, ...]] = ("photographic", "painted", "cartoon", "sketched", "vintage", "monochrome")
    blank_word: ClassVar[str] = "black"

    def blank_input(self, processor: Any) -> Any:
        return self.medium_of((self.side, self.side), processor)

    def read_media(self, path: Path, processor: Any) -> Any:
        from sea_core.model.media_files import read_picture

        return read_picture(path)

    def inputs(self, processor: Any, texts: Sequence[str], media: Sequence[Any]) -> Mapping[str, Any]:
        images = [[image] for image in media]
        return dict(processor(text=list(texts), images=images, padding=True, return_tensors="pt"))

    def projector(self, model: Any) -> Any:
        return model.model.visual.merger

    def replay(self, model: Any) -> ReplaySeam:
        visual = model.model.visual
        deep = [f"deepstack_merger_list.{i}" for i in range(len(visual.deepstack_merger_list))]
        blocks = [f"blocks.{i}" for i in range(len(visual.blocks))]
        return ReplaySeam(
            crossings=tuple(Crossing(f"model.visual.{name}") for name in ("merger", *deep)),
            skipped=tuple(f"model.visual.{name}" for name in ("patch_embed", *blocks)),
        )

    def size(self, medium: Any, processor: Any) -> tuple[int, ...]:
        return tuple(medium.size)

    def medium_of(self, size: tuple[int, ...], processor: Any) -> Any:
        from PIL import Image

        return Image.new("RGB", size)

    def other_size(self, processor: Any) -> Any:
        from sea_core.model.noise import noise_like

        return noise_like(self.medium_of((2 * self.side, self.side), processor))

    def end_token(self, processor: Any) -> str:
        return "<|im_end|>"


@hookimpl
def sea_adapters() -> list[DeepFeaturesAdapter]:
    return [DeepFeaturesAdapter()]
