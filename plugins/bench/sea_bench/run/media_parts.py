"""Media as parts of a chat request, as servers take them: images and videos as data URIs, audio as `input_audio`."""

from __future__ import annotations

import mimetypes
from base64 import b64encode
from collections.abc import Callable, Mapping
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from sea_bench.build.media_io import RATE, check_video, write_audio, write_video
from sea_bench.layout import modality_parts
from sea_bench.medium import media_files
from sea_core.errors import SeaError
from sea_core.model.media_files import is_upright, opened_picture, read_picture, read_sound
from sea_core.model.video_files import read_video
from sea_core.plugin.generator import Frames

if TYPE_CHECKING:
    from PIL.Image import Image

MessagePart: TypeAlias = dict[str, Any]
"""A part of a message of OpenAI's chat API."""
IMAGE_FORMATS = ("JPEG", "PNG", "WEBP", "GIF")
"""What every server reads. Other images, and those that are stored turned, are sent as PNG."""
AUDIO_FORMATS = ("WAV", "MP3")
"""What `input_audio` may contain. Other audio is sent as WAV."""
BLANK_SIZE, BLANK_SECONDS, BLANK_RATE = 224, 2, 4
"""Of blank media: width and height in pixels; seconds; and a video's frames per second."""


def media_parts(path: Path, modality: str, frames: int = 0) -> list[MessagePart]:
    """Return the parts of a medium, in the order of the modalities that it joins.

    Args:
        frames: how many frames of a video to send, as images; 0 for the video itself.

    Raises:
        DataError: the medium cannot be read.
    """
    files = media_files(path, modality)
    return [part for name in modality_parts(modality) if name in files for part in _parts(files[name], name, frames)]


def blank_parts(modality: str, frames: int = 0) -> list[MessagePart]:
    """Return the parts of media without content: a black image, a black video, silence."""
    with TemporaryDirectory() as folder:
        return [
            part
            for name in modality_parts(modality)
            for part in _parts(BLANK_WRITERS[name](Path(folder)), name, frames)
        ]


def require_servable(modality: str) -> None:
    """Raise SeaError for a modality that no server takes."""
    if unknown := [name for name in modality_parts(modality) if name not in BLANK_WRITERS]:
        raise SeaError(
            f"servers take no {unknown[0]}: their chat API has parts for {', '.join(BLANK_WRITERS)}",
            hint="Benchmark the model with its plugin (--plugin), or a table of its answers: sea bench import --help",
        )


def _parts(path: Path, modality: str, frames: int) -> list[MessagePart]:
    if modality == "image":
        return [_image_part(*_image_bytes(path))]
    if modality == "audio":
        return [_audio_part(*_audio_bytes(path))]
    if frames:
        return [_image_part(_encoded(frame, "JPEG"), "image/jpeg") for frame in _spread_frames(path, frames)]
    check_video(path)
    kind = mimetypes.guess_type(path.name)[0] or "video/mp4"
    return [{"type": "video_url", "video_url": {"url": _data_uri(path.read_bytes(), kind)}}]


def _image_part(data: bytes, kind: str) -> MessagePart:
    return {"type": "image_url", "image_url": {"url": _data_uri(data, kind)}}


def _audio_part(data: bytes, kind: str) -> MessagePart:
    return {"type": "input_audio", "input_audio": {"data": b64encode(data).decode(), "format": kind}}


def _data_uri(data: bytes, kind: str) -> str:
    return f"data:{kind};base64,{b64encode(data).decode()}"


def _image_bytes(path: Path) -> tuple[bytes, str]:
    """Return an image as a server reads it, and its media type."""
    with opened_picture(path) as picture:
        picture.load()  # a corrupt one is found here
        if picture.format in IMAGE_FORMATS and is_upright(picture):
            return path.read_bytes(), f"image/{picture.format.lower()}"
    return _encoded(read_picture(path), "PNG"), "image/png"


def _audio_bytes(path: Path) -> tuple[bytes, str]:
    """Return an audio as a server reads it, and the name of its format."""
    import soundfile

    wave, rate = read_sound(path)
    kind = soundfile.info(path).format
    if kind in AUDIO_FORMATS:
        return path.read_bytes(), kind.lower()
    buffer = BytesIO()
    soundfile.write(buffer, wave, rate, format="WAV", subtype="PCM_16")
    return buffer.getvalue(), "wav"


def _spread_frames(path: Path, count: int) -> list[Image]:
    """Return frames of a video from the first to the last, at equal distances; all where it has fewer."""
    from PIL import Image

    video = read_video(path, lambda total, _: np.linspace(0, total - 1, min(count, total)).round().astype(int).tolist())
    return [Image.fromarray(frame) for frame in video.frames]


def _encoded(picture: Image, kind: str) -> bytes:
    buffer = BytesIO()
    picture.save(buffer, kind, quality=95)
    return buffer.getvalue()


def _write_blank_image(folder: Path) -> Path:
    from PIL import Image

    path = folder / "blank.png"
    Image.new("RGB", (BLANK_SIZE, BLANK_SIZE)).save(path)
    return path


def _write_blank_audio(folder: Path) -> Path:
    path = folder / "blank.wav"
    write_audio(np.zeros(BLANK_SECONDS * RATE, np.float32), path, "wav")
    return path


def _write_blank_video(folder: Path) -> Path:
    path = folder / "blank.mp4"
    pixels = np.zeros((BLANK_SECONDS * BLANK_RATE, BLANK_SIZE, BLANK_SIZE, 3), np.uint8)
    write_video(Frames(pixels, BLANK_RATE), path, quality=23)
    return path


BLANK_WRITERS: Mapping[str, Callable[[Path], Path]] = {
    "image": _write_blank_image,
    "audio": _write_blank_audio,
    "video": _write_blank_video,
}
"""How a blank medium of each modality that servers take is written into a folder."""
