"""A drill of one command: an undisturbed folder, then the same folder with stops on the way, and what must hold."""

from __future__ import annotations

import itertools
import random
import shutil
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from drills import contents
from drills.stops import Ended, Stop, call, draw_stop, run
from sea_core.cli import stop

MORE = (0, 1, 2)
"""How often a command is stopped again before it may finish."""
TRIES = 3
"""How many tries a stop may take: one may come when the command has finished."""


@dataclass(frozen=True)
class Drill:
    """A command that writes files.

    Attributes:
        arguments: of `sea`; the current folder is the drill's own, and paths of what is written are relative to it.
        prepare: writes what the command starts from into that folder.
        repairs: what it starts from is damaged, and the command makes it again.
        any_order: in batches, embeddings are finished in another order after a stop.
    """

    name: str
    arguments: Sequence[object]
    prepare: Callable[[Path], object] = field(default=lambda folder: None)
    repairs: bool = False
    any_order: bool = False


@dataclass
class Tally:
    """What was counted in a drill, and a line on each fault."""

    name: str
    operations: int = 0
    seconds: float = 0.0
    stops: Counter[str] = field(default_factory=Counter)
    reruns: int = 0
    lost: int = 0
    doubled: int = 0
    damaged: int = 0
    different: int = 0
    failed: int = 0
    faults: list[str] = field(default_factory=list)

    def add(self, kind: str, found: Sequence[object], where: str) -> None:
        """Count what was found, if anything was."""
        if found:
            setattr(self, kind, getattr(self, kind) + 1)
            self.faults.append(f"{self.name}: {kind}: {where}: {', '.join(map(str, found[:3]))}")


def perform(drill: Drill, folder: Path, stops: int, rng: random.Random, *, every: bool = False) -> Tally:
    """Run a command undisturbed, then stop it `stops` times, in as many folders as it takes.

    Args:
        every: kill it before each of its file operations instead, once.
    """
    tally = Tally(drill.name)
    template, undisturbed = folder / "template", folder / "undisturbed"
    template.mkdir(parents=True)
    call(lambda: drill.prepare(template) and None)
    shutil.copytree(template, undisturbed)
    first = run(drill.arguments, undisturbed)
    assert first.code in (0, 1), f"{drill.name}: {first.err}"
    expected = contents.examine(undisturbed, any_order=drill.any_order)
    tally.operations, tally.seconds = first.operations, first.seconds
    _check_finished(tally, undisturbed, expected, "undisturbed")
    _require_unchanged(tally, drill, undisturbed, first)
    places = rng.sample(range(1, first.operations + 1), first.operations)
    plans = iter([[Stop("kill", place)] for place in places]) if every else _plan(rng, places, first.seconds)
    for number, plan in enumerate(plans, 1):
        if not every and (tally.stops.total() >= stops or number > TRIES * stops):
            break
        work = folder / f"try-{number:03d}"
        shutil.copytree(template, work)
        _stop_and_resume(tally, drill, work, first, expected.contents, plan)
        if not any(work.name in fault for fault in tally.faults):
            shutil.rmtree(work)
            shutil.rmtree(folder / f"{work.name}.process")
    return tally


def _plan(rng: random.Random, places: Sequence[int], seconds: float) -> Iterator[list[Stop]]:
    """Yield the stops of each try. The first ones of the tries are at different operations, until all had one."""
    for place in itertools.cycle(places):
        first = replace(draw_stop(rng, len(places), seconds), operation=place)
        left = max(len(places) - place, len(places) // 4)
        yield [first, *(draw_stop(rng, left, seconds) for _ in range(rng.choice(MORE)))]


def _stop_and_resume(
    tally: Tally, drill: Drill, work: Path, first: Ended, expected: Mapping[str, str], plan: Sequence[Stop]
) -> None:
    """Stop a command as planned, let it finish, and check its folder at each stop and at the end."""
    written: set[tuple[str, str]] = set()
    done = False
    for number, at in enumerate(plan):
        ended = run(drill.arguments, work, at)
        tally.reruns += number > 0
        written |= set(ended.written)
        where = f"{work.name}, stop {number + 1} ({at})"
        done = not ended.stopped
        if done:
            _require_code(tally, ended, first, where)
            break
        tally.stops[at.kind] += 1
        _check_stopped(tally, drill, work, ended, written, where)
    if not done:
        ended = run(drill.arguments, work)
        tally.reruns += 1
        written |= set(ended.written)
        _require_code(tally, ended, first, work.name)
    found = contents.examine(work, any_order=drill.any_order)
    _check_written(tally, found, written, work.name)
    _check_finished(tally, work, found, work.name)
    tally.add("different", contents.list_differences(found.contents, expected), work.name)


def _check_stopped(
    tally: Tally, drill: Drill, work: Path, ended: Ended, written: set[tuple[str, str]], where: str
) -> None:
    """Check a folder after a stop: what was reported is there, and nothing is half written or twice there."""
    if ended.code == stop.CODE and (stop.STOPPED not in ended.err or "Traceback" in ended.err):
        tally.add("failed", [ended.err[-2000:]], where)
    found = contents.examine(work)
    tally.add("damaged", [] if drill.repairs else found.damaged, where)
    tally.add("doubled", found.doubled, where)
    _check_written(tally, found, written, where)


def _check_written(tally: Tally, found: contents.Findings, written: set[tuple[str, str]], where: str) -> None:
    missing = [each for each in written if Path(each[0]).name not in contents.REWRITTEN and each not in found.records]
    tally.add("lost", sorted(missing), where)


def _check_finished(tally: Tally, work: Path, found: contents.Findings, where: str) -> None:
    tally.add("damaged", found.damaged, where)
    tally.add("doubled", found.doubled, where)
    rest = [str(path.relative_to(work)) for path in work.rglob(".*") if path.suffix == ".part"]
    tally.add("failed", rest, f"{where}, what is left of interrupted writes")


def _require_code(tally: Tally, ended: Ended, first: Ended, where: str) -> None:
    if ended.code != first.code:
        tally.add("failed", [f"exit code {ended.code} instead of {first.code}: {ended.err[-2000:]}"], where)


def _require_unchanged(tally: Tally, drill: Drill, folder: Path, first: Ended) -> None:
    """Run a finished command again: it changes no byte."""
    before = call(lambda: contents.read_bytes(folder))
    again = run(drill.arguments, folder)
    _require_code(tally, again, first, "run again")
    after = call(lambda: contents.read_bytes(folder))
    tally.add("different", contents.list_differences(after, before), "run again")


def table(tallies: Sequence[Tally]) -> Iterator[str]:
    """Yield the counts as a table in Markdown."""
    names = ("lost", "doubled", "damaged", "different", "failed")
    yield f"| command | operations | stops | kill | TERM | Ctrl-C | re-runs | {' | '.join(names)} |"
    yield "|---" * (7 + len(names)) + "|"
    for tally in tallies:
        kinds = (
            tally.stops["kill"] + tally.stops["cut"],
            tally.stops["term"],
            tally.stops["int"] + tally.stops["int, int"],
        )
        counts = (tally.operations, tally.stops.total(), *kinds, tally.reruns, *(getattr(tally, n) for n in names))
        yield f"| {tally.name} | {' | '.join(map(str, counts))} |"
