"""`sea styles` from Python: ask a model for the style of real media (paper, section 3.1).

An adapter has a style set. For another checkpoint, the model itself is asked about a few real media, and its counted
answers replace the adapter's style set.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NotRequired

from typing_extensions import TypedDict

from sea_core.errors import DataError
from sea_core.model.adapter import Adapter
from sea_core.model.media_folder import media_files
from sea_core.model.mllm import MLLM
from sea_core.model.prompts import style_question
from sea_core.pipeline.model_target import ModelTarget
from sea_core.pipeline.progress import SILENT, Progress
from sea_core.runs.atomic import write_json
from sea_core.runs.digests import sha256
from sea_core.runs.jsonl import JsonlLog
from sea_core.runs.statistics import ratio

BATCH_SIZE, MAX_NEW_TOKENS = 8, 32
MAX_STYLE_WORDS = 6
"""An answer with more words describes the content, not the style."""


@dataclass(frozen=True)
class StyleSet:
    """Styles with how often the model named each, the most frequent first.

    Attributes:
        counts: the styles of the answers that start with the adapter's style prefix.
        other: the answers that do not; they count for no style.
    """

    counts: Mapping[str, int]
    other: Mapping[str, int]

    @property
    def ratio(self) -> float | None:
        """The ratio of answers that start with the adapter's prefix; far below 1, the prefix is not this model's."""
        named, other = sum(self.counts.values()), sum(self.other.values())
        return ratio(named, named + other)


class SurveyManifest(TypedDict):
    """The model whose styles a style set has."""

    plugin: str
    modality: str
    model: str
    fingerprint: str


class StyleAnswer(TypedDict):
    """A line of the stored answers: what the model said of a medium, or why that could not be read."""

    file: str
    sha256: str
    answer: NotRequired[str]
    error: NotRequired[str]


@dataclass(frozen=True)
class StyleSurvey:
    """A model's answers about the style of some media.

    Attributes:
        styles: the style set. manifest: the model.
        answers: the file that stores the answers.
        unreadable: media that could not be read, with the reason.
    """

    styles: StyleSet
    manifest: SurveyManifest
    answers: Path
    unreadable: Mapping[str, str]


def survey_styles(media: Sequence[Path], target: ModelTarget, out: Path, progress: Progress = SILENT) -> StyleSurvey:
    """Ask a model for the style of real media, and write the style set to `out`.

    Answers are stored beside `out`; a stopped survey is resumed.

    Args:
        media: files, or folders of files.

    Raises:
        DataError: a path does not exist, or a folder contains no media.
    """
    files, fingerprint = list_media(media), target.fingerprint()
    model = fingerprint.removeprefix("sha256:").replace("/", "-")
    model += "" if target.dtype == "auto" else f".{target.dtype}"
    if target.chat_template:
        model += f".{sha256(target.chat_template.text.encode())[:8]}"
    log: JsonlLog[Any] = JsonlLog(out.with_suffix(f".{model}.jsonl"), StyleAnswer)
    log.put_aside_damage()
    if left := unanswered(files, log):
        mllm = target.load()
        with progress.track("styles", len(files), len(files) - len(left)) as tracker:
            for count in ask_styles(mllm, files, log):
                tracker.advance(count)
    stored = stored_answers(files, log).values()
    styles = collect(target.adapter, [answer["answer"] for answer in stored if "answer" in answer])
    manifest: SurveyManifest = {
        "plugin": target.plugin.name,
        "modality": target.adapter.modality,
        "model": target.checkpoint,
        "fingerprint": fingerprint,
    }
    write_json(
        out,
        {
            **manifest,
            "files": len(files),
            "answers": str(log.path),
            "styles": dict(styles.counts),
            "other": dict(styles.other),
        },
    )
    unreadable = {answer["file"]: answer["error"] for answer in stored if "error" in answer}
    return StyleSurvey(styles, manifest, log.path, unreadable)


def list_media(paths: Iterable[Path]) -> list[Path]:
    """Return the files, and the media in the folders. Raises DataError for a path that does not exist."""
    found = [file for path in paths for file in ([path] if path.is_file() else media_files(path))]
    return list(dict.fromkeys(found))


def ask_styles(mllm: MLLM, files: Sequence[Path], log: JsonlLog) -> Iterator[int]:
    """Ask about each file without an answer in the log, and store the answers, or why a file could not be read.

    Yields how many files were done, batch by batch.
    """
    left = unanswered(files, log)
    for start in range(0, len(left), BATCH_SIZE):
        batch = left[start : start + BATCH_SIZE]
        records = [{"file": str(file), "sha256": sha256(file.read_bytes()), **_read(mllm, file)} for file in batch]
        readable = [record for record in records if "medium" in record]
        if readable:
            embeddings = mllm.encode([record.pop("medium") for record in readable])
            answers = mllm.generate([style_question(mllm.adapter)] * len(readable), embeddings, MAX_NEW_TOKENS)
            for record, answer in zip(readable, answers, strict=True):
                record["answer"] = mllm.detokenize(answer)
        log.append(records)
        yield len(batch)


def stored_answers(files: Sequence[Path], log: JsonlLog) -> dict[Path, Mapping[str, Any]]:
    """Return the latest record of each file that has not changed since."""
    records = {(record["file"], record["sha256"]): record for record in log.read()}
    found = {file: records.get((str(file), sha256(file.read_bytes()))) for file in files}
    return {file: record for file, record in found.items() if record is not None}


def unanswered(files: Sequence[Path], log: JsonlLog) -> list[Path]:
    """Return the files without an answer, including those that could not be read."""
    stored = stored_answers(files, log)
    return [file for file in files if "answer" not in stored.get(file, {})]


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
    """Return the style that an answer names; None if it does not start with the adapter's style prefix."""
    text, prefix = " ".join(answer.split()), adapter.style_prefix.strip()
    if not text.casefold().startswith(prefix.casefold() + " "):
        return None
    style = text[len(prefix) :].split(". ")[0].strip(" .!")
    return style if 0 < len(style.split()) <= MAX_STYLE_WORDS else None
