"""The checks before a benchmark run counts anything: media change the answer, and batching does not."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import cast

import torch
from torch import Tensor

from sea_bench.case import Case
from sea_bench.layout import modality_parts
from sea_bench.medium import media_files
from sea_bench.run.answering import (
    AnsweringModel,
    CasePrompt,
    FailedAnswer,
    GeneratedAnswer,
    Medium,
    ReadCase,
)
from sea_bench.run.config import AnswerConfig
from sea_bench.run.local import SMALLER_HINT, LocalAnsweringModel
from sea_bench.run.media_parts import MessagePart
from sea_bench.run.run_folder import Preflight
from sea_bench.run.runner import DESCRIPTION_TOKENS, case_prompt, prompt_text, read_cases
from sea_bench.run.served import ServedAnsweringModel
from sea_core.errors import DataError, SeaError
from sea_core.model.embedding import Embedding
from sea_core.model.numerics import changes_logits

SAMPLE_SIZE = 4
"""Number of cases that are checked."""
MAX_TRIED = 16
"""Number of cases that are tried if some media cannot be read, or none changes the output: those may be blank."""
BLANK = "blank"
PLUGIN_HINT = "Check the plugin: sea plugins check NAME."
SERVER_HINT = "Some servers take no video: -o server.frames=8 sends frames as images."


def preflight(model: LocalAnsweringModel, cases: Sequence[Case], config: AnswerConfig, device: str) -> Preflight:
    """Check on a few cases that media change the model's output, and whether batching changes answers.

    Raises:
        SeaError: no medium changes the output, or none of one of the modalities that are joined does, so the model does
            not process them; or none can be read, or fits into memory.
    """
    with_media, texts = [case for case in cases if case.media], read_sample(model, _without_media(cases))
    try:
        media, changed = _count_changed(model, with_media, lambda read: replace(read, medium=model.blank))
        if media and not changed:
            raise _ignored(len(media), PLUGIN_HINT)
        _require_each_modality(model, cases)
    except torch.OutOfMemoryError as error:
        raise SeaError("a single case does not fit into memory", hint=SMALLER_HINT) from error
    example = next((prompt_text(case) for case in cases), "")
    batches = media[:SAMPLE_SIZE], texts
    return Preflight(
        device=device,
        chat=model.mllm.render(example, media=True),
        media=len(media),
        media_changed=changed,
        batched=sum(map(len, batches)),
        batched_same=sum(sum(_same_in_batch(model.answer, group, config)) for group in batches),
    )


def _require_each_modality(model: LocalAnsweringModel, cases: Sequence[Case]) -> None:
    """Check of joint media that each modality changes the output: a model may see pictures and hear nothing."""
    parts = modality_parts(model.mllm.adapter.modality)
    for part in parts if len(parts) > 1 else ():
        of_part = [case for case in cases if _shows(case, part)]
        read, changed = _count_changed(model, of_part, partial(model.read_without, part=part))
        if read and not changed:
            raise SeaError(
                f"the model ignores the {part} of its media: its output for {len(read)} of them is the same as with a "
                "blank one",
                hint=f"{PLUGIN_HINT} Check that the media are not blank: sea bench check DIR",
            )


def _shows(case: Case, part: str) -> bool:
    """Return whether a case's medium has a file of a modality."""
    try:
        return case.media is not None and part in media_files(case.media, case.modality)
    except DataError:  # what is wrong with it is stored when its turn comes
        return False


def preflight_server(model: ServedAnsweringModel, cases: Sequence[Case], config: AnswerConfig) -> Preflight:
    """Check on a few cases that the server answers, that media change the answers, and that they can be repeated.

    Answers are compared, as a server gives no logits: what the model says that a medium shows, and that the blank input
    shows. If it says two things of the blank input, a difference proves nothing, and no medium counts as one that
    changes the answer.

    Raises:
        SeaError: no medium changes the answer, or none of one of the modalities that are joined does, so the server or
            the model leaves them out; or the server left a question without an answer.
    """
    media, texts = read_samples(model, cases)
    own = {read.case.key: cast(list[MessagePart], read.medium) for read in media}
    shown = _describe(model, own)
    blank = list(_describe(model, {f"{BLANK} {i}": model.blank for i in range(2)}).values()) if media else []
    repeats = not media or (len(blank) == 2 and len(set(blank)) == 1)
    same = [each for group in (media, texts) for each in _same_in_batch(partial(_ask, model), group, config)]
    changed = sum(text not in blank for text in shown.values()) if repeats else 0
    if media and repeats and not changed:
        raise _ignored(len(media), f"Does it take {model.target.modality}? {SERVER_HINT}")
    if repeats:
        _require_each_part(model, own, shown)
    return Preflight(
        device=model.target.address,
        chat="",
        media=len(media),
        media_changed=changed,
        batched=len(same),
        batched_same=sum(same),
        omitted=model.target.client.omitted,
    )


def _require_each_part(
    model: ServedAnsweringModel, media: Mapping[str, list[MessagePart]], shown: Mapping[str, str]
) -> None:
    """Check of joint media that each part changes the answer: a server may take pictures and leave out sounds."""
    kinds = list(dict.fromkeys(part["type"] for part in model.blank))
    for kind in kinds if len(kinds) > 1 else ():
        having = {key: media[key] for key in shown if any(part["type"] == kind for part in media[key])}
        answers = _describe(model, {key: _with_blank(parts, model.blank, kind) for key, parts in having.items()})
        if having and all(answers.get(key) == shown[key] for key in having):
            raise SeaError(
                f"the model ignores the parts {kind} of its media: with blank ones its answers are the same",
                hint=f"Does the server take {model.target.modality} together? {SERVER_HINT}",
            )


def _with_blank(parts: Sequence[MessagePart], blank: Sequence[MessagePart], kind: str) -> list[MessagePart]:
    """Return the parts of a medium with blank ones of one kind, in the order of the kinds."""
    kinds = dict.fromkeys(part["type"] for part in blank)
    return [part for each in kinds for part in (blank if each == kind else parts) if part["type"] == each]


def _describe(model: ServedAnsweringModel, media: Mapping[str, Medium | None]) -> dict[str, str]:
    """Return what the model says that media show, by their keys. Raises SeaError if the server answers none."""
    question = model.comprehension_question
    prompts = [CasePrompt(key, question, each, DESCRIPTION_TOKENS) for key, each in media.items()]
    answers = list(model.answer(prompts))
    failed = [answer for answer in answers if isinstance(answer, FailedAnswer)]
    if failed and len(failed) == len(answers):
        what = f"the server answers no question about a medium: {failed[0].status}: {failed[0].detail}"
        raise SeaError(what, hint=f"Does it take {model.target.modality}? {SERVER_HINT}")
    return {answer.key: answer.text for answer in _required(answers) if isinstance(answer, GeneratedAnswer)}


def _ask(model: ServedAnsweringModel, prompts: Sequence[CasePrompt]) -> list[GeneratedAnswer | FailedAnswer]:
    return _required(list(model.answer(prompts)))


def _required(answers: list[GeneratedAnswer | FailedAnswer]) -> list[GeneratedAnswer | FailedAnswer]:
    """Return the answers. Raises SeaError if the server gave none for the time being: half a check proves nothing."""
    for answer in answers:
        if isinstance(answer, FailedAnswer) and answer.status == "failed":
            what = f"the server left a question of the check before the run without an answer: {answer.detail}"
            raise SeaError(what, hint="Nothing of this check is kept. Re-run the same command when the server answers.")
    return answers


def _ignored(count: int, hint: str) -> SeaError:
    return SeaError(
        f"the model ignores its media: its output for {count} of them is the same as for the blank input",
        hint=f"{hint} Check that the media are not blank: sea bench check DIR",
    )


def choose_batch_size(config: AnswerConfig, found: Preflight | None) -> int:
    """Return how many cases are answered at a time: one if the preflight found that batching changes answers."""
    same = found is not None and found.batched_same == found.batched
    return config.batch_size if same or config.keep_batches else 1


def read_samples(model: AnsweringModel, cases: Sequence[Case]) -> tuple[list[ReadCase], list[ReadCase]]:
    """Return a few of the cases with a medium, and a few of those without."""
    return (
        read_sample(model, [case for case in cases if case.media]),
        read_sample(model, _without_media(cases)),
    )


def _without_media(cases: Sequence[Case]) -> list[Case]:
    return [case for case in cases if case.condition in ("text", "no_media")]


def read_sample(model: AnsweringModel, cases: Sequence[Case], count: int = SAMPLE_SIZE) -> list[ReadCase]:
    """Return up to `count` of the cases, read. Raises SeaError if none of those tried has a readable medium."""
    read, unreadable = read_cases(model, spread_by_length(cases, count))
    if unreadable and count < MAX_TRIED:
        read, unreadable = read_cases(model, spread_by_length(cases, MAX_TRIED))
    if cases and not read:
        first = unreadable[0]
        raise SeaError(
            f"none of {len(unreadable)} media can be read, {first['key']}: {first['detail']}",
            hint="List the unreadable media: sea bench check DIR",
        )
    return read[:count]


def spread_by_length(cases: Sequence[Case], count: int) -> list[Case]:
    """Return the cases with the shortest and the longest text, and some between: batches differ by their padding."""
    ordered = sorted(cases, key=lambda case: (len(prompt_text(case)), case.key))
    places = dict.fromkeys(i * (len(ordered) - 1) // (count - 1) for i in range(count)) if ordered else ()
    return [ordered[place] for place in places]


def _count_changed(
    model: LocalAnsweringModel, cases: Sequence[Case], blanked: Callable[[ReadCase], ReadCase]
) -> tuple[list[ReadCase], int]:
    """Return a few of the cases, and of how many the medium changes the output; if of none, of more cases."""
    read, changed = list[ReadCase](), 0
    for count in (SAMPLE_SIZE, MAX_TRIED):
        read = read_sample(model, cases, count)
        changed = sum(_changes_output(model, each, blanked(each)) for each in read)
        if changed:
            break
    return read, changed


def _changes_output(model: LocalAnsweringModel, read: ReadCase, blanked: ReadCase) -> bool:
    """Return whether the medium changes the logits of the answer's first token, compared with a blank one."""
    before, after = (_first_logits(model, each.case, each.medium) for each in (blanked, read))
    return changes_logits(before, after)


def _first_logits(model: LocalAnsweringModel, case: Case, medium: Medium | None) -> Tensor:
    assert isinstance(medium, Embedding)  # only cases with media are compared
    ids = model.mllm.prompt_ids(prompt_text(case), medium)
    return model.mllm.decode([ids], [medium], 1, logits=True)[1][0]


def _same_in_batch(
    answer: Callable[[Sequence[CasePrompt]], Iterable[GeneratedAnswer | FailedAnswer]],
    cases: Sequence[ReadCase],
    config: AnswerConfig,
) -> list[bool]:
    """Return of each case that is answered both alone and in a batch whether the answers are the same."""
    prompts = [case_prompt(read, config.max_new_tokens) for read in cases]
    together = {each.key: each for each in answer(prompts)}
    pairs = [(together[each.key], each) for prompt in prompts for each in answer([prompt])]
    return [pair[0] == pair[1] for pair in pairs if not any(isinstance(each, FailedAnswer) for each in pair)]
