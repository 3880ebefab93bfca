"""What the adapter reads, what it refuses, and what the bundled model sees."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from sea_core import DataError
from sea_core.model.mllm import MLLM
from sea_toy import pictures
from sea_toy.evaluation import evaluate
from sea_toy.llava.tiny import TinyLlavaStudent

SEEN = {
    "steal-a-lamp-cartoon.png": ("activity", "In the image, a person is stealing a lamp.", "cartoon"),
    "polish-a-bike-sketched.png": ("activity", "In the image, a person is polishing a bike.", "sketched"),
    "a-stink-bomb-painted-large.png": ("product", "The image features a stink bomb.", "painted"),
}


def test_the_blank_is_black_and_as_large_as_the_model_sees(mllm: MLLM) -> None:
    blank = mllm.adapter.blank_input(mllm.processor)
    assert (blank.size, blank.mode, blank.getextrema()) == ((80, 80), "RGB", ((0, 0),) * 3)
    assert mllm.blank().features.shape == (25, 96)


@pytest.mark.parametrize("name", SEEN)
def test_the_bundled_model_sees_content_and_style(mllm: MLLM, media: Path, name: str) -> None:
    kind, sentence, style = SEEN[name]
    (embedding,) = mllm.encode([mllm.adapter.read_media(media / name, mllm.processor)])
    questions = [f"Please briefly describe the {kind} in the image.", "What is the style of the image?"]
    said = [mllm.detokenize(answer) for answer in mllm.generate(questions, [embedding] * 2)]
    assert said == [sentence, f"The style of the image is {style}."]


def test_the_bundled_model_sees_what_it_has_never_seen(mllm: MLLM) -> None:
    """A single picture proves little: about one in two hundred is misread, of products one in thirty."""
    exact = evaluate(TinyLlavaStudent(), mllm, per_skill=100, seed=99)
    assert min(exact["content"], exact["style"], exact["verify"]) >= 0.95, exact


def test_the_bundled_model_sees_that_the_blank_is_black(mllm: MLLM) -> None:
    said = mllm.generate(["What is going on in this image?"], [mllm.blank()])[0]
    assert mllm.detokenize(said) == "The image is black."


@pytest.mark.parametrize("ending", ["png", "jpg", "webp", "bmp", "gif", "tiff"])
@pytest.mark.parametrize("mode", ["RGB", "L", "P"])
def test_image_files_are_read_as_rgb(mllm: MLLM, tmp_path: Path, ending: str, mode: str) -> None:
    path = tmp_path / f"square.{ending}"
    made = Image.new("RGB", (40, 30), (200, 200, 200)).convert(mode, palette=Image.Palette.ADAPTIVE)
    (made.convert("RGB") if ending in ("jpg", "webp") else made).save(path)
    image = mllm.adapter.read_media(path, mllm.processor)
    assert (image.mode, image.size) == ("RGB", (40, 30))
    assert np.abs(np.asarray(image).astype(int) - 200).max() <= 6


def test_a_turned_photo_is_read_upright(mllm: MLLM, tmp_path: Path) -> None:
    path = tmp_path / "turned.jpg"
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.new("RGB", (40, 30)).save(path, exif=exif)
    assert mllm.adapter.read_media(path, mllm.processor).size == (30, 40)


def torn(path: Path) -> bytes:
    pictures.draw("steal a lamp", "painted", random.Random(0), 64).save(path)
    return path.read_bytes()[:2000]


@pytest.mark.parametrize(
    "content",
    [lambda _: b"", lambda _: b"Dear diary, this is a text.", torn, lambda _: b"\x89PNG\r\n\x1a\n\x00\x00"],
    ids=["empty", "text", "torn", "head only"],
)
def test_a_file_that_is_not_an_image_is_refused(mllm: MLLM, tmp_path: Path, content: Callable[[Path], bytes]) -> None:
    path = tmp_path / "diary.png"
    path.write_bytes(content(path))
    with pytest.raises(DataError, match="cannot be read as an image") as error:
        mllm.adapter.read_media(path, mllm.processor)
    assert error.value.where == str(path)
    assert "jpeg" in error.value.hint


def test_a_file_that_is_not_there_is_refused(mllm: MLLM, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="cannot be read as an image"):
        mllm.adapter.read_media(tmp_path / "none.png", mllm.processor)


def test_an_image_like_a_thread_is_refused(mllm: MLLM) -> None:
    mllm.encode([Image.new("RGB", (1000, 10))])
    with pytest.raises(DataError, match="1001 x 10 pixels is too thin"):
        mllm.encode([Image.new("RGB", (1001, 10))])
