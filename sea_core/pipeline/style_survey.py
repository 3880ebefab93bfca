"""The style set: what a model says of the style of real inputs (paper, section 3.1: it follows the model's habits).

An adapter ships one. For a checkpoint of one's own, the model itself is asked about a few real media, and its answers,
counted, take the place of the adapter's.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sea_core.errors import DataError
from sea_core.model.adapter import Adapter
from sea_core.model.media_folder import media_files
from sea_core.model.mllm import MLLM
from sea_core.model.prompts import style_question
from sea_core.pipeline.inputs import ModelTarget
from sea_core.pipeline.progress import SILENT, Progress
from sea_core.runs.atomic import sha256, write_json
from sea_core.runs.jsonl import JsonlLog

MAX_NEW_TOKENS = 32
LONGEST = 6
"""Words of a style at most; an answer with more describes the input."""


@dataclass(frozen=True)
class StyleSet:
    """Styles with how often the model named each, the commonest first.

    Attributes:
        counts: the answers that open as the adapter's style goals do, without that opening.
        other: the answers that do not; they are in no style.
    """

    counts: Mapping[str, int]
    other: Mapping[str, int]

    @property
    def share(self) -> float | None:
        """The share of answers that open as the adapter expects; far below 1, the opening is not this model's."""
        asked = sum(self.counts.values()) + sum(self.other.values())
        return sum(self.counts.values()) / asked if asked else None


@dataclass(frozen=True)
class StyleSurvey:
    """What a model says of the style of some media.

    Attributes:
        styles: the style set. answers: the file that stores the answers.
        unreadable: media that could not be read, with the reason.
    """

    styles: StyleSet
    manifest: Mapping[str, Any]
    answers: Path
    unreadable: Mapping[str, str]


def survey_styles(media: Sequence[Path], target: ModelTarget, out: Path, progress: Progress = SILENT) -> StyleSurvey:
    """Ask a model for the style of real media, and write the style set to `out`.

    Answers are stored beside `out`; a stopped survey is resumed.

    Raises:
        DataError: a path does not exist, or a folder holds no media.
    """
    files, fingerprint = named_media(media), target.fingerprint()
    model = fingerprint.removeprefix("sha256:").replace("/", "-")
    model += "" if target.dtype == "auto" else f".{target.dtype}"
    log = JsonlLog(out.with_suffix(f".{model}.jsonl"))
    if left := unanswered(files, log):
        mllm = target.load()
        with progress.track("styles", len(files), len(files) - len(left)) as tracker:
            for count in ask_styles(mllm, files, log):
                tracker.advance(count)
    stored = stored_answers(files, log).values()
    styles = collect(target.adapter, [answer["answer"] for answer in stored if "answer" in answer])
    manifest = {
        "plugin": target.plugin.name,
        "modality": target.adapter.modality,
        "model": target.checkpoint,
        "fingerprint": fingerprint,
    }
    write_styles(out, styles, manifest | {"files": len(files), "answers": str(log.path)})
    unreadable = {answer["file"]: answer["error"] for answer in stored if "error" in answer}
    return StyleSurvey(styles, manifest, log.path, unreadable)


def named_media(paths: Iterable[Path]) -> list[Path]:
    """Return the files named, and the media in the folders named. Raises DataError for a path that is not there."""
    found = [file for path in paths for file in ([path] if path.is_file() else media_files(path))]
    return list(dict.fromkeys(found))


def ask_styles(mllm: MLLM, files: Sequence[Path], journal: JsonlLog, batch_size: int = 8) -> Iterator[int]:
    """Ask about each file that has no answer in the journal, and keep answers, and why a file could not be read.

    Yields how many files were done, batch by batch.
    """
    left = unanswered(files, journal)
    for start in range(0, len(left), batch_size):
        batch = left[start : start + batch_size]
        rows = [{"file": str(file), "sha256": sha256(file.read_bytes()), **_read(mllm, file)} for file in batch]
        good = [row for row in rows if "medium" in row]
        if good:
            embeddings = mllm.encode([row.pop("medium") for row in good])
            answers = mllm.generate([style_question(mllm.adapter)] * len(good), embeddings, MAX_NEW_TOKENS)
            for row, answer in zip(good, answers, strict=True):
                row["answer"] = mllm.detokenize(answer)
        journal.append(rows)
        yield len(batch)


def stored_answers(files: Sequence[Path], journal: JsonlLog) -> dict[Path, dict[str, Any]]:
    """Return the last row of each file that is still what it was then."""
    rows = {(row["file"], row.get("sha256")): row for row in journal.read()}
    found = {file: rows.get((str(file), sha256(file.read_bytes()))) for file in files}
    return {file: row for file, row in found.items() if row is not None}


def unanswered(files: Sequence[Path], journal: JsonlLog) -> list[Path]:
    """Return the files that have no answer yet; those that could not be read are among them."""
    rows = stored_answers(files, journal)
    return [file for file in files if "answer" not in rows.get(file, {})]


def _read(mllm: MLLM, file: Path) -> dict[str, Any]:
    try:
        return {"medium": mllm.adapter.read_media(file, mllm.processor)}
    except DataError as error:
        return {"error": error.what}


def collect(adapter: Adapter, answers: Iterable[str]) -> StyleSet:
    """Count the styles that answers name."""
    counts: Counter[str] = Counter()
    other: Counter[str] = Counter()
    for answer in answers:
        style = parse_style(adapter, answer)
        if style is None:
            other[answer] += 1
        else:
            counts[style] += 1
    return StyleSet(dict(counts.most_common()), dict(other.most_common()))


def parse_style(adapter: Adapter, answer: str) -> str | None:
    """Return the style that an answer names, or None where it does not open with the adapter's style prefix."""
    said, opening = " ".join(answer.split()), adapter.style_prefix.strip()
    if not said.casefold().startswith(opening.casefold() + " "):
        return None
    style = said[len(opening) :].split(". ")[0].strip(" .!")
    return style if 0 < len(style.split()) <= LONGEST else None


def write_styles(path: Path, found: StyleSet, about: Mapping[str, Any]) -> None:
    """Write a style set as JSON, with what it was made of."""
    write_json(path, {**about, "styles": dict(found.counts), "other": dict(found.other)})
