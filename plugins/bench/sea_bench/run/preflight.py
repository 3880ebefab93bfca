"""The checks before a benchmark run counts anything: media change the answer, and batching does not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from torch import Tensor

from sea_bench.case import Case
from sea_bench.run.config import AnswerConfig
from sea_bench.run.run_folder import Preflight
from sea_bench.run.runner import CaseRunner, EncodedCase, encode_cases, prompt_text
from sea_core.errors import SeaError
from sea_core.model.numerics import changes_logits

SAMPLE_SIZE = 4
"""Number of cases that are checked."""
MAX_TRIED = 16
"""Number of cases that are tried if some media cannot be read."""


def preflight(runner: CaseRunner, cases: Sequence[Case], device: str) -> Preflight:
    """Check on a few cases that media change the model's output, and whether batching changes answers.

    Raises:
        SeaError: no medium changes the output, so the model does not process them; or none can be read.
    """
    media = encode_sample(runner, [case for case in cases if case.media])
    texts = encode_sample(runner, [case for case in cases if case.condition in ("text", "no_media")])
    changed = sum(_changes_output(runner, case) for case in media)
    if media and not changed:
        raise SeaError(
            f"the model ignores its media: its output for {len(media)} of them is the same as for the blank input",
            hint="Check the plugin: sea plugins check NAME. Check that the media are not blank: sea bench check DIR",
        )
    example = next((prompt_text(case) for case in cases), "")
    return Preflight(
        device=device,
        chat=runner.mllm.render(example, media=True),
        media=len(media),
        media_changed=changed,
        batched=len(media) + len(texts),
        batched_same=sum(_same_in_batch(runner, group) for group in (media, texts) if group),
    )


def choose_batch_size(config: AnswerConfig, found: Preflight | None) -> int:
    """Return how many cases are answered at a time: one if the preflight found that batching changes answers."""
    same = found is not None and found.batched_same == found.batched
    return config.batch_size if same or config.keep_batches else 1


def encode_sample(runner: CaseRunner, cases: Sequence[Case]) -> list[EncodedCase]:
    """Return a few of the cases, encoded. Raises SeaError if none of those tried has a readable medium."""
    encoded, unreadable = encode_cases(runner, spread_by_length(cases, SAMPLE_SIZE))
    if unreadable:
        encoded, unreadable = encode_cases(runner, spread_by_length(cases, MAX_TRIED))
    if cases and not encoded:
        first = unreadable[0]
        raise SeaError(
            f"none of {len(unreadable)} media can be read, {first['key']}: {first['detail']}",
            hint="List the unreadable media: sea bench check DIR",
        )
    return encoded[:SAMPLE_SIZE]


def spread_by_length(cases: Sequence[Case], count: int) -> list[Case]:
    """Return the cases with the shortest and the longest text, and some between: batches differ by their padding."""
    ordered = sorted(cases, key=lambda case: (len(prompt_text(case)), case.key))
    places = dict.fromkeys(i * (len(ordered) - 1) // (count - 1) for i in range(count)) if ordered else ()
    return [ordered[place] for place in places]


def _changes_output(runner: CaseRunner, encoded: EncodedCase) -> bool:
    """Return whether the medium changes the logits of the answer's first token, compared with the blank input."""
    blank = replace(encoded, embedding=runner.blank)
    return changes_logits(_first_logits(runner, blank), _first_logits(runner, encoded))


def _first_logits(runner: CaseRunner, encoded: EncodedCase) -> Tensor:
    assert encoded.embedding is not None  # only cases with media are compared
    ids = runner.mllm.prompt_ids(prompt_text(encoded.case), encoded.embedding)
    return runner.mllm.decode([ids], [encoded.embedding], 1, logits=True)[1][0]


def _same_in_batch(runner: CaseRunner, cases: Sequence[EncodedCase]) -> int:
    """Return how many cases have the same answer alone and in a batch."""
    return sum(runner.answer([case])[0] == ids for case, ids in zip(cases, runner.answer(cases), strict=True))
