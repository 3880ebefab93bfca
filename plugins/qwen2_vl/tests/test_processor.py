"""The processor without torchvision gives what that of transformers gives, wherever that runs."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from transformers import AutoImageProcessor, Qwen2VLImageProcessorPil

from sea_core.model.processor import PART_FILES, PROCESSOR_FILE
from sea_qwen2_vl.adapter import ImageAdapter
from sea_qwen2_vl.processor import FrameProcessor, frame_count, load_processor

SETTINGS = {"min_pixels": 56**2, "max_pixels": 200**2}
CHECKPOINT = ImageAdapter.checkpoint


@pytest.mark.parametrize("side", [(56, 56), (84, 140), (61, 83), (333, 201), (28, 300)])
def test_still_video_equals_the_picture_of_transformers(side: tuple[int, int]) -> None:
    """The image processor of transformers repeats a picture to fill a time step, like two equal frames."""
    picture = np.random.default_rng(0).integers(0, 256, (*side, 3), dtype=np.uint8)
    image = Qwen2VLImageProcessorPil(**SETTINGS)(Image.fromarray(picture), return_tensors="pt")
    video = FrameProcessor(SETTINGS)([np.stack([picture, picture])], return_tensors="pt")
    assert torch.equal(video["video_grid_thw"], image["image_grid_thw"])
    assert video["pixel_values_videos"].dtype == torch.float32
    assert torch.equal(video["pixel_values_videos"], image["pixel_values"])


def test_time_step_has_two_frames_and_an_odd_one_is_repeated() -> None:
    frames = FrameProcessor(SETTINGS)
    video = np.random.default_rng(1).integers(0, 256, (5, 56, 84, 3), dtype=np.uint8)
    odd = frames([video], return_tensors="pt")
    even = frames([np.concatenate([video, video[-1:]])], return_tensors="pt")
    assert odd["video_grid_thw"].tolist() == [[3, 4, 6]]
    assert torch.equal(odd["pixel_values_videos"], even["pixel_values_videos"])
    parts = odd["pixel_values_videos"].view(3, 24, 3, 2, 14, 14)
    raw = (torch.tensor(video[2, :14, :14]).permute(2, 0, 1) / 255 - torch.tensor(frames.mean)[:, None, None]) / (
        torch.tensor(frames.std)[:, None, None]
    )
    assert torch.allclose(parts[1, 0, :, 0], raw, atol=1e-6)


def test_long_video_has_fewer_pixels_in_each_frame() -> None:
    frames = FrameProcessor({"max_video_tokens": 100, **SETTINGS})
    assert frames.resize(np.zeros((2, 196, 196, 3), np.uint8)).shape == (2, 196, 196, 3)
    assert frames.resize(np.zeros((40, 196, 196, 3), np.uint8)).shape[1:3] == (56, 56)


@pytest.mark.parametrize(
    ("total", "rate", "count"),
    [(120, 24.0, 10), (6, 2.0, 6), (3, 25.0, 2), (1, 25.0, 2), (5, 25.0, 4), (9000, 25.0, 16)],
)
def test_two_frames_a_second_are_used(total: int, rate: float, count: int) -> None:
    assert frame_count(FrameProcessor({"max_frames": 16}), total, rate) == count


def test_text_and_token_types(bundled: tuple[Any, Any]) -> None:
    processor = bundled[1]
    text = "<|vision_start|><|video_pad|><|vision_end|>Hm?"
    batch = processor(text=[text], videos=[np.zeros((4, 56, 56, 3), np.uint8)], return_tensors="pt")
    assert batch["video_grid_thw"].tolist() == [[2, 4, 4]]
    assert batch["mm_token_type_ids"].tolist()[0][:10] == [0, *[2] * 8, 0]
    assert (batch["input_ids"] == processor.video_token_id).sum() == 8


def test_saved_processor_is_loaded(bundled: tuple[Any, Any], tmp_path: Path) -> None:
    bundled[1].save_pretrained(tmp_path)
    loaded = load_processor(str(tmp_path), None)
    assert loaded.video_processor.to_dict() == bundled[1].video_processor.to_dict()
    assert loaded.image_processor.size == bundled[1].image_processor.size
    assert loaded.tokenizer.get_vocab() == bundled[1].tokenizer.get_vocab()
    assert loaded.chat_template == bundled[1].chat_template
    assert AutoImageProcessor.from_pretrained(tmp_path).size == loaded.image_processor.size


def test_video_settings_are_found_as_in_transformers(tmp_path: Path) -> None:
    """Older checkpoints have one file for images and videos, newer ones nest it: the first file found counts."""
    folder = Path(shutil.copytree(CHECKPOINT, tmp_path / "model"))
    own, shared = (folder / file for file in PART_FILES["video_processor"])
    own.unlink()
    shared.write_text(json.dumps(json.loads(shared.read_text()) | {"max_frames": 5}))
    assert load_processor(str(folder), None).video_processor.max_frames == 5
    own.write_text(json.dumps({"max_frames": 7}))
    assert load_processor(str(folder), None).video_processor.max_frames == 7
    (folder / PROCESSOR_FILE).write_text(json.dumps({"video_processor": {"max_frames": 9}}))
    assert load_processor(str(folder), None).video_processor.max_frames == 9
