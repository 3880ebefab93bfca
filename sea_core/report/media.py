"""Media for the page: files of known types, recognised by their first bytes, decoded here and encoded again.

So no byte of the file itself is on the page. Pictures are made small, of a video a few frames are shown, a sound is cut
and mixed to one channel.
"""

from __future__ import annotations

import base64
import io
from math import ceil
from pathlib import Path
from typing import TYPE_CHECKING

from sea_core.errors import DataError, one_line
from sea_core.report.content import PageMedium
from sea_core.report.svg import signal
from sea_core.runs.containment import is_inside

if TYPE_CHECKING:
    from PIL.Image import Image

PICTURE_SIDE, FRAME_SIDE = 448, 200
"""The longest side of a picture, and of a frame of a video, in pixels."""
FRAMES, COLUMNS, GAP = 4, 2, 2
"""Of a video: how many frames are shown, how many beside each other, and the pixels between them."""
SECONDS = 20
CHANNELS, SAMPLES = 8, 400
"""How much is drawn of a signal."""
MAX_FILE_BYTES = 200_000_000
SOUND_RATES = (8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000)
"""Sampling rates that MP3 has."""
MAX_SIGNAL_VALUES, MAX_VALUE = 50_000_000, 1e12


def preview(path: Path, folder: Path) -> PageMedium:
    """Return a medium for the page, or a note that says why it is not shown.

    Args:
        folder: the file must lie in it, after every link.
    """
    problem = _problem(path, folder)
    if problem:
        return PageMedium("none", note=f"not shown: {problem}")
    try:
        with path.open("rb") as file:
            head = file.read(64)
        kind = sniff(head)
        if kind == "image":
            return _picture(path)
        if kind == "audio":
            return _sound(path)
        if kind == "video":
            return _video(path)
        if kind == "signal":
            return _signal(path)
    except ModuleNotFoundError as error:
        return PageMedium("none", note=f"not shown: {error.name} is not installed")
    except (DataError, OSError, ValueError) as error:
        reason = error.what if isinstance(error, DataError) else "the file cannot be read"
        return PageMedium("none", note=f"not shown: {one_line(reason)[:200]}")
    return PageMedium("none", note="not shown: it is no picture, sound, film or signal of a known type")


def _problem(path: Path, folder: Path) -> str:
    try:
        if not is_inside(path, folder):
            return "the file lies outside its folder"
        if not path.is_file():  # a pipe or a device would block
            return "there is no such file"
        if path.stat().st_size > MAX_FILE_BYTES:
            return f"the file is larger than {MAX_FILE_BYTES // 1_000_000} MB"
    except (OSError, ValueError):
        return "the file cannot be read"
    return ""


def sniff(head: bytes) -> str:
    """Return image, audio, video or signal by the first bytes of a file; empty for what the page does not show."""
    starts = {
        b"\x89PNG\r\n\x1a\n": "image",
        b"\xff\xd8\xff": "image",
        b"GIF8": "image",
        b"BM": "image",
        b"II*\x00": "image",
        b"MM\x00*": "image",
        b"fLaC": "audio",
        b"OggS": "audio",
        b"ID3": "audio",
        b"\xff\xfb": "audio",
        b"\xff\xf3": "audio",
        b"\xff\xf2": "audio",
        b"\x1aE\xdf\xa3": "video",
        b"\x93NUMPY": "signal",
    }
    if head[:4] == b"RIFF":
        return {b"WEBP": "image", b"WAVE": "audio", b"AVI ": "video"}.get(head[8:12], "")
    if head[4:8] == b"ftyp":
        return "video"
    return next((kind for start, kind in starts.items() if head.startswith(start)), "")


def _picture(path: Path) -> PageMedium:
    from sea_core.model.media_files import read_picture

    shown = read_picture(path)
    size = f"{shown.width} x {shown.height} pixels"
    shown.thumbnail((PICTURE_SIDE, PICTURE_SIDE))
    smaller = f"{size}, shown smaller" if max(shown.size) < max(int(each) for each in size.split()[:3:2]) else size
    return PageMedium("image", _picture_uri(shown), note=smaller)


def _video(path: Path) -> PageMedium:
    from PIL import Image

    from sea_core.model.video_files import read_video

    video = read_video(path, lambda total, rate: _spread(total, FRAMES))
    frames = [Image.fromarray(frame) for frame in video.frames]
    for frame in frames:
        frame.thumbnail((FRAME_SIDE, FRAME_SIDE))
    width, height = max(frame.width for frame in frames) + GAP, max(frame.height for frame in frames) + GAP
    sheet = Image.new("RGB", (width * min(len(frames), COLUMNS) - GAP, height * ceil(len(frames) / COLUMNS) - GAP))
    for number, frame in enumerate(frames):
        sheet.paste(frame, (number % COLUMNS * width, number // COLUMNS * height))
    return PageMedium("image", _picture_uri(sheet), note=f"{len(frames)} frames of a video")


def _sound(path: Path) -> PageMedium:
    import soundfile

    from sea_core.model.media_files import read_sound

    wave, rate = read_sound(path, seconds=SECONDS)
    length = soundfile.info(path).duration
    mono = wave.mean(1)
    form, media_type = ("MP3", "audio/mpeg") if rate in SOUND_RATES else ("WAV", "audio/wav")
    target = io.BytesIO()
    soundfile.write(target, mono, rate, format=form)
    cut = f"the first {SECONDS} s of {length:.1f} s" if length > SECONDS else f"{length:.1f} s"
    return PageMedium("audio", _uri(media_type, target.getvalue()), note=f"{cut}, one channel")


def _signal(path: Path) -> PageMedium:
    import numpy as np

    values = np.load(path, mmap_mode="r", allow_pickle=False)
    if values.ndim not in (1, 2) or values.dtype.kind not in "fiu" or not 0 < values.size <= MAX_SIGNAL_VALUES:
        raise DataError("the array is no signal of channels over time")
    channels = values[None] if values.ndim == 1 else values
    if channels.shape[0] > channels.shape[1]:
        channels = channels.T
    drawn = np.asarray(channels[:CHANNELS, _spread(channels.shape[1], SAMPLES)], dtype=np.float64)
    shown = np.where(np.abs(drawn) < MAX_VALUE, drawn, 0)  # also for NaN
    note = f"{len(channels)} channels, {channels.shape[1]} samples"
    more = f"; {len(shown)} are drawn" if len(shown) < len(channels) else ""
    return PageMedium("svg", svg=signal(shown.tolist()), note=note + more)


def _spread(total: int, count: int) -> list[int]:
    """Return up to `count` indices, evenly over all."""
    count = min(total, count)
    return [int((i + 0.5) * total / count) for i in range(count)]


def _picture_uri(picture: Image) -> str:
    target = io.BytesIO()
    picture.save(target, "WEBP", quality=80)
    return _uri("image/webp", target.getvalue())


def _uri(media_type: str, data: bytes) -> str:
    return f"data:{media_type};base64,{base64.b64encode(data).decode()}"
