"""The SEA adapters for Qwen2-VL and Qwen2.5-VL: a vector of E for each patch of 14 x 14 pixels (and 2 frames)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from sea_core.errors import SeaError
from sea_qwen2_vl.vision import VisionAdapter, reject_thin

if TYPE_CHECKING:
    from sea_core.model.video_files import Video


@dataclass(frozen=True)
class ImageAdapter(VisionAdapter):
    """Images through Qwen2-VL and Qwen2.5-VL (transformers >= 5.23)."""

    modality: ClassVar[str] = "image"
    noun: ClassVar[str] = "image"
    embedding_shape: ClassVar[str] = "256 x 1280 (7B, 224 x 224)"
    placeholder: ClassVar[str] = "<|image_pad|>"
    prefixes: ClassVar[Mapping[str, str]] = {"activity": "The image shows that", "product": "The image shows"}
    style_prefix: ClassVar[str] = "The style of the image is"
    blank_word: ClassVar[str] = "black"
    grid_key: ClassVar[str] = "image_grid_thw"
    token_type: ClassVar[int] = 1

    def blank_input(self, processor: Any) -> Any:
        from PIL import Image

        return Image.new("RGB", (self.width, self.height))

    def read_media(self, path: Path, processor: Any) -> Any:
        from sea_core.model.media_files import read_picture

        return read_picture(path)

    def inputs(self, processor: Any, texts: Sequence[str], media: Sequence[Any]) -> Mapping[str, Any]:
        for image in media:
            reject_thin(image.height, image.width)
        batch = dict(processor(text=list(texts), images=list(media), padding=True, return_tensors="pt"))
        if "second_per_grid_ts" in processor.model_input_names:
            import torch

            batch["second_per_grid_ts"] = torch.zeros(0)  # no videos, but `split` sees that there are windows
        return batch


@dataclass(frozen=True)
class VideoAdapter(VisionAdapter):
    """Videos through Qwen2-VL and Qwen2.5-VL (transformers >= 5.23)."""

    frames: int = 8
    """Frames of the blank input, two a second; capped by the checkpoint's processor."""

    modality: ClassVar[str] = "video"
    noun: ClassVar[str] = "video"
    embedding_shape: ClassVar[str] = "1024 x 1280 (7B, 8 frames of 224 x 224)"
    placeholder: ClassVar[str] = "<|video_pad|>"
    prefixes: ClassVar[Mapping[str, str]] = {"activity": "The video shows that", "product": "The video shows"}
    style_prefix: ClassVar[str] = "The style of the video is"
    blank_word: ClassVar[str] = "black"
    grid_key: ClassVar[str] = "video_grid_thw"
    token_type: ClassVar[int] = 2

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 2 <= self.frames <= 768:
            raise SeaError(
                f"adapter.frames is {self.frames}, but a video has from 2 to 768 frames",
                hint="Type for example: -o adapter.frames=8",
            )

    def blank_input(self, processor: Any) -> Video:
        import numpy as np

        from sea_core.model.video_files import Video

        frames = min(self.frames, processor.video_processor.max_frames)
        return Video(np.zeros((frames, self.height, self.width, 3), np.uint8))

    def read_media(self, path: Path, processor: Any) -> Video:
        import numpy as np

        from sea_core.model.video_files import read_video
        from sea_qwen2_vl.processor import frame_count

        def select(total: int, rate: float) -> Sequence[int]:
            count = frame_count(processor.video_processor, total, rate)
            indices: list[int] = np.linspace(0, total - 1, count).round().tolist()
            return indices

        return read_video(path, select)

    def inputs(self, processor: Any, texts: Sequence[str], media: Sequence[Any]) -> Mapping[str, Any]:
        from transformers.video_utils import VideoMetadata

        for clip in media:
            reject_thin(*clip.frames.shape[1:3])
        metadata = [VideoMetadata(total_num_frames=len(c.frames), fps=c.rate) for c in media]
        batch = dict(
            processor(
                text=list(texts),
                videos=[c.frames for c in media],
                video_metadata=metadata,
                do_sample_frames=False,
                cap_pixels_per_frame=True,
                padding=True,
                return_tensors="pt",
            )
        )
        if "second_per_grid_ts" in batch:
            # To the millisecond, as the grid stores it.
            batch["second_per_grid_ts"] = (batch["second_per_grid_ts"] * 1000).round() / 1000
        return batch
