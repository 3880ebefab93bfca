"""Write, read and check media files. PyAV, soundfile, soxr and Pillow are imported only when they are needed."""

from __future__ import annotations

import platform
from collections.abc import Callable, Mapping
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

from sea_core.errors import DataError
from sea_core.model.media_files import (
    DECODER_ERRORS,
    counted_frames,
    read_picture,
    read_sound,
    require_pixels,
)
from sea_core.model.video_files import opened_video
from sea_core.plugin.generator import Frames

if TYPE_CHECKING:
    import numpy as np
    from PIL.Image import Image

HINT = "Download or build it again."
RATE = 16_000
"""Sampling rate of audio, in Hz."""


# --- video ------------------------------------------------------------------------------------------------------------


def write_video(frames: Frames, path: Path, quality: int) -> None:
    """Write frames as H.264 in mp4; height and width must be even. Every processor gives the same bytes.

    Args:
        quality: x264's crf, from 0 (lossless) to 51 (worst).
    """
    import av
    import numpy as np

    height, width = frames.pixels.shape[1:3]
    rate = Fraction(frames.rate).limit_denominator(1000)
    with av.open(str(path), "w", format="mp4", options={"movflags": "+faststart"}) as container:
        stream = container.add_stream("libx264", rate=rate)
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        stream.options = {"crf": str(quality), "preset": "veryfast", "x264-params": f"asm={_instructions()}"}
        stream.codec_context.thread_count = 1
        for i, pixels in enumerate(frames.pixels):
            if i == 0 or not np.array_equal(pixels, frames.pixels[i - 1]):  # a repeated frame is converted once
                frame = av.VideoFrame.from_ndarray(pixels, format="rgb24").reformat(format="yuv420p")
            frame.pts, frame.time_base = i, 1 / rate
            container.mux(stream.encode(frame))
        container.mux(stream.encode())


def _instructions() -> str:
    """Return the processor's instructions that x264 may use: those with which it encodes as plain C does.

    With AVX-512 about one file in 300 differs from the others on a busy machine, and AVX2 finds other motion. SSE2,
    which all x86-64 processors have, gives the bytes of plain C and is as fast as AVX2.
    """
    return "SSE2" if platform.machine().lower() in ("x86_64", "amd64") else "0"


def read_video(path: Path) -> Frames:
    """Return all frames. Raises DataError if the file cannot be read as a video."""
    import av
    import numpy as np

    try:
        with opened_video(path) as container:
            stream = container.streams.video[0]
            require_pixels(stream.width, stream.height, path)
            rate, pixels = float(stream.average_rate or 0), []
            for frame in counted_frames(container.decode(stream), path):
                pixels.append(frame.to_ndarray(format="rgb24"))
                require_pixels(frame.width, frame.height, path, frames=len(pixels))
        if not pixels or rate <= 0:
            raise _unreadable("a video", "it has no frames", path)
        return Frames(np.stack(pixels), rate)
    except (av.FFmpegError, *DECODER_ERRORS) as error:
        raise _unreadable("a video", error, path) from error


def check_video(path: Path) -> None:
    """Decode the first frame. Raises DataError if that fails."""
    import av

    try:
        with opened_video(path) as container:
            stream = container.streams.video[0]
            require_pixels(stream.width, stream.height, path)
            if next(container.decode(stream), None) is None:
                raise _unreadable("a video", "it has no frames", path)
    except (av.FFmpegError, *DECODER_ERRORS) as error:
        raise _unreadable("a video", error, path) from error


# --- audio ------------------------------------------------------------------------------------------------------------


def write_audio(wave: np.ndarray, path: Path, format: str) -> None:
    """Write mono float32 samples at 16 kHz as `wav` (16 bit) or `mp3`."""
    import soundfile

    soundfile.write(path, wave, RATE, format=format.upper(), subtype="PCM_16" if format == "wav" else None)


def read_audio(path: Path) -> np.ndarray:
    """Return an audio as mono float32 samples at 16 kHz. Raises DataError if the file cannot be read as one."""
    wave, rate = read_sound(path, HINT)
    return resample(wave.mean(axis=1), rate)


def resample(wave: np.ndarray, rate: int) -> np.ndarray:
    """Convert an audio from another sampling rate to 16 kHz."""
    import soxr

    resampled: np.ndarray = wave if rate == RATE else soxr.resample(wave, rate, RATE)
    return resampled


def check_audio(path: Path) -> None:
    """Decode the first tenth of a second. Raises DataError if that fails."""
    read_sound(path, HINT, seconds=0.1)


# --- images -----------------------------------------------------------------------------------------------------------


def write_image(image: Image, path: Path) -> None:
    """Write a JPEG without chroma subsampling."""
    image.save(path, format="JPEG", quality=95, subsampling=0)


def read_image(path: Path) -> Image:
    """Return an image in RGB, upright. Raises DataError if the file cannot be read as one."""
    return read_picture(path, HINT)


def check_image(path: Path) -> None:
    """Decode the image. Raises DataError if that fails."""
    read_image(path)


# --- any modality -----------------------------------------------------------------------------------------------------


def check_not_empty(path: Path) -> None:
    """Raise DataError if the file is empty: only its plugin knows how to decode it."""
    if path.stat().st_size == 0:
        raise _unreadable("a medium", "it is empty", path)


DECODE_CHECKS: Mapping[str, Callable[[Path], None]] = {
    "image": check_image,
    "video": check_video,
    "audio": check_audio,
}


def check_medium(path: Path, modality: str) -> None:
    """Decode the beginning of a medium; of another modality, check its size only. Raises DataError if that fails."""
    DECODE_CHECKS.get(modality, check_not_empty)(path)


def _unreadable(what: str, reason: object, path: Path) -> DataError:
    reason = " ".join(str(reason).split())
    return DataError(f"this file cannot be read as {what}: {reason}", hint=HINT, where=str(path))
