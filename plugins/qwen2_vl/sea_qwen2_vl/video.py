"""Read frames of a video file: through decord where it is installed, else through PyAV. Both give the same frames."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import numpy as np

from sea_core.errors import DataError

Choose = Callable[[int, float], Sequence[int]]
"""(number of frames, frames in a second) -> the indices that are wanted, in order."""


@dataclass(frozen=True, eq=False)
class Clip:
    """Frames of a video, (frames, height, width, 3) in uint8, and how many of them make a second."""

    frames: np.ndarray
    rate: float = 2.0


def read_video(path: Path, choose: Choose) -> Clip:
    """Return the chosen frames. Raises DataError when the file cannot be read as a video."""
    if not path.is_file():
        raise DataError("there is no such file", where=str(path))
    return (with_decord if find_spec("decord") else with_av)(path, choose)


def with_decord(path: Path, choose: Choose) -> Clip:
    """Read through decord. Its bridge is global to the process: it is left as it is, and whatever it gives is taken."""
    import decord

    try:
        reader = decord.VideoReader(str(path))
        total, rate = len(reader), float(reader.get_avg_fps())
        indices = _chosen(choose, total, rate, path)
        frames = reader.get_batch(indices)
    except (decord.DECORDError, RuntimeError) as error:
        raise _unreadable(path, str(error).splitlines()[0]) from error
    pixels = frames.asnumpy() if isinstance(frames, decord.nd.NDArray) else np.asarray(frames)
    return Clip(pixels, rate * len(indices) / total)


def with_av(path: Path, choose: Choose) -> Clip:
    """Read through PyAV, in two passes: how many frames there are is known only when all are decoded."""
    import av

    try:
        with av.open(str(path)) as container:
            stream = container.streams.video[0]
            rate = float(stream.average_rate or 0)
            total = sum(1 for _ in container.decode(stream))
        indices = _chosen(choose, total, rate, path)
        with av.open(str(path)) as container:
            wanted = set(indices)
            kept = {
                i: frame.to_ndarray(format="rgb24")
                for i, frame in enumerate(container.decode(container.streams.video[0]))
                if i in wanted
            }
    except (av.FFmpegError, IndexError) as error:
        raise _unreadable(path, str(error)) from error
    return Clip(np.stack([kept[i] for i in indices]), rate * len(indices) / total)


def _chosen(choose: Choose, total: int, rate: float, path: Path) -> list[int]:
    if total == 0 or rate <= 0:
        raise _unreadable(path, "it has no frames")
    return [int(i) for i in choose(total, rate)]


def _unreadable(path: Path, reason: str) -> DataError:
    return DataError(
        f"this file cannot be read as a video: {reason}", hint="Give an mp4, webm, mkv or avi file.", where=str(path)
    )
