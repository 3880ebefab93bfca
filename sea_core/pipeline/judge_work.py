"""Stored answers that judges are to rate, as work that several processes may share: a row is an answer and a judge.

A run may come from anybody, so it lends a worker no server, key or model: a worker judges only with judges that it was
given itself, and these must be the command's.
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, ClassVar, Generic, TypeAlias, TypeVar

from pydantic import JsonValue

from sea_core.config import default_values
from sea_core.errors import RunError, number_of
from sea_core.judges.base import CachingJudge, Judge, JudgeConfig, JudgeFactory, Measure, Verdict
from sea_core.judges.registry import CACHE, open_judges, settings_read
from sea_core.judges.score import (
    AnswerStore,
    StoredAnswer,
    count_failed,
    judge_answers,
    verdict_record,
    without_verdict,
)
from sea_core.llm.cache import WorkerCompletions, completion_log
from sea_core.llm.config import LLMConfig
from sea_core.pipeline.launch import WorkerCommand
from sea_core.pipeline.progress import Progress
from sea_core.pipeline.shared_work import SharedOrder, SharedWork, WorkerOptions
from sea_core.pipeline.worker_process import own_device
from sea_core.plugin import loader
from sea_core.runs.block import HINT as CUT_HINT
from sea_core.runs.block import ROWS, BlockRow
from sea_core.runs.block_folder import JUDGE_BLOCKS
from sea_core.runs.blocks import ORDER, Blocks
from sea_core.runs.folder import RunFolder
from sea_core.runs.journal_blocks import JournalBlocks
from sea_core.runs.jsonl import JsonlLog
from sea_core.runs.records import Label
from sea_core.schema import parse_json

R = TypeVar("R", bound=RunFolder[Any])
Binding: TypeAlias = tuple[str, ...]
"""The values that identify an answer, its text included (see `StoredAnswer`)."""

COMPARED = ("max_tokens", "seed")
"""Settings of a judge's model that can change a verdict, besides the model itself, which is in the judge's name."""


@dataclass(frozen=True)
class NamedJudge:
    """A judge of a command as a worker finds it again.

    Attributes:
        given: its name as it was typed. measures: which of the judges of that name it is.
        name, prompt_sha: the judge's own, with which its verdicts are stored.
    """

    given: str
    measures: Measure
    name: str
    prompt_sha: str

    def factory(self) -> JudgeFactory:
        """Return what opens the judge. Raises SeaError if there is none of its name."""
        return loader.judges({self.measures}).get(self.given)


@dataclass(frozen=True)
class JudgeOptions:
    """What the workers of a command are to judge with. `settings`: those that can change a verdict."""

    judges: Sequence[NamedJudge]
    settings: Mapping[str, JsonValue]


@dataclass(frozen=True)
class Judging(Generic[R]):
    """A judge, and the answers of a run that it rates."""

    judge: Judge
    answers: Callable[[R], AnswerStore]


class JudgeWork(SharedWork[R]):
    """Answers to be rated by judges, of which one rates at most `batch_size` answers at a time."""

    unit: ClassVar[str] = "answers"
    blocks_name: ClassVar[str] = JUDGE_BLOCKS

    def __init__(
        self,
        run: R,
        judgings: Sequence[Judging[R]],
        title: str = "judge",
        command: WorkerCommand | None = None,
        batch_size: int = 1,
    ) -> None:
        super().__init__(run, command)
        self._batch_size = batch_size
        self.title = title
        self._replies = WorkerCompletions(completion_log(run.folder / CACHE))
        self.blocks = JournalBlocks(run, self.blocks_name, (self._replies.log,))
        self._judgings = {(_journal(each, run), each.judge.name): each for each in judgings}
        self._stored: dict[str, dict[Binding, StoredAnswer]] = {}

    @property
    def batch_size(self) -> int:
        return self._batch_size

    def rows(self) -> list[BlockRow]:
        """Return all answers with each judge, rated or not; those of one length beside each other, for batches."""
        return [
            {"id": json.dumps([journal, judge, *answer.binding.values()]), "value": {}}
            for (journal, judge), judging in self._judgings.items()
            for answer in sorted(judging.answers(self.run).stored_answers(), key=_length_and_text)
        ]

    def load(self) -> None:
        """Do nothing: a judge loads its model for the first answer."""

    def left(self, run: R, rows: Sequence[BlockRow]) -> list[BlockRow]:
        """Return the rows without a final verdict; none whose answer has changed since."""
        left: set[str] = set()
        for judging, answers in self._groups(run, rows):
            verdicts = _own(judging.answers(run).verdicts, run)
            pending = {_binding(each) for each in without_verdict(list(answers.values()), judging.judge, verdicts)}
            left |= {row_id for row_id, answer in answers.items() if _binding(answer) in pending}
        return [row for row in rows if row["id"] in left]

    def do(self, run: R, rows: Sequence[BlockRow]) -> Iterator[int]:
        for judging, answers in self._groups(run, rows):
            judge, verdicts = judging.judge, judging.answers(run).verdicts
            if run.is_in_block and isinstance(judge, CachingJudge):
                judge = judge.with_cache(self._replies.in_block(verdicts.path.parent))
            yield from judge_answers(list(answers.values()), judge, verdicts)

    def give_up(self, run: R, row: BlockRow, reason: str) -> None:
        """Store a verdict that is not final: the next command asks the judge again."""
        for judging, answers in self._groups(run, [row]):
            label: Label = "unjudged" if judging.judge.measures == "content" else "error"
            for answer in answers.values():
                verdict = Verdict(answer.answer.key, label, detail=reason)
                judging.answers(run).verdicts.append([verdict_record(answer, judging.judge, verdict)])

    def finish(self, progress: Progress) -> None:
        """Say how many calls have failed."""
        if failed := sum(self._failed_calls().values()):
            calls = number_of(failed, "failed call")
            progress.note(f"{calls}: re-run the same `sea bench judge` command to retry")

    def failures(self) -> Mapping[str, int]:
        return self._failed_calls()

    @property
    def judges(self) -> list[Judge]:
        """The judges that rate the answers."""
        return [judging.judge for judging in self._judgings.values()]

    def _failed_calls(self) -> dict[str, int]:
        failed: dict[str, int] = {}
        for judging in self._judgings.values():
            answers = judging.answers(self.run)
            what = f"failed calls of {judging.judge.name}"
            count = count_failed(answers.stored_answers(), judging.judge, answers.verdicts)
            failed[what] = failed.get(what, 0) + count
        return failed

    def make_room(self, progress: Progress, *, needs_blocks: bool) -> None:
        """Take from workers what an earlier command has left to them, but not the answers that other judges rate.

        It takes these too where it needs blocks itself, and says so.

        Args:
            needs_blocks: whether this command leaves answers to other processes.
        """
        self.blocks.put_aside_damage()
        own = {(judging.judge.measures, judging.judge.name) for judging in self._judgings.values()}
        ordered = _judges_of(self.blocks)
        others = [judge.name for judge in ordered if (judge.measures, judge.name) not in own]
        if others and len(others) == len(ordered) and not needs_blocks:
            self.blocks.join_collected()
            self.blocks.join()
            if left := self.blocks.count_left():
                progress.note(f"{left} verdicts by {' and '.join(others)} are still left to workers")
            return
        left = self._count_left_of(others)
        self.take_back()
        if left:
            progress.note(
                f"up to {left} verdicts by {' and '.join(others)} were left to workers, and are left to them no more: "
                "to have them, re-run the `sea bench judge` command of that judge"
            )

    def _count_left_of(self, judges: Collection[str]) -> int:
        """Return how many rows of these judges are in blocks that are not done."""
        logs = [JsonlLog(block.path / ROWS, BlockRow) for block in self.blocks.unfinished()] if judges else []
        return sum(self._parsed(row)[0][1] in judges for log in logs for row in log.read(skip_damaged=True))

    def _groups(self, run: R, rows: Sequence[BlockRow]) -> Iterator[tuple[Judging[R], dict[str, StoredAnswer]]]:
        """Yield each judge with the answers that its rows name, by the ids of the rows."""
        groups: dict[tuple[str, str], dict[str, Binding]] = {}
        for row in rows:
            key, binding = self._parsed(row)
            groups.setdefault(key, {})[row["id"]] = binding
        for key, bindings in groups.items():
            if key not in self._judgings:
                raise RunError(f"no judge of the command rates the row {key}", hint=CUT_HINT, where=self._where)
            stored = self._answers(key, bindings.values())
            yield self._judgings[key], {row_id: stored[each] for row_id, each in bindings.items() if each in stored}

    def _parsed(self, row: BlockRow) -> tuple[tuple[str, str], Binding]:
        """Return the journal and the judge that the id of a row names, and which answer. Raises RunError."""
        what = "a row of the blocks"
        found = parse_json(row["id"], Binding, what=what, hint=CUT_HINT, where=self._where, error=RunError)
        if len(found) < 3:
            raise RunError(f"{what} names no answer", hint=CUT_HINT, where=self._where)
        return (found[0], found[1]), found[2:]

    @property
    def _where(self) -> str:
        return str(self.blocks.folder)

    def _answers(self, key: tuple[str, str], wanted: Iterable[Binding]) -> Mapping[Binding, StoredAnswer]:
        """Return the run's answers. They are read once, and once more where an answer is new."""
        journal, known = key[0], self._stored.get(key[0], {})
        if not known.keys() >= set(wanted):
            stored = self._judgings[key].answers(self.run).stored_answers()
            known = self._stored[journal] = {_binding(each): each for each in stored}
        return known


def _journal(judging: Judging[R], run: R) -> str:
    return judging.answers(run).verdicts.path.name


def _binding(answer: StoredAnswer) -> Binding:
    return tuple(answer.binding.values())


def _length_and_text(stored: StoredAnswer) -> tuple[int, str, str]:
    answer = stored.answer
    return len(answer.question) + len(answer.answer), answer.question, answer.answer


def _own(journal: JsonlLog[Any], run: RunFolder[Any]) -> JsonlLog[Any]:
    """Return a journal without what it continues: the run itself has no verdict on the rows of a block."""
    return journal.elsewhere(journal.path.parent) if run.is_in_block else journal


# --- which judges -----------------------------------------------------------------------------------------------------


def name_judges(given: Sequence[str], judges: Sequence[Judge]) -> list[NamedJudge]:
    """Return judges as workers find them again, from their names as they were typed."""
    return [
        NamedJudge(name, judge.measures, judge.name, judge.prompt_sha)
        for name, judge in zip(given, judges, strict=True)
    ]


def judge_options(judges: Sequence[NamedJudge], config: JudgeConfig) -> dict[str, Any]:
    """Return what workers need to know of the judges of a command."""
    stored = JudgeOptions(judges, _compared(config, judges))
    options: dict[str, Any] = json.loads(json.dumps(asdict(stored)))
    return options


def judge_command(judges: Sequence[NamedJudge], config: JudgeConfig) -> WorkerCommand:
    """Return the command of a worker that judges with the judges of this command."""
    names = dict.fromkeys(judge.given for judge in judges)
    arguments = tuple(argument for name in names for argument in ("--judge", name))
    settings = {each.group: _changed(each) for each in (config.llm, config.guard)}
    device = judge_device((judge.factory() for judge in judges), config)
    return WorkerCommand(device, arguments, {group: own for group, own in settings.items() if own})


def judge_device(judges: Iterable[JudgeFactory], config: JudgeConfig) -> str:
    """Return the device of the judges that run a model here: the CPU if none does, `auto` if they differ."""
    read = settings_read(judge for judge in judges if judge.runs_here(config))
    devices = {each.device for each in (config.llm, config.guard) if each.group in read}
    return (devices or {"cpu"}).pop() if len(devices) < 2 else "auto"


def judge_batch_size(judges: Iterable[NamedJudge], config: JudgeConfig) -> int:
    """Return how many answers judges rate at a time."""
    read = settings_read(judge.factory() for judge in judges)
    return max((each.batch_size for each in (config.llm, config.guard) if each.group in read), default=1)


def _judges_of(blocks: Blocks) -> Sequence[NamedJudge]:
    """Return the judges of the command that has left answers to workers; none if its order is damaged."""
    try:
        order = blocks.read(ORDER, SharedOrder)
        return read_judge_options(blocks.run, order).judges if order else ()
    except RunError:
        return ()


def read_judge_options(folder: Path, order: SharedOrder) -> JudgeOptions:
    """Return with what the workers of a run are to judge. Raises RunError where that is damaged."""
    text, what = json.dumps(order.options), "what the workers of sea bench judge are to do"
    return parse_json(text, JudgeOptions, what=what, hint=CUT_HINT, where=str(folder), error=RunError)


def open_named_judges(folder: Path, stored: JudgeOptions, options: WorkerOptions) -> list[Judge]:
    """Return the judges of a run for a worker, which must have been given them.

    Raises:
        RunError: it was not, or its judges are others than the command's.
        SeaError: there is no such judge, or a setting is missing.
    """
    wanted = list(dict.fromkeys(judge.given for judge in stored.judges))
    if missing := [name for name in wanted if name not in options.judges]:
        typed = f"sea worker {shlex.quote(str(folder))} --judge NAME ..."
        raise RunError(
            f"the answers in {folder} are to be rated by a judge that was not given to this worker: {missing[0]}",
            hint="A run may come from anybody, so it chooses no model or server for a worker. If you trust it, type the"
            f" judges with their settings as in `sea bench judge`: {typed}",
        )
    config = _on_own_device(options.judge_config, options.device)
    for name, value in _compared(config, stored.judges).items():
        if value != (expected := stored.settings.get(name)):
            raise RunError(
                f"the command judges with {name}={expected}, and this worker with {value}",
                hint=f"Type the value of the command: -o {name}=VALUE",
            )
    return [_open(folder, judge, config) for judge in stored.judges]


def _open(folder: Path, stored: NamedJudge, config: JudgeConfig) -> Judge:
    (judge,) = open_judges([stored.given], loader.judges({stored.measures}), config, folder)
    if (judge.name, judge.prompt_sha) != (stored.name, stored.prompt_sha):
        raise RunError(
            f"the judge {stored.given} of the command is {stored.name}, and that of this worker {judge.name}",
            hint="All workers of a run judge with the same model and the same version of SEA.",
        )
    return judge


def _on_own_device(config: JudgeConfig, device: str) -> JudgeConfig:
    """Return the settings with the device of this process, which is that of the judges whose own is `auto`."""

    def placed(device_of_judge: str) -> str:
        return own_device(device if device_of_judge == "auto" else device_of_judge)

    llm, guard = config.llm, config.guard
    return JudgeConfig(replace(llm, device=placed(llm.device)), replace(guard, device=placed(guard.device)))


def _compared(config: JudgeConfig, judges: Iterable[NamedJudge]) -> dict[str, JsonValue]:
    """Return the settings that can change a verdict of these judges."""
    read = settings_read(judge.factory() for judge in judges)
    groups = [each for each in (config.llm, config.guard) if each.group in read]
    return {f"{each.group}.{name}": getattr(each, name) for each in groups for name in COMPARED}


def _changed(config: LLMConfig) -> dict[str, Any]:
    """Return the settings that differ from their defaults."""
    defaults = default_values(type(config)())
    return {name: value for name, value in default_values(config).items() if value != defaults[name]}
