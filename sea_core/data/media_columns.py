"""The media of a record: placeholders in its texts, and the columns that hold paths or bytes."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from sea_core.data.media_paths import has_long_part, is_url
from sea_core.data.record import Record, SkipRecord, preview
from sea_core.errors import DataError
from sea_core.runs.atomic import atomic_write

SUFFIX = re.compile(r"\.[A-Za-z0-9]{1,8}")
PLACEHOLDER = re.compile(r"<(image|video|audio)>")
ANY_MODALITY = ("media", "file_name")
"""Columns for media of any modality; the second is the one of Hugging Face's folder data sets."""
MEDIA_COLUMNS = ("image", "images", "video", "videos", "audio", "audios", *ANY_MODALITY)
MEDIA_AS_BYTES = (
    "its media are stored as bytes, and are not read (`sea data convert FILE --save-media-to FOLDER` writes them to "
    "files)"
)
FRAME_LIST = "a video is given as a list of frames"
# How files begin, for media without a file name.
MAGIC_SUFFIXES = {
    b"\x89PNG": ".png",
    b"\xff\xd8\xff": ".jpg",
    b"GIF8": ".gif",
    b"BM": ".bmp",
    b"fLaC": ".flac",
    b"OggS": ".ogg",
    b"ID3": ".mp3",
    b"\xff\xfb": ".mp3",
    b"\x1aE\xdf\xa3": ".webm",
}


def strip_placeholders(text: str) -> str:
    """Return the text without placeholders: the adapter puts its own where the model expects them."""
    if "<" not in text:
        return text.strip()
    return re.sub(r"[ \t]{2,}", " ", PLACEHOLDER.sub(" ", text)).strip() if PLACEHOLDER.search(text) else text.strip()


def read_media(
    record: Record, texts: Sequence[str] = (), inline_media: Sequence[tuple[str, Any]] = ()
) -> tuple[str, ...]:
    """Return the record's media: images, videos, audios, then the columns for any modality.

    Media that are stored as bytes are left out, with a note, if there is no `media_dir`.

    Args:
        record: its media columns hold a path, an object with a path or bytes, or a list of these.
        texts: the texts that may have placeholders. None is required, but their number must match the media's.
        inline_media: (modality, reference) of media that the texts themselves name, as content lists do.

    Raises:
        DataError: the numbers of placeholders and media differ, or a medium is not a path.
        SkipRecord: a video is a list of frames.
    """
    has_media = any(record.has(name) for name in MEDIA_COLUMNS)
    if not inline_media and not has_media and not any("<" in text for text in texts):
        return ()
    found: list[str] = []
    for modality in ("image", "video", "audio"):
        references: list[tuple[str, Any]] = [item for item in inline_media if item[0] == modality]
        references += [
            (column, value) for column in (modality, f"{modality}s") for value in _list_values(record, column)
        ]
        if any(isinstance(value, list) for _, value in references):
            raise SkipRecord(FRAME_LIST)
        _check_placeholders(record, modality, sum(text.count(f"<{modality}>") for text in texts), len(references))
        found += [_media_path(record, column, value) for column, value in references]
    found += [_media_path(record, column, value) for column in ANY_MODALITY for value in _list_values(record, column)]
    return tuple(path for path in found if path)


def _check_placeholders(record: Record, modality: str, placeholders: int, media: int) -> None:
    if placeholders in (0, media):
        return
    raise DataError(
        f"The text has {placeholders} <{modality}> placeholder{'s' if placeholders > 1 else ''}, "
        f"but the record has {media} {modality}{'' if media == 1 else 's'}.",
        where=record.where,
        hint=f"Name one {modality} for each <{modality}> in the column {modality}s, or remove the placeholders: SEA "
        f"does not need them. If the column has another name, type --columns {modality}s=NAME.",
        column=record.column_name(f"{modality}s"),
    )


def _list_values(record: Record, column: str) -> Iterator[Any]:
    if not record.has(column):
        return
    value = record.decoded(column)
    for item in value if isinstance(value, list) else [value]:
        if item not in ("", None):  # an empty cell, or the hub's way to say that there is none
            yield item


def _media_path(record: Record, column: str, value: Any) -> str:
    """Return the path or URL of one medium; bytes are written to a file first, or give an empty path."""
    reference = value
    if isinstance(value, dict):
        if isinstance(value.get("bytes"), bytes):
            return _save_bytes(record, value["bytes"], value.get("path"))
        reference = next((value[key] for key in ("path", "url", "value") if isinstance(value.get(key), str)), None)
    if isinstance(reference, bytes):
        return _save_bytes(record, reference)
    if not isinstance(reference, str) or not reference.strip() or "\0" in reference:
        raise record.column_error(
            column,
            f"must name a file, but it is {preview(value)}",
            "Write the path of the medium, relative to the data file, or a list of paths.",
        )
    path = record.valid_text(reference, column).strip().removeprefix("file://")
    if not is_url(path) and has_long_part(path):
        raise record.column_error(
            column,
            f"must name a file, but it is {preview(value)}, longer than any file name",
            "Write the medium to a file, and its path here: media as text (base64) are not read.",
        )
    return path if is_url(path) else str(record.folder / path)


def _save_bytes(record: Record, data: bytes, name: Any = None) -> str:
    if record.media_dir is None:
        record.note(MEDIA_AS_BYTES)
        return ""
    suffix = Path(name).suffix if isinstance(name, str) else ""
    suffix = suffix if SUFFIX.fullmatch(suffix) else find_suffix(data)
    path = record.media_dir / f"{hashlib.sha256(data).hexdigest()[:32]}{suffix}"
    if not path.exists():
        with atomic_write(path) as temporary:
            temporary.write_bytes(data)
    return str(path)


def find_suffix(data: bytes) -> str:
    """Return the suffix for a file of these bytes by how they begin, `.bin` if that is unknown.

    Each suffix but `.bin` is in `media_paths.MEDIA_SUFFIXES`.
    """
    if data[:4] == b"RIFF":
        return ".wav" if data[8:12] == b"WAVE" else ".webp" if data[8:12] == b"WEBP" else ".avi"
    if data[4:8] == b"ftyp":
        return ".m4a" if data[8:11] == b"M4A" else ".mp4"
    return next((suffix for magic, suffix in MAGIC_SUFFIXES.items() if data.startswith(magic)), ".bin")
