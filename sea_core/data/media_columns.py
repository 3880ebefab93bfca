"""A record's media: placeholders in its texts, and the columns that name the files."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from sea_core.data.examples import is_url
from sea_core.data.record import Record, SkipRecord, preview
from sea_core.errors import DataError
from sea_core.runs.atomic import atomic_write

PLACEHOLDER = re.compile(r"<(image|video|audio)>")
ANY_MODALITY = ("media", "file_name")
"""Columns for media of any modality; the second is what Hugging Face's folder datasets use."""
MEDIA_COLUMNS = ("image", "images", "video", "videos", "audio", "audios", *ANY_MODALITY)
BYTES_NOT_SAVED = "its media are bytes inside the file (sea data convert FILE --media FOLDER writes them as files)"
FRAME_LIST = "a video is given as a list of frames"
# How files begin, for media that come without a name.
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
    """Return the text without placeholders: the adapter puts them where its model wants them."""
    if "<" not in text:
        return text.strip()
    return re.sub(r"[ \t]{2,}", " ", PLACEHOLDER.sub(" ", text)).strip() if PLACEHOLDER.search(text) else text.strip()


def read_media(
    record: Record, texts: Sequence[str] = (), inline_media: Sequence[tuple[str, Any]] = ()
) -> tuple[str, ...]:
    """Return the record's media, in the order images, videos, audios, others.

    Args:
        record: its media columns hold a path, an object with path or bytes, or a list of these.
        texts: where placeholders may stand. A record needs none, but where there are some, each needs its medium.
        within: (kind, reference) of media that the texts themselves name, as content lists do.

    Raises:
        DataError: placeholders and media differ in number, or a medium is no path.
        Dropped: by a rule of this file's constants.
    """
    found: list[str] = []
    if (
        not inline_media
        and not any("<" in text for text in texts)
        and not any(record.has(name) for name in MEDIA_COLUMNS)
    ):
        return ()
    for kind in ("image", "video", "audio"):
        named: list[tuple[str, Any]] = [(kind, value) for told, value in inline_media if told == kind]
        named += [(column, value) for column in (kind, f"{kind}s") for value in _listed(record, column)]
        if any(isinstance(value, list) for _, value in named):
            raise SkipRecord(FRAME_LIST)
        count = sum(text.count(f"<{kind}>") for text in texts)
        if count and count != len(named):
            raise DataError(
                f"The text has {count} <{kind}> placeholder{'s' if count > 1 else ''}, "
                f"and the row names {len(named)} {kind}{'' if len(named) == 1 else 's'}.",
                where=record.where,
                hint=f"Name one {kind} for each <{kind}> in the column {kind}s, or take the placeholders out: "
                f"SEA needs none. If the column has another name, type --columns {kind}s=NAME.",
                column=record.column_name(f"{kind}s"),
            )
        found += [_path(record, column, value) for column, value in named]
    found += [_path(record, column, value) for column in ANY_MODALITY for value in _listed(record, column)]
    return tuple(found)


def _listed(record: Record, column: str) -> Iterator[Any]:
    if not record.has(column):
        return
    value = record.decoded(column)
    for item in value if isinstance(value, list) else [value]:
        if item not in ("", None):  # an empty cell, or the hub's way to say that there is none
            yield item


def _path(record: Record, column: str, value: Any) -> str:
    name = value
    if isinstance(value, dict):
        if isinstance(value.get("bytes"), bytes):
            name = value["bytes"]
        else:
            name = next((value[key] for key in ("path", "url", "value") if isinstance(value.get(key), str)), None)
    if isinstance(name, bytes):
        return _save(record, name, value.get("path") if isinstance(value, dict) else None)
    if not isinstance(name, str) or not name.strip() or "\0" in name:
        raise record.column_error(
            column,
            f"must name a file, but it holds {preview(value)}",
            "Write the path of the medium, relative to the data file, or a list of paths.",
        )
    name = record.valid_text(name, column).strip().removeprefix("file://")
    return name if is_url(name) else str(record.folder / name)


def _save(record: Record, data: bytes, name: Any) -> str:
    if record.media_dir is None:
        raise SkipRecord(BYTES_NOT_SAVED)
    suffix = Path(name).suffix if isinstance(name, str) else ""
    path = record.media_dir / f"{hashlib.sha256(data).hexdigest()[:32]}{suffix or find_suffix(data)}"
    if not path.exists():
        with atomic_write(path) as aside:
            aside.write_bytes(data)
    return str(path)


def find_suffix(data: bytes) -> str:
    """Return the suffix that media of a kind have, by how they begin; each of them is in `rows.SUFFIXES`, but .bin."""
    if data[:4] == b"RIFF":
        return ".wav" if data[8:12] == b"WAVE" else ".webp" if data[8:12] == b"WEBP" else ".avi"
    if data[4:8] == b"ftyp":
        return ".m4a" if data[8:11] == b"M4A" else ".mp4"
    return next((suffix for magic, suffix in MAGIC_SUFFIXES.items() if data.startswith(magic)), ".bin")
