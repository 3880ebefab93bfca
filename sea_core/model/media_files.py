"""Open media files whose size is bounded before they are decoded: a small file may stand for gigabytes.

Plugins read pictures and sound through these functions; a file that a library cannot decode is a DataError.
"""

from __future__ import annotations

import struct
import warnings
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sea_core.errors import DataError, one_line

if TYPE_CHECKING:
    import numpy as np
    from PIL.Image import Image

MAX_PIXELS = 50_000_000
"""Pixels of a picture, or of a frame of a video: 7071 x 7071, 150 MB in RGB."""
MAX_VIDEO_PIXELS = 1_000_000_000
"""Pixels of all frames of a video that are kept: 480 frames of 1920 x 1080, 3 GB in RGB."""
MAX_FRAMES = 108_000
"""Frames of a video: one hour at 30 a second."""
MAX_SAMPLES = 60_000_000
"""Samples of all channels of an audio: ten minutes of stereo at 48 kHz, 240 MB."""
RATES = (1_000, 768_000)
"""The lowest and the highest sampling rate of an audio, in Hz."""

PICTURE_FORMATS = ("PNG", "JPEG", "JPEG2000", "WEBP", "GIF", "BMP", "DIB", "TIFF", "AVIF", "PPM", "ICO", "ICNS", "TGA")
"""The formats that are opened, by Pillow's names. For others, such as EPS, Pillow starts another program."""
PICTURE_HINT = "Give a png, jpeg, webp, gif, bmp or tiff file."
SOUND_HINT = "Give a wav, flac, ogg or mp3 file."

DECODER_ERRORS = (
    OSError, ValueError, SyntaxError, LookupError, TypeError, AttributeError, ArithmeticError, EOFError, MemoryError,
    RuntimeError, struct.error, zlib.error,
)  # fmt: skip
"""What Pillow and soundfile raise for damaged files, depending on the format."""


@contextmanager
def opened_picture(path: Path, hint: str = PICTURE_HINT) -> Iterator[Image]:
    """Yield a picture that is open and not yet decoded.

    Raises:
        DataError: the file is no picture, or has more than MAX_PIXELS; also for what is raised inside the block.
    """
    from PIL import Image

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of damaged metadata, and of a bound above ours
            with Image.open(path, formats=PICTURE_FORMATS) as picture:
                require_pixels(picture.width, picture.height, path)
                yield picture
    except Image.DecompressionBombError as error:
        raise _too_large(f"more than {MAX_PIXELS:,} pixels", path) from error
    except DECODER_ERRORS as error:
        raise DataError(
            f"this file cannot be read as an image: {one_line(error)}", hint=hint, where=str(path)
        ) from error


def read_picture(path: Path, hint: str = PICTURE_HINT) -> Image:
    """Return a picture in RGB and upright: many cameras store it turned, and say so in its EXIF data.

    Raises:
        DataError: the file is no picture, or has more than MAX_PIXELS.
    """
    from PIL import ImageOps

    with opened_picture(path, hint) as picture:
        return ImageOps.exif_transpose(picture).convert("RGB")


def is_upright(picture: Image) -> bool:
    """Return whether the pixels of a picture are stored as they are to be seen: its EXIF data name no turn."""
    from PIL.ExifTags import Base

    return picture.getexif().get(Base.Orientation, 1) not in range(2, 9)


def read_sound(path: Path, hint: str = SOUND_HINT, seconds: float | None = None) -> tuple[np.ndarray, int]:
    """Return the samples of an audio, (samples, channels) in float32, and its sampling rate in Hz.

    Args:
        seconds: read only the beginning.

    Raises:
        DataError: the file is no audio, is empty, or has more than MAX_SAMPLES or a rate outside RATES.
    """
    import soundfile

    try:
        with soundfile.SoundFile(path) as file:
            rate: int = file.samplerate
            require_samples(file.frames * file.channels, rate, path)
            wave: np.ndarray = file.read(-1 if seconds is None else int(rate * seconds), "float32", always_2d=True)
    except DECODER_ERRORS as error:
        raise DataError(f"this file cannot be read as audio: {one_line(error)}", hint=hint, where=str(path)) from error
    if not len(wave):
        raise DataError("this file cannot be read as audio: it has no samples", hint=hint, where=str(path))
    return wave, rate


def require_pixels(width: int, height: int, path: Path, *, frames: int = 1) -> None:
    """Raise DataError where a picture, or the frames that are kept of a video, are too large to be decoded."""
    if width * height > MAX_PIXELS:
        raise _too_large(f"{width} x {height} pixels, and at most {MAX_PIXELS:,} are decoded", path)
    if width * height * frames > MAX_VIDEO_PIXELS:
        size = f"{frames} frames of {width} x {height} pixels, and at most {MAX_VIDEO_PIXELS:,} pixels are decoded"
        raise _too_large(size, path)


def require_samples(samples: int, rate: int, path: Path) -> None:
    """Raise DataError where an audio is too long to be decoded, or where its rate cannot be one of sound."""
    lowest, highest = RATES
    if not lowest <= rate <= highest:
        raise _too_large(f"a sampling rate of {rate:,} Hz, and {lowest:,} to {highest:,} are read", path)
    if samples > MAX_SAMPLES:
        raise _too_large(f"{samples:,} samples, and at most {MAX_SAMPLES:,} are decoded", path)


def require_frames(frames: int, path: Path) -> None:
    """Raise DataError where a video has more than MAX_FRAMES."""
    if frames > MAX_FRAMES:
        raise _too_large(f"more than {MAX_FRAMES:,} frames", path)


def counted_frames(frames: Iterator[Any], path: Path) -> Iterator[Any]:
    """Yield the frames of a video. Raises DataError beyond MAX_FRAMES, or for a frame of too many pixels."""
    for number, frame in enumerate(frames, 1):
        require_frames(number, path)
        require_pixels(frame.width, frame.height, path)
        yield frame


def _too_large(size: str, path: Path) -> DataError:
    return DataError(
        f"the file has {size}", hint="Make it smaller or shorter: no model reads that much.", where=str(path)
    )
