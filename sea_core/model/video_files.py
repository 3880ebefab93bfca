"""Read frames of a video file, with PyAV, or with decord where its frames are the same: it seeks, and is faster."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from importlib.util import find_spec
from itertools import islice, pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from sea_core.errors import DataError
from sea_core.model.media_files import DECODER_ERRORS, counted_frames, require_frames, require_pixels

if TYPE_CHECKING:
    from av.container import InputContainer

SelectFrames = Callable[[int, float], Sequence[int]]
"""Called with (number of frames, frames per second); returns the indices of the frames to read, in order."""
INDEXED = frozenset(("mov,mp4,m4a,3gp,3g2,mj2", "matroska,webm"))
"""Containers that list their key frames with exact times, by FFmpeg's name. In others decord lands on other frames."""
CONTAINERS = (
    "asf,avi,dv,flv,gif,h263,h264,hevc,ivf,live_flv,m4v,matroska,mjpeg,mov,mp4,mpeg,mpegts,mpegvideo,mxf,nut,obu,ogg,rm,"
    "swf,webm,wtv,y4m,yuv4mpegpipe"
)
"""The containers that may be opened, by FFmpeg's names. Playlists are none: they name other files to be read."""
MAX_LOST = 0.05
"""The ratio of a video's packets that may be undecodable. Like a player, the reader drops them."""


@dataclass(frozen=True, eq=False)
class Video:
    """Frames of a video, (frames, height, width, 3) in uint8, and their number per second."""

    frames: np.ndarray
    rate: float = 2.0


def read_video(path: Path, select: SelectFrames) -> Video:
    """Return the selected frames, upright. Raises DataError if the file cannot be read as a video.

    What decord cannot decode, PyAV reads.
    """
    if not path.is_file():
        raise DataError("there is no such file", where=str(path))
    if find_spec("decord") and seeks_exactly(path):
        with suppress(DataError):
            return read_with_decord(path, select)
    return read_with_av(path, select)


def seeks_exactly(path: Path) -> bool:
    """Return whether decord can seek to each frame of a file. Nothing is decoded.

    It finds a frame by counting from the key frame before. That is another frame where frames that are shown before a
    key frame are stored after it (HEVC, MPEG-2, MPEG-4 and H.264 with open groups), and where some are not shown.
    """
    import av

    try:
        with opened_video(path) as container:
            stream = container.streams.video[0]
            if container.format.name not in INDEXED or stream.codec_context.pix_fmt != "yuv420p":
                return False
            packets = [(packet.pts, packet.is_keyframe) for packet in container.demux(stream) if packet.size]
            shown = [pts for pts, _ in packets if pts is not None and pts >= 0]
    except (av.FFmpegError, *DECODER_ERRORS):
        return False
    keys = [number for number, (_, is_key) in enumerate(packets) if is_key]
    if len(shown) < len(packets) or keys[:1] != [0]:
        return False
    groups = [shown[first:last] for first, last in pairwise([*keys, len(shown)])]
    leads = all(group[0] == min(group) for group in groups)
    return leads and all(max(before) < min(after) for before, after in pairwise(groups))


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
        with opened_video(path) as container:
            stream = container.streams.video[0]
            require_pixels(stream.width, stream.height, path)
            rate, width, height = float(stream.average_rate or stream.guessed_rate or 0), stream.width, stream.height
            total = sum(1 for _ in counted_frames(_decoded(container, path), path))
        indices = _select(select, total, rate, path)
        require_pixels(width, height, path, frames=len(indices))
        wanted = frozenset(indices)
        with opened_video(path) as container:
            selected = {
                i: np.rot90(frame.to_ndarray(format="rgb24", width=width, height=height), frame.rotation // 90)
                for i, frame in enumerate(islice(_decoded(container, path), max(wanted) + 1))
                if i in wanted
            }
        pixels = np.stack([selected[i] for i in indices])
    except (av.FFmpegError, *DECODER_ERRORS) as error:
        raise _read_error(path, str(error)) from error
    return Video(pixels, rate * len(indices) / total)


def opened_video(path: Path) -> InputContainer:
    """Open a file that is itself a video, and no list of others."""
    import av

    return av.open(str(path), options={"format_whitelist": CONTAINERS})


def _decoded(container: InputContainer, path: Path) -> Iterator[Any]:
    """Yield the frames. Raises DataError at the end if more than MAX_LOST of the packets could not be decoded."""
    import av

    packets = lost = 0
    stream = container.streams.video[0]
    stream.thread_type = "AUTO"
    for packet in container.demux(stream):
        packets += bool(packet.size)
        try:
            yield from packet.decode()
        except av.FFmpegError:
            lost += bool(packet.size)
    if lost > MAX_LOST * packets:
        raise _read_error(path, f"{lost:,} of its {packets:,} frames cannot be decoded")


def _select(select: SelectFrames, total: int, rate: float, path: Path) -> list[int]:
    if total == 0 or rate <= 0:
        raise _read_error(path, "it has no frames")
    return [int(i) for i in select(total, rate)]


def _read_error(path: Path, reason: str) -> DataError:
    return DataError(
        f"this file cannot be read as a video: {reason}", hint="Give an mp4, webm, mkv or avi file.", where=str(path)
    )
