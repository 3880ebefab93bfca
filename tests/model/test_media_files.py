"""Media that are larger than any model reads are refused before they are decoded."""

from __future__ import annotations

import struct
import zlib
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
import soundfile
from PIL import Image

from sea_core.errors import DataError
from sea_core.model.media_files import is_upright, opened_picture, read_picture, read_sound


def header_of_png(width: int, height: int) -> bytes:
    """Return a PNG that promises pixels and has none."""
    header = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + struct.pack(">I", 13)
        + header
        + struct.pack(">I", zlib.crc32(header))
        + b"\0\0\0\0IDAT\0\0\0\0"
    )


@pytest.mark.parametrize(
    ("size", "words"),
    [
        ((9000, 9000), "9000 x 9000 pixels, and at most 50,000,000 are decoded"),
        ((10_000, 10_000), "10000 x 10000 pixels"),
        ((60_000, 60_000), "more than 50,000,000 pixels"),
        ((100, 100), "cannot be read as an image"),
    ],
)
def test_size_of_a_picture_is_read_before_its_pixels(tmp_path: Path, size: tuple[int, int], words: str) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(header_of_png(*size))
    with pytest.raises(DataError, match=words) as caught:
        read_picture(path)
    assert caught.value.where == str(path)
    assert caught.value.hint


@pytest.mark.parametrize("orientation", [0, 1, 3, 6, 8, 9])
def test_picture_that_is_stored_turned_is_read_upright(tmp_path: Path, orientation: int) -> None:
    exif, photo = Image.Exif(), Image.new("RGB", (48, 32))
    photo.paste("white", (0, 0, 16, 16))  # its upper left corner, as it is stored
    exif[0x0112] = orientation
    photo.save(tmp_path / "photo.jpg", exif=exif)
    size, corner = {3: ((48, 32), (40, 24)), 6: ((32, 48), (24, 8)), 8: ((32, 48), (8, 40))}.get(
        orientation, ((48, 32), (8, 8))
    )
    shown = read_picture(tmp_path / "photo.jpg")
    assert shown.size == size
    assert shown.getpixel(corner) == (255, 255, 255)
    with opened_picture(tmp_path / "photo.jpg") as picture:
        assert is_upright(picture) == (orientation in (0, 1, 9))


def test_first_frame_of_an_animation_is_read(tmp_path: Path) -> None:
    frames = [Image.new("RGB", (8, 8), color) for color in ("red", "green")] * 50
    frames[0].save(tmp_path / "a.gif", save_all=True, append_images=frames[1:])
    assert read_picture(tmp_path / "a.gif").getpixel((0, 0)) == (255, 0, 0)


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".webp", ".gif", ".bmp", ".tiff", ".ico", ".ppm", ".tga", ".icns"])
def test_damaged_picture_is_refused_in_words(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"a{suffix}"
    Image.effect_noise((64, 64), 50).convert("RGB").save(path)
    data, random = path.read_bytes(), np.random.default_rng(0)
    for _ in range(50):
        damaged = bytearray(data[: random.integers(1, len(data) + 1)])
        for place in random.integers(0, len(damaged), 5):
            damaged[place] = random.integers(256)
        path.write_bytes(damaged)
        with suppress(DataError):
            read_picture(path)


def test_audio_is_measured_before_it_is_decoded(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    soundfile.write(path, np.zeros((1000, 2), np.float32), 16_000)
    wave, rate = read_sound(path)
    assert (wave.shape, wave.dtype, rate) == ((1000, 2), np.float32, 16_000)
    assert len(read_sound(path, seconds=0.01)[0]) == 160
    soundfile.write(path, np.zeros(1000, np.float32), 1)
    with pytest.raises(DataError, match="a sampling rate of 1 Hz, and 1,000 to 768,000 are read"):
        read_sound(path)
    soundfile.write(path, np.zeros(0, np.float32), 16_000)
    with pytest.raises(DataError, match="it has no samples"):
        read_sound(path)


def test_an_audio_that_promises_gigabytes_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.flac"
    soundfile.write(path, np.zeros(1000, np.float32), 16_000)
    data = bytearray(path.read_bytes())
    data[21:26] = bytes([data[21] | 0x0F]) + b"\xff\xff\xff\xff"  # the number of samples in STREAMINFO
    path.write_bytes(data)
    with pytest.raises(DataError, match=r"68,719,476,735 samples, and at most 60,000,000 are decoded"):
        read_sound(path)


def test_a_picture_that_another_program_would_draw_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "drawing.png"
    path.write_text("%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n%%EndComments\nshowpage\n")
    with pytest.raises(DataError, match="cannot be read as an image"), opened_picture(path):
        pytest.fail("it was opened")
