"""Put cases to a model and store each answer the moment it is there."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import torch

from sea_bench.case import Case
from sea_bench.run.config import AnswerConfig
from sea_bench.run.run_folder import AnswerRecord, BenchRun, Preflight
from sea_bench.select import Selection
from sea_core.errors import SeaError
from sea_core.model.embedding import Embedding
from sea_core.model.mllm import MLLM

EncodedCase = tuple[Case, Embedding | None, str]
"""A case, what its medium is to the model (None: plain text), and the medium's digest."""


@dataclass(frozen=True)
class CaseRunner:
    """Shows cases to a model, through its ordinary inputs and its own encoder, and decodes greedily."""

    mllm: MLLM
    config: AnswerConfig

    def encode(self, case: Case) -> EncodedCase:
        """Return a case with its medium encoded. Raises SeaError when the medium cannot be read."""
        if case.condition == "blank":
            return case, self.blank, ""
        if case.media is None:
            return case, None, ""
        data = case.media.read_bytes()
        medium = self.mllm.adapter.read_media(case.media, self.mllm.processor)
        (embedding,) = self.mllm.encode([medium])
        return case, embedding, hashlib.sha256(data).hexdigest()

    @cached_property
    def blank(self) -> Embedding:
        """M(blank input), as the encoder gives it."""
        (blank,) = self.mllm.encode([self.mllm.adapter.blank_input(self.mllm.processor)])
        return blank

    def answer(self, shown: Sequence[EncodedCase]) -> list[list[int]]:
        """Return the answers' token ids; either all of the cases have a medium, or none."""
        embeddings = [embedding for _, embedding, _ in shown if embedding is not None]
        prompts = [prompt_text(case) for case, _, _ in shown]
        try:
            return self.mllm.generate(prompts, embeddings or None, self.config.max_new_tokens)
        except torch.OutOfMemoryError as error:
            raise SeaError(
                f"there is no memory for {len(shown)} cases at a time",
                hint="Type for example: -o batch_size=1   What was answered is kept.",
            ) from error


def prompt_text(case: Case) -> str:
    """Return the text that goes with the medium; where the medium says it all, there is none."""
    return case.text or ""


def unanswered_cases(run: BenchRun, selection: Selection) -> list[Case]:
    """Return the cases that have no answer yet."""
    rows = run.answer_records()
    return [case for case in selection.cases if rows.get(case.key, {}).get("status") != "answered"]


def new_missing_records(run: BenchRun, rows: Sequence[AnswerRecord]) -> list[AnswerRecord]:
    """Return the rows of cases that cannot be asked, but not again those that said so last time."""
    known = run.answer_records()
    return [row for row in rows if known.get(row["key"], {}).get("status") not in ("answered", row["status"])]


def run_cases(asker: CaseRunner, run: BenchRun, cases: Sequence[Case], batch_size: int) -> Iterator[int]:
    """Ask cases and store a row for each. Yields how many rows came, batch by batch.

    A medium that cannot be read is a row that says so; it is looked for again next time.
    """
    for silent in (True, False):  # without a medium, with one: they have prompts of two kinds
        group = [case for case in cases if (case.media is None and case.condition != "blank") is silent]
        for start in range(0, len(group), batch_size):
            batch = group[start : start + batch_size]
            shown, broken = _shown(asker, batch)
            answers = asker.answer(shown) if shown else []
            rows = [_row(asker, run, one, ids) for one, ids in zip(shown, answers, strict=True)]
            run.answers.append([*new_missing_records(run, broken), *rows] if broken else rows)
            yield len(batch)


def _shown(asker: CaseRunner, cases: Sequence[Case]) -> tuple[list[EncodedCase], list[AnswerRecord]]:
    shown, broken = [], []
    for case in cases:
        try:
            shown.append(asker.encode(case))
        except (SeaError, OSError) as error:
            what = error.what if isinstance(error, SeaError) else str(error)
            broken.append(_about(case) | {"status": "unreadable", "detail": " ".join(what.split())})
    return shown, broken


def _about(case: Case) -> AnswerRecord:
    return {
        "key": case.key,
        "id": case.id,
        "scenario": case.scenario,
        "task": case.task,
        "modality": case.modality,
        "condition": case.condition,
        "benign": case.benign,
        "question": case.question,
    }


def _row(asker: CaseRunner, run: BenchRun, shown: EncodedCase, ids: list[int]) -> AnswerRecord:
    case, _, digest = shown
    return _about(case) | {
        "status": "answered",
        "prompt": prompt_text(case),
        "media": _place(case.media, Path(run.manifest.metadata.benchmark)) if case.media else None,
        "media_sha256": digest or None,
        "answer": asker.mllm.detokenize(ids),
        "tokens": len(ids),
        "truncated": len(ids) >= asker.config.max_new_tokens,  # `generate` takes the end token off
    }


def _place(path: Path, folder: Path) -> str:
    return str(path.relative_to(folder)) if path.is_relative_to(folder) else str(path)


# --- before anything is counted ---------------------------------------------------------------------------------------


PROBED, TRIED = 4, 16
"""Cases that are probed, and how many are tried where media cannot be read."""


def spread_by_length(cases: Sequence[Case], count: int) -> list[Case]:
    """Return a few of the cases, the shortest text, the longest and between: padding is what batches get wrong."""
    ordered = sorted(cases, key=lambda case: (len(prompt_text(case)), case.key))
    places = dict.fromkeys(i * (len(ordered) - 1) // (count - 1) for i in range(count)) if ordered else ()
    return [ordered[place] for place in places]


def encode_sample(asker: CaseRunner, cases: Sequence[Case]) -> list[EncodedCase]:
    """Return a few of the cases, encoded. Raises SeaError when none of those tried has a medium that can be read."""
    shown, broken = _shown(asker, spread_by_length(cases, PROBED))
    if broken:
        shown, broken = _shown(asker, spread_by_length(cases, TRIED))
    if cases and not shown:
        raise SeaError(
            f"none of {len(broken)} {asker.mllm.adapter.noun}s can be read, {broken[0]['key']}: {broken[0]['detail']}",
            hint="Type: sea bench check DIR  to look into each of them.",
        )
    return shown[:PROBED]


def preflight(asker: CaseRunner, cases: Sequence[Case], device: str) -> Preflight:
    """Check that the media change what the model says, and that a batch does not.

    Returns:
        what was found, for bench.json: how many of the media changed the next token's logits against the blank input,
        and how many of the cases were answered alike alone and in a batch.

    Raises:
        SeaError: no medium changes anything: the model does not see them, and no figure would mean what it says.
    """
    media = encode_sample(asker, [case for case in cases if case.media])
    texts = encode_sample(asker, [case for case in cases if case.condition in ("text", "no_media")])
    changed = sum(not torch.equal(_next(asker, one), _next(asker, (one[0], asker.blank, ""))) for one in media)
    if media and not changed:
        noun = asker.mllm.adapter.noun
        raise SeaError(
            f"none of {len(media)} {noun}s changes what the model says, against the blank {noun}: it does not see them",
            hint="Check the plugin: sea plugins check NAME. Are the media themselves blank? sea bench check DIR",
        )
    alike = sum(_alike(asker, group) for group in (media, texts) if group)
    example = next((case.text or "" for case in cases), "")
    return Preflight(
        device=device,
        chat=asker.mllm.render(example, media=True),  # the template and any system prompt are in it
        media=len(media),
        media_changed=changed,
        batched=len(media) + len(texts),
        batched_same=alike,
    )


def _alike(asker: CaseRunner, shown: Sequence[EncodedCase]) -> int:
    """Return how many cases are answered alike alone and in a batch."""
    return sum(asker.answer([one])[0] == ids for one, ids in zip(shown, asker.answer(shown), strict=True))


def _next(asker: CaseRunner, shown: EncodedCase) -> torch.Tensor:
    """Return the logits of the answer's first token."""
    case, embedding, _ = shown
    assert embedding is not None  # only cases with media are probed
    ids = asker.mllm.prompt_ids(prompt_text(case), len(embedding))
    return asker.mllm.decode([ids], [embedding], 1, logits=True)[1][0]


def choose_batch_size(config: AnswerConfig, found: Preflight | None) -> int:
    """Return how many cases are answered at a time, given what the preflight found."""
    same = found is not None and found.batched_same == found.batched
    return config.batch_size if same or config.keep_batches else 1
