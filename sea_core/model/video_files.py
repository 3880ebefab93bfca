"""Read frames of a video file, with decord if it is installed, else with PyAV. Both give the same frames."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import numpy as np

from sea_core.errors import DataError
from sea_core.model.media_files import DECODER_ERRORS, counted_frames, require_frames, require_pixels

SelectFrames = Callable[[int, float], Sequence[int]]
"""Called with (number of frames, frames per second); returns the indices of the frames to read, in order."""


@dataclass(frozen=True, eq=False)
class Video:
    """Frames of a video, (frames, height, width, 3) in uint8, and their number per second."""

    frames: np.ndarray
    rate: float = 2.0


def read_video(path: Path, select: SelectFrames) -> Video:
    """Return the selected frames. Raises DataError if the file cannot be read as a video."""
    if not path.is_file():
        raise DataError("there is no such file", where=str(path))
    return (read_with_decord if find_spec("decord") else read_with_av)(path, select)


def read_with_decord(path: Path, select: SelectFrames) -> Video:
    """Read with decord. Its bridge is global to the process, so it is not changed, and every type of it is accepted."""
    import decord

    try:
        reader = decord.VideoReader(str(path))
        total, rate = len(reader), float(reader.get_avg_fps())
        require_frames(total, path)
        indices = _select(select, total, rate, path)
        height, width = reader[0].shape[:2]
        require_pixels(width, height, path, frames=len(indices))
        frames = reader.get_batch(indices)
    except (decord.DECORDError, RuntimeError, OverflowError) as error:
        raise _read_error(path, str(error).splitlines()[0]) from error
    pixels = frames.asnumpy() if isinstance(frames, decord.nd.NDArray) else np.asarray(frames)
    return Video(pixels, rate * len(indices) / total)


def read_with_av(path: Path, select: SelectFrames) -> Video:
    """Read with PyAV, in two passes: the number of frames is only known after decoding all of them."""
    import av

    try:
        with av.open(str(path)) as container:
            stream = container.streams.video[0]
            require_pixels(stream.width, stream.height, path)
            rate, width, height = float(stream.average_rate or 0), stream.width, stream.height
            total = sum(1 for _ in counted_frames(container.decode(stream), path))
        indices = _select(select, total, rate, path)
        require_pixels(width, height, path, frames=len(indices))
        wanted = frozenset(indices)
        with av.open(str(path)) as container:
            selected = {
                i: frame.to_ndarray(format="rgb24", width=width, height=height)
                for i, frame in enumerate(container.decode(container.streams.video[0]))
                if i in wanted
            }
        pixels = np.stack([selected[i] for i in indices])
    except (av.FFmpegError, *DECODER_ERRORS) as error:
        raise _read_error(path, str(error)) from error
    return Video(pixels, rate * len(indices) / total)


def _select(select: SelectFrames, total: int, rate: float, path: Path) -> list[int]:
    if total == 0 or rate <= 0:
        raise _read_error(path, "it has no frames")
    return [int(i) for i in select(total, rate)]


def _read_error(path: Path, reason: str) -> DataError:
    return DataError(
        f"this file cannot be read as a video: {reason}", hint="Give an mp4, webm, mkv or avi file.", where=str(path)
    )
