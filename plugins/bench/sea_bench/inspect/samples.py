"""Convert cases to Inspect samples, and messages back to prompts. Plain values: Inspect need not be installed."""

from __future__ import annotations

import base64
import mimetypes
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sea_bench.case import Case
from sea_core.errors import DataError

FORMATS: Mapping[str, tuple[str, ...]] = {"image": (), "audio": ("mp3", "wav"), "video": ("mp4", "mpeg", "mov")}
"""The modalities that Inspect supports, and the file formats of each; empty: Inspect does not ask for the format."""
SUFFIXES = {"audio/mpeg": ".mp3", "audio/mp3": ".mp3", "audio/wav": ".wav", "audio/x-wav": ".wav", "video/mp4": ".mp4"}


def make_sample(case: Case) -> dict[str, Any]:
    """Return the fields of a Sample: the medium first, then the text; the target is the original question.

    Raises:
        DataError: Inspect does not support the modality or the file format.
    """
    content: list[dict[str, Any]] = [_media_content(case, case.media)] if case.media else []
    content += [{"type": "text", "text": case.text}] if case.text else []
    return {
        "id": case.key,
        "input": [{"role": "user", "content": content}],
        "target": case.question,
        "metadata": {
            "scenario": case.scenario,
            "task": case.task,
            "benign": case.benign,
            "question": case.question,
            "part": f"{case.task} benign" if case.benign else case.task,
        },
    }


def parse_messages(messages: Sequence[Mapping[str, Any]]) -> tuple[str, str | None]:
    """Return the text and the medium (a path or a data URL) of the single user message that our models take.

    Raises:
        DataError: there are several messages, a system message, or several media; nothing is silently dropped.
    """
    if len(messages) != 1 or messages[0]["role"] != "user":
        roles = ", ".join(message["role"] for message in messages)
        raise DataError(
            f"expected one user message, but got: {roles}",
            hint="Models aligned by SEA answer one question at a time: remove system messages and solvers.",
        )
    content = messages[0]["content"]
    parts = [{"type": "text", "text": content}] if isinstance(content, str) else content
    media = [part[part["type"]] for part in parts if part["type"] in FORMATS]
    unsupported = [part["type"] for part in parts if part["type"] not in ("text", *FORMATS)]
    if len(media) > 1 or unsupported:
        what = f"{len(media)} media" if len(media) > 1 else f"content of the type {unsupported[0]}"
        raise DataError(f"expected one medium at most, but got {what}", hint="Ask about one image, audio or video.")
    return "\n".join(part["text"] for part in parts if part["type"] == "text"), media[0] if media else None


@contextmanager
def media_file(reference: str) -> Iterator[Path]:
    """Provide the file that a message refers to. A data URL becomes a temporary file for the duration of the block.

    Raises:
        DataError: the file does not exist, or the reference is an address that would have to be downloaded.
    """
    if not reference.startswith("data:"):
        path = Path(reference.removeprefix("file://"))
        if not path.is_file():
            raise DataError("there is no such file", where=reference, hint="Give a file on this machine.")
        yield path
        return
    head, _, body = reference.partition(",")
    media_type = head.removeprefix("data:").partition(";")[0]
    suffix = SUFFIXES.get(media_type) or mimetypes.guess_extension(media_type) or ""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"medium{suffix}"
        path.write_bytes(base64.b64decode(body))
        yield path


def _media_content(case: Case, path: Path) -> dict[str, Any]:
    formats, suffix = FORMATS.get(case.modality), path.suffix.removeprefix(".").lower()
    if formats is None:
        raise DataError(f"Inspect does not support {case.modality} media", hint="Use: sea bench run", where=str(path))
    if formats and suffix not in formats:
        raise DataError(
            f"Inspect takes {case.modality} as {' or '.join(formats)}",
            where=str(path),
            hint="Build the set again in one of these formats.",
        )
    content = {"type": case.modality, case.modality: str(path.resolve())}
    return content | ({"format": suffix} if formats else {})
