"""Image and video files: decord and PyAV give the same frames, and other files are rejected."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import av
import decord
import numpy as np
import pytest
import torch
from PIL import Image

from sea_core import DataError
from sea_core.model import media_files
from sea_core.model import video_files as video
from sea_core.model.mllm import MLLM
from sea_core.model.video_files import Video, read_video, read_with_av, read_with_decord
from sea_qwen2_vl.adapter import ImageAdapter, VideoAdapter

RENDERED = ("steal a lamp", "cartoon")
SENTENCE = "a person is stealing a lamp"


def write_video(path: Path, frames: np.ndarray, rate: int) -> None:
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=rate, options={"crf": "10"})
        stream.height, stream.width, stream.pix_fmt = *frames.shape[1:3], "yuv420p"
        for frame in frames:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(frame)))
        container.mux(stream.encode())


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Thirteen frames, eight a second, each in another grey."""
    path = tmp_path_factory.mktemp("clip") / "greys.mp4"
    frames = np.stack([np.full((64, 128, 3), 15 * i + 20, np.uint8) for i in range(13)])
    write_video(path, frames, 8)
    return path


@pytest.mark.parametrize("wanted", [range(13), [0, 4, 8, 12], [5, 5, 6]], ids=["all", "four", "repeated"])
def test_decord_and_pyav_give_the_same_frames(clip: Path, wanted: Any) -> None:
    asked = []

    def select(total: int, rate: float) -> Any:
        asked.append((total, rate))
        return wanted

    by_decord, by_av = read_with_decord(clip, select), read_with_av(clip, select)
    assert asked == [(13, 8.0)] * 2
    assert by_decord.frames.dtype == by_av.frames.dtype == np.uint8
    assert np.array_equal(by_decord.frames, by_av.frames)
    assert by_decord.rate == by_av.rate == pytest.approx(8 * len(wanted) / 13)
    assert by_decord.frames.mean((1, 2, 3)) == pytest.approx([15 * i + 20 for i in wanted], abs=3)


@pytest.mark.parametrize("name", ["video.mp4", "greys"])
def test_adapter_reads_the_same_with_both(
    bundled: tuple[Any, Any], files: Path, clip: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = clip if name == "greys" else files / name
    read = []
    for found in (object(), None):
        monkeypatch.setattr(video, "find_spec", lambda _, found=found: found)
        read.append(VideoAdapter().read_media(path, bundled[1]))
    assert np.array_equal(read[0].frames, read[1].frames)
    assert len(read[0].frames) == (4 if name == "greys" else 6)


def test_decords_bridge_is_not_changed_and_any_is_accepted(clip: Path) -> None:
    plain = read_video(clip, lambda total, _: range(total))
    assert isinstance(decord.VideoReader(str(clip))[0], decord.nd.NDArray)
    decord.bridge.set_bridge("torch")
    try:
        bridged = read_video(clip, lambda total, _: range(total))
        assert isinstance(decord.VideoReader(str(clip))[0], torch.Tensor)
    finally:
        decord.bridge.reset_bridge()
    assert isinstance(bridged.frames, np.ndarray)
    assert np.array_equal(bridged.frames, plain.frames)


@pytest.mark.parametrize("read", [read_with_decord, read_with_av])
@pytest.mark.parametrize("content", [b"", b"Dear diary.", None], ids=["empty", "text", "truncated"])
def test_file_that_is_not_a_video_is_rejected(read: Any, content: bytes | None, clip: Path, tmp_path: Path) -> None:
    path = tmp_path / "diary.mp4"
    path.write_bytes(clip.read_bytes()[:300] if content is None else content)
    with pytest.raises(DataError, match="cannot be read as a video") as error:
        read(path, lambda total, _: range(total))
    assert error.value.where == str(path)
    assert "mp4" in error.value.hint


def test_missing_video_is_rejected(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no such file"):
        read_video(tmp_path / "none.mp4", lambda total, _: range(total))


@pytest.mark.parametrize("ending", ["png", "jpg", "webp", "bmp", "gif"])
def test_pictures_are_read_as_rgb(tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"picture.{ending}"
    Image.new("L", (40, 30), 200).save(path)
    image = ImageAdapter().read_media(path, None)
    assert (image.mode, image.size) == ("RGB", (40, 30))
    assert image.getpixel((3, 3)) == pytest.approx((200, 200, 200), abs=2)


@pytest.mark.parametrize("content", [b"", b"Dear diary.", b"\x89PNG\r\n\x1a\n\x00"], ids=["empty", "text", "truncated"])
def test_file_that_is_not_a_picture_is_rejected(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "diary.png"
    path.write_bytes(content)
    with pytest.raises(DataError, match="cannot be read as an image") as error:
        ImageAdapter().read_media(path, None)
    assert error.value.where == str(path)


def test_very_thin_media_are_rejected(bundled: tuple[Any, Any]) -> None:
    with pytest.raises(DataError, match="over 200 times"):
        MLLM(ImageAdapter(), *bundled).encode([Image.new("RGB", (1000, 4))])
    with pytest.raises(DataError, match="over 200 times"):
        MLLM(VideoAdapter(), *bundled).encode([Video(np.zeros((2, 3, 700, 3), np.uint8))])


def test_bundled_model_answers_about_content_and_style(mllm: MLLM, files: Path) -> None:
    noun = mllm.adapter.noun
    name = {"image": "image.png", "video": "video.mp4"}[noun]
    (embedding,) = mllm.encode([mllm.adapter.read_media(files / name, mllm.processor)])
    questions = [f"Please briefly describe the activity in the {noun}.", f"What is the style of the {noun}?"]
    answers = [mllm.detokenize(answer) for answer in mllm.generate(questions, [embedding] * 2)]
    assert answers == [f"The {noun} shows that {SENTENCE}.", f"The style of the {noun} is {RENDERED[1]}."]


def test_bundled_model_answers_that_the_blank_is_black(mllm: MLLM) -> None:
    noun = mllm.adapter.noun
    (answer,) = mllm.generate([f"What is going on in this {noun}?"], [mllm.blank()])
    assert mllm.detokenize(answer) == f"The {noun} is black."


def test_plugin_is_listed_without_heavy_imports() -> None:
    code = "from sea_core.plugin import loader; assert loader.get_plugin('qwen2_vl').adapters"
    code = f"import sys; {code}; print(*sys.modules)"
    process = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not {"torch", "transformers", "numpy", "PIL", "av", "decord"} & set(process.stdout.split())


@pytest.mark.parametrize("read", [read_with_av, read_with_decord])
def test_video_of_too_many_pixels_or_frames_is_refused(read: Any, clip: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, limit, words in [
        ("MAX_PIXELS", 6000, "128 x 64 pixels, and at most 6,000 are decoded"),
        ("MAX_FRAMES", 12, "more than 12 frames"),
        ("MAX_VIDEO_PIXELS", 50_000, "13 frames of 128 x 64 pixels"),
    ]:
        with monkeypatch.context() as patch:
            patch.setattr(media_files, name, limit)
            with pytest.raises(DataError, match=words):
                read(clip, lambda total, rate: range(total))


def test_photo_that_is_stored_turned_is_read_upright(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.new("RGB", (40, 30)).save(tmp_path / "turned.jpg", exif=exif)
    assert ImageAdapter().read_media(tmp_path / "turned.jpg", None).size == (30, 40)
