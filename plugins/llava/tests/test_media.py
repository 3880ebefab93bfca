"""Image files: what the adapter reads and rejects, and what the bundled model answers."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from sea_core import DataError
from sea_core.model.mllm import MLLM

EXPECTED = {
    "steal-a-lamp-cartoon.png": ("activity", "In the image, a person is stealing a lamp.", "cartoon"),
    "polish-a-bike-sketched.png": ("activity", "In the image, a person is polishing a bike.", "sketched"),
    "a-stink-bomb-painted-large.png": ("product", "The image features a stink bomb.", "painted"),
}


def test_blank_input_is_black_and_has_the_models_size(mllm: MLLM) -> None:
    blank = mllm.adapter.blank_input(mllm.processor)
    assert (blank.size, blank.mode, blank.getextrema()) == ((80, 80), "RGB", ((0, 0),) * 3)
    assert mllm.blank().features.shape == (25, 96)


@pytest.mark.parametrize("name", EXPECTED)
def test_bundled_model_answers_about_content_and_style(mllm: MLLM, media: Path, name: str) -> None:
    kind, sentence, style = EXPECTED[name]
    (embedding,) = mllm.encode([mllm.adapter.read_media(media / name, mllm.processor)])
    questions = [f"Please briefly describe the {kind} in the image.", "What is the style of the image?"]
    answers = [mllm.detokenize(answer) for answer in mllm.generate(questions, [embedding] * 2)]
    assert answers == [sentence, f"The style of the image is {style}."]


def test_bundled_model_answers_that_the_blank_is_black(mllm: MLLM) -> None:
    (answer,) = mllm.generate(["What is going on in this image?"], [mllm.blank()])
    assert mllm.detokenize(answer) == "The image is black."


@pytest.mark.parametrize("ending", ["png", "jpg", "webp", "bmp", "gif", "tiff"])
@pytest.mark.parametrize("mode", ["RGB", "L", "P"])
def test_image_files_are_read_as_rgb(mllm: MLLM, tmp_path: Path, ending: str, mode: str) -> None:
    path = tmp_path / f"square.{ending}"
    made = Image.new("RGB", (40, 30), (200, 200, 200)).convert(mode, palette=Image.Palette.ADAPTIVE)
    (made.convert("RGB") if ending in ("jpg", "webp") else made).save(path)
    image = mllm.adapter.read_media(path, mllm.processor)
    assert (image.mode, image.size) == ("RGB", (40, 30))
    assert np.abs(np.asarray(image).astype(int) - 200).max() <= 6


def test_rotated_photo_is_read_upright(mllm: MLLM, tmp_path: Path) -> None:
    path = tmp_path / "rotated.jpg"
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.new("RGB", (40, 30)).save(path, exif=exif)
    assert mllm.adapter.read_media(path, mllm.processor).size == (30, 40)


@pytest.mark.parametrize(
    "content",
    [b"", b"Dear diary, this is a text.", None, b"\x89PNG\r\n\x1a\n\x00\x00"],
    ids=["empty", "text", "truncated", "header only"],
)
def test_file_that_is_not_an_image_is_rejected(mllm: MLLM, media: Path, tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "diary.png"
    path.write_bytes((media / "steal-a-lamp-cartoon.png").read_bytes()[:2000] if content is None else content)
    with pytest.raises(DataError, match="cannot be read as an image") as error:
        mllm.adapter.read_media(path, mllm.processor)
    assert error.value.where == str(path)
    assert "jpeg" in error.value.hint


def test_missing_file_is_rejected(mllm: MLLM, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="cannot be read as an image"):
        mllm.adapter.read_media(tmp_path / "none.png", mllm.processor)


def test_very_thin_image_is_rejected(mllm: MLLM) -> None:
    mllm.encode([Image.new("RGB", (1000, 10))])
    with pytest.raises(DataError, match="1001 x 10 pixels is too thin"):
        mllm.encode([Image.new("RGB", (1001, 10))])
