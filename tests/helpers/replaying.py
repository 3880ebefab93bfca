"""The bundled families with adapters that replay: the same numbers as with splicing, by the other mechanism."""

from __future__ import annotations

from typing import Any

import numpy as np

from sea_core.model.crossing import Crossing, ReplaySeam
from sea_core.model.video_files import Video
from sea_llava.adapter import LlavaAdapter
from sea_qwen2_audio.adapter import Qwen2AudioAdapter
from sea_qwen2_vl.adapter import ImageAdapter, VideoAdapter


class ReplayedLlava(LlavaAdapter):
    def replay(self, model: Any) -> ReplaySeam:
        return ReplaySeam((Crossing("model.multi_modal_projector"),), ("model.vision_tower",))


class ReplayedAudio(Qwen2AudioAdapter):
    def replay(self, model: Any) -> ReplaySeam:
        return ReplaySeam((Crossing("model.multi_modal_projector"),), ("model.audio_tower",))

    def size(self, medium: Any, processor: Any) -> tuple[int, ...]:
        return (len(medium),)

    def medium_of(self, size: tuple[int, ...], processor: Any) -> Any:
        return np.zeros(size, np.float32)


class ReplayedImage(ImageAdapter):
    def replay(self, model: Any) -> ReplaySeam:
        return vision_seam(model)

    def size(self, medium: Any, processor: Any) -> tuple[int, ...]:
        return tuple(medium.size)

    def medium_of(self, size: tuple[int, ...], processor: Any) -> Any:
        from PIL import Image

        return Image.new("RGB", size)


class ReplayedVideo(VideoAdapter):
    def replay(self, model: Any) -> ReplaySeam:
        return vision_seam(model)

    def size(self, medium: Any, processor: Any) -> tuple[int, ...]:
        return tuple(medium.frames.shape[:3])

    def medium_of(self, size: tuple[int, ...], processor: Any) -> Any:
        return Video(np.zeros((*size, 3), np.uint8))


def vision_seam(model: Any) -> ReplaySeam:
    """The merger lies inside the encoder's module, so that the encoder's parts are named one by one."""
    blocks = [f"model.visual.blocks.{i}" for i in range(len(model.model.visual.blocks))]
    return ReplaySeam((Crossing("model.visual.merger"),), ("model.visual.patch_embed", *blocks))
