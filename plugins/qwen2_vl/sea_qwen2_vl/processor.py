"""The processor of both families: that of transformers if torchvision is installed, else the same without it.

Without torchvision, transformers has an image processor (with PIL) but no video processor, and builds no processor at
all. `FrameProcessor` is the video processor in numpy and PIL.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Annotated, Any

import numpy as np
from annotated_types import Gt
from typing_extensions import TypedDict

from sea_core.errors import ModelError
from sea_core.model import processor as processors
from sea_core.schema import check

Positive = Annotated[int, Gt(0)] | None


class VideoSettings(TypedDict, total=False):
    """The settings of videos in a checkpoint, as transformers names them."""

    size: Mapping[str, Positive] | None
    min_pixels: Positive
    max_pixels: Positive
    patch_size: Annotated[int, Gt(0)]
    merge_size: Annotated[int, Gt(0)]
    temporal_patch_size: Annotated[int, Gt(0)]
    min_frames: Annotated[int, Gt(0)]
    max_frames: Annotated[int, Gt(0)]
    max_video_tokens: Annotated[int, Gt(0)]
    image_mean: list[float]
    image_std: list[float]


class _Accepted:
    """Keywords that transformers passes on to the video processor."""

    cap_pixels_per_frame: bool


class FrameProcessor(processors.StandIn):
    """`Qwen2VLVideoProcessor` of transformers in numpy: from frames to `pixel_values_videos` and `video_grid_thw`.

    It does not sample frames, and limits the pixels of a frame as `cap_pixels_per_frame=True` does.
    """

    model_input_names = ("pixel_values_videos", "video_grid_thw")
    valid_kwargs = _Accepted

    def __init__(self, settings: VideoSettings) -> None:
        from transformers.image_utils import OPENAI_CLIP_MEAN, OPENAI_CLIP_STD

        size = dict(settings.get("size") or {})
        self.min_pixels = int(settings.get("min_pixels") or size.get("shortest_edge") or 128 * 28 * 28)
        self.max_pixels = int(settings.get("max_pixels") or size.get("longest_edge") or 768 * 28 * 28)
        self.patch_size = int(settings.get("patch_size", 14))
        self.merge_size = int(settings.get("merge_size", 2))
        self.temporal_patch_size = int(settings.get("temporal_patch_size", 2))
        self.min_frames = int(settings.get("min_frames", 4))
        self.max_frames = int(settings.get("max_frames", 768))
        self.max_video_tokens = int(settings.get("max_video_tokens", 128_000))
        self.mean = np.asarray(settings.get("image_mean", OPENAI_CLIP_MEAN), np.float32)
        self.std = np.asarray(settings.get("image_std", OPENAI_CLIP_STD), np.float32)

    def __call__(self, videos: Sequence[np.ndarray], return_tensors: str | None = None, **kwargs: Any) -> Any:
        """Return a BatchFeature for videos of shape (frames, height, width, 3), uint8."""
        from transformers import BatchFeature

        patches, grids = zip(*(self.make_patches(self.resize(video)) for video in videos), strict=True)
        data: dict[str, Any] = {"pixel_values_videos": np.concatenate(patches), "video_grid_thw": np.array(grids)}
        if kwargs.get("return_metadata"):
            data["video_metadata"] = kwargs["video_metadata"]
        return BatchFeature(data, tensor_type=return_tensors, skip_tensor_conversion=["video_metadata"])

    def resize(self, video: np.ndarray) -> np.ndarray:
        """Return the video at the model's input size, whose sides are multiples of a merged patch."""
        from PIL import Image
        from transformers.models.qwen2_vl.image_processing_pil_qwen2_vl import smart_resize

        factor = self.patch_size * self.merge_size
        total = int(self.max_video_tokens * factor * factor * 0.9)
        per_frame = total * self.temporal_patch_size // len(video)
        max_pixels = max(min(self.max_pixels, per_frame), int(self.min_pixels * 1.05))
        size = video.shape[1:3]
        height, width = smart_resize(*size, factor=factor, min_pixels=self.min_pixels, max_pixels=max_pixels)
        if (height, width) == size:
            return video
        frames = [Image.fromarray(f).resize((width, height), Image.Resampling.BICUBIC) for f in video]
        return np.stack([np.asarray(frame) for frame in frames])

    def make_patches(self, video: np.ndarray) -> tuple[np.ndarray, list[int]]:
        """Return (patches, 3 x temporal x side x side) in fp32, in the order of the merger's groups, and (t, h, w)."""
        if odd := -len(video) % self.temporal_patch_size:
            video = np.concatenate([video, *[video[-1:]] * odd])
        pixels = ((video * (1 / 255)).astype(np.float32) - self.mean) / self.std
        t, h, w = (
            n // s for n, s in zip(pixels.shape, (self.temporal_patch_size, *[self.patch_size] * 2), strict=False)
        )
        m, p = self.merge_size, self.patch_size
        parts = pixels.reshape(t, self.temporal_patch_size, h // m, m, p, w // m, m, p, 3)
        return parts.transpose(0, 2, 5, 3, 6, 8, 1, 4, 7).reshape(t * h * w, -1), [t, h, w]

    def to_dict(self) -> dict[str, Any]:
        """Return the settings under the names of transformers, as they are saved."""
        return {
            "video_processor_type": "Qwen2VLVideoProcessor",
            "size": {"shortest_edge": self.min_pixels, "longest_edge": self.max_pixels},
            "patch_size": self.patch_size,
            "merge_size": self.merge_size,
            "temporal_patch_size": self.temporal_patch_size,
            "min_frames": self.min_frames,
            "max_frames": self.max_frames,
            "image_mean": self.mean.tolist(),
            "image_std": self.std.tolist(),
        }


def load_processor(checkpoint: str, revision: str | None) -> Any:
    """Return the checkpoint's processor: that of transformers if torchvision is installed.

    Raises:
        ModelError: as `processor.load_processor` of the core, or a setting of the videos has another type.
    """
    processor = processors.load_processor(checkpoint, revision)
    videos = processor.video_processor
    if isinstance(videos, processors.AbsentPart):
        what, hint = "the settings of a processor", "Download or copy the checkpoint again."
        settings = check(videos.settings, VideoSettings, what=what, hint=hint, where=checkpoint, error=ModelError)
        processor.video_processor = FrameProcessor(settings)
    return processor


def frame_count(video_processor: Any, total: int, rate: float) -> int:
    """Return how many frames of a video to use: two a second, within the checkpoint's bounds."""
    step = int(video_processor.temporal_patch_size)
    fewest = math.ceil(min(int(video_processor.min_frames), total) / step) * step
    most = max(step, min(int(video_processor.max_frames), total) // step * step)
    return min(max(int(total / rate * 2) // step * step, fewest, step), most)
