"""Media on disk: written, read back and probed. PyAV, soundfile, soxr and Pillow are imported when they are needed."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

from sea_core.errors import DataError
from sea_core.plugin.generator import Frames

if TYPE_CHECKING:
    import numpy as np
    from PIL.Image import Image

RATE = 16_000
"""Samples of an audio in a second."""


def write_video(frames: Frames, path: Path, quality: int) -> None:
    """Write frames, even in height and width, as H.264 in mp4. `quality` is x264's crf: 0 is the best, 51 the worst."""
    import av
    import numpy as np

    height, width = frames.pixels.shape[1:3]
    rate = Fraction(frames.rate).limit_denominator(1000)
    with av.open(str(path), "w", format="mp4", options={"movflags": "+faststart"}) as container:
        stream = container.add_stream("libx264", rate=rate)
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        stream.options = {"crf": str(quality), "preset": "veryfast"}
        stream.codec_context.thread_count = 1
        for i, pixels in enumerate(frames.pixels):
            if i == 0 or not np.array_equal(pixels, frames.pixels[i - 1]):  # a frame that stands is converted once
                frame = av.VideoFrame.from_ndarray(pixels, format="rgb24").reformat(format="yuv420p")
            frame.pts, frame.time_base = i, 1 / rate
            container.mux(stream.encode(frame))
        container.mux(stream.encode())


def read_video(path: Path) -> Frames:
    """Return all frames. Raises DataError when the file cannot be read as a video."""
    import av
    import numpy as np

    try:
        with av.open(str(path)) as container:
            stream = container.streams.video[0]
            rate = float(stream.average_rate or 0)
            pixels = [frame.to_ndarray(format="rgb24") for frame in container.decode(stream)]
    except (av.FFmpegError, IndexError, OSError) as error:
        raise _unreadable("a video", error, path) from error
    if not pixels or rate <= 0:
        raise _unreadable("a video", "it has no frames", path)
    return Frames(np.stack(pixels), rate)


def check_video(path: Path) -> None:
    """Decode the first frame. Raises DataError when that cannot be done."""
    import av

    try:
        with av.open(str(path)) as container:
            next(container.decode(container.streams.video[0]))
    except (av.FFmpegError, IndexError, OSError, StopIteration) as error:
        raise _unreadable("a video", error or "it has no frames", path) from error


def write_audio(wave: np.ndarray, path: Path, format: str) -> None:
    """Write mono float32 at 16 kHz as `wav` (16 bit) or `mp3`."""
    import soundfile

    soundfile.write(path, wave, RATE, format=format.upper(), subtype="PCM_16" if format == "wav" else None)


def read_audio(path: Path) -> np.ndarray:
    """Return an audio as mono float32 at 16 kHz. Raises DataError when the file cannot be read as one."""
    import soundfile

    try:
        wave, rate = soundfile.read(path, dtype="float32", always_2d=True)
    except (OSError, RuntimeError) as error:
        raise _unreadable("an audio", error, path) from error
    return resample(wave.mean(axis=1), rate)


def resample(wave: np.ndarray, rate: int) -> np.ndarray:
    """Bring an audio from another rate to 16 kHz."""
    import soxr

    new: np.ndarray = wave if rate == RATE else soxr.resample(wave, rate, RATE)
    return new


def check_audio(path: Path) -> None:
    """Decode the first tenth of a second. Raises DataError when that cannot be done."""
    import soundfile

    try:
        with soundfile.SoundFile(path) as file:
            if not len(file.read(file.samplerate // 10)):
                raise _unreadable("an audio", "it has no samples", path)
    except (OSError, RuntimeError) as error:
        raise _unreadable("an audio", error, path) from error


def write_image(image: Image, path: Path) -> None:
    """Write a jpeg, with the colours of every pixel kept."""
    image.save(path, format="JPEG", quality=95, subsampling=0)


def read_image(path: Path) -> Image:
    """Return an image in RGB. Raises DataError when the file cannot be read as one."""
    from PIL import Image

    try:
        with Image.open(path) as image:
            return image.convert("RGB")
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise _unreadable("an image", error, path) from error


def check_image(path: Path) -> None:
    """Decode the image. Raises DataError when that cannot be done."""
    read_image(path)


def check_not_empty(path: Path) -> None:
    """Look whether there is anything in the file: what it means is its plugin's business."""
    if path.stat().st_size == 0:
        raise _unreadable("a medium", "it is empty", path)


def _unreadable(what: str, reason: object, path: Path) -> DataError:
    told = " ".join(str(reason).split())
    return DataError(f"this file cannot be read as {what}: {told}", hint="Get or build it again.", where=str(path))
