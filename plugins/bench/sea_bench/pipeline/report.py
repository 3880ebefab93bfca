"""`sea bench report` from Python: the metrics of one or more benchmark runs, side by side."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from sea_bench.labels.labels import Labels
from sea_bench.report.agreement import Agreement, compare_judges, compare_people
from sea_bench.report.calibration import Calibration, calibrate
from sea_bench.report.changes import PairedChange, make_changes
from sea_bench.report.comprehension import Comprehension, measure_comprehension
from sea_bench.report.metrics import NAMES
from sea_bench.report.reliability import reliability_notes
from sea_bench.report.render import TextTable, describe_comprehension, report_tables
from sea_bench.report.seeds import ArmChange, compare_arms
from sea_bench.report.summary import (
    NONE_IN_COMMON,
    RunSummary,
    describe_differences,
    summarise_run,
    unrated_ratio,
    unsafe_on_benign,
)
from sea_bench.report.tables import Table, make_tables
from sea_bench.report.unused_labels import unused_label_notes
from sea_bench.run.run_folder import BenchRun
from sea_core.errors import SeaError, number_of, suggest
from sea_core.runs.calibration import MIN_LABELS
from sea_core.runs.folder import require_distinct
from sea_core.runs.label_errors import PEOPLE

RELIABLE_UNRATED = 0.02
"""With a larger ratio of unrated cases the metrics are not reliable."""
SHOWN = 5
"""Number of cases that are named in a note."""


class UnusedLabelErrors(SeaError):
    """Label errors that would change no figure of these runs."""


@dataclass(frozen=True)
class RunGaps:
    """What the metrics of a run leave out.

    Attributes:
        label: the run's name in the tables.
        unrated: by judge, the ratio of the run's cases that it has not rated, for whatever reason.
        unsafe_on_benign: by judge of safety, how many answers to the benign twin it rates unsafe, and how many it
            rates.
    """

    label: str
    summary: RunSummary
    unrated: Mapping[str, float]
    unsafe_on_benign: Mapping[str, tuple[int, int]]

    @property
    def is_reliable(self) -> bool:
        """Whether the run has been judged, and each judge has rated nearly all cases."""
        return bool(self.unrated) and max(self.unrated.values()) <= RELIABLE_UNRATED


@dataclass(frozen=True)
class Report:
    """The metrics of benchmark runs.

    Attributes:
        judges: the judges of the tables.
        runs: what the metrics of each run leave out.
        tables: one for each judge and measure.
        changes: with two runs, how each metric changes from the first to the second, paired by case.
        arm_changes: with two arms of several runs, how the mean of each metric changes from the first to the second.
        comprehension: by run and task, what the model understands, and the metrics among that. Empty where it was not
            asked.
        calibrations: each judge beside people's labels, and the metrics corrected by them. Empty without labels.
        agreements: of each pair of judges of a run. people: of each pair of people who labelled a run.
        unused_labels, differences: sentences that say which labels correct no figure, and how the cases of a run differ
            from those of the first run.
    """

    judges: tuple[str, ...]
    runs: tuple[RunGaps, ...]
    tables: tuple[Table, ...]
    changes: tuple[PairedChange, ...]
    arm_changes: tuple[ArmChange, ...]
    comprehension: tuple[Comprehension, ...]
    calibrations: tuple[Calibration, ...]
    agreements: tuple[Agreement, ...]
    people: tuple[Agreement, ...]
    unused_labels: tuple[str, ...]
    differences: tuple[str, ...]

    @property
    def labels(self) -> list[str]:
        return [run.label for run in self.runs]

    @property
    def is_reliable(self) -> bool:
        """Whether all runs are reliable."""
        return all(run.is_reliable for run in self.runs)

    def text_tables(self, *, disagreements: bool = False) -> list[TextTable]:
        """Return every table as text: what `sea bench report` prints and the page of `sea report` shows.

        Args:
            disagreements: add a table of the answers that judges rate differently.
        """
        return report_tables(
            self.tables,
            self.labels,
            self.agreements,
            self.changes,
            self.comprehension,
            self.arm_changes,
            self.calibrations,
            self.people,
            disagreements=disagreements,
        )

    def notes(self) -> list[str]:
        """Return in sentences what the tables leave out, and how the cases of the runs differ."""
        gaps = [note for run in self.runs for note in _gap_notes(run, self.judges)]
        comprehension = [note for each in self.comprehension for note in _comprehension_notes(each)]
        return [*self.differences, *gaps, *self._unjudged_comprehension_notes(), *comprehension, *self._label_notes()]

    def _unjudged_comprehension_notes(self) -> Iterator[str]:
        """Yield a note for each judged run of which nobody has judged what its model understands, for all its tasks."""
        unknown = {each.run for each in self.comprehension if each.is_understood is None and each.not_judged}
        for run in self.runs:
            if run.label in unknown and run.unrated:
                typed = _command("judge", [run.summary.folder])
                yield f"{run.label}: it is unknown which media are understood. Type: {typed}"

    def _label_notes(self) -> Iterator[str]:
        """Yield what to type where nobody has labelled the answers of judged runs."""
        if not self.calibrations and any(run.unrated for run in self.runs):
            typed = _command("label", [run.summary.folder for run in self.runs])
            yield f"No person has labelled these answers: how far are the judges right? Type: {typed}"
        if self.calibrations and (most := max(each.labels for each in self.calibrations)) < MIN_LABELS:
            typed = _command("label", [run.summary.folder for run in self.runs])
            yield (
                f"too few labels to say how far the judges are right: a figure needs {MIN_LABELS}, and has {most} at "
                f"most; harmful and benign answers count apart. Label more: {typed}"
            )
        yield from self.unused_labels
        yield from reliability_notes(self.calibrations)

    def as_dict(self) -> dict[str, Any]:
        """Return the report as `sea bench report --json` prints it."""
        return {
            "runs": [asdict(run.summary) | {"unrated": run.unrated} for run in self.runs],
            "tables": [asdict(table) for table in self.tables],
            "changes": [asdict(change) for change in self.changes],
            "arm_changes": [asdict(change) for change in self.arm_changes],
            "comprehension": [asdict(each) for each in self.comprehension],
            "calibration": [asdict(each) for each in self.calibrations],
            "agreement": [asdict(agreement) for agreement in self.agreements],
            "agreement_of_people": [asdict(agreement) for agreement in self.people],
        }


def report_runs(
    runs: Sequence[BenchRun | Path | str],
    *,
    after: Sequence[BenchRun | Path | str] = (),
    judges: Sequence[str] = (),
    label_errors: str = "",
) -> Report:
    """Compute ASR, refusal rates and over-refusal of runs, from their stored answers and verdicts.

    Args:
        runs: benchmark runs; with two, the tables show the change from the first to the second.
        after: runs of one model that was made with several seeds, to compare with `runs`: one run, or several seeds.
        judges: only judges whose names begin so; default: all.
        label_errors: how often people's labels are wrong (see `calibrate`).

    Raises:
        RunError: a folder is not a benchmark run, or is given twice.
        SeaError: no judge of that name has judged the runs.
        UnusedLabelErrors: label errors without labels, a judge, or answers with labels of two people.
    """
    arms = [[run if isinstance(run, BenchRun) else BenchRun(Path(run)) for run in arm] for arm in (runs, after)]
    opened = [run for arm in arms for run in arm]
    require_distinct(run.folder for run in opened)
    has_seeds = bool(after) and len(opened) > 2
    known = list(dict.fromkeys(name for run in opened for name in run.verdicts_by_judge()))
    selected = _select_judges(judges, known)
    gaps = [_gaps(run, label, selected) for run, label in zip(opened, _labels(opened), strict=True)]
    tables = make_tables(opened, selected)
    differences = describe_differences(opened)
    has_seeds = has_seeds and NONE_IN_COMMON not in differences
    calibrations = calibrate(opened, [run.label for run in gaps], tables, label_errors)
    if label_errors:
        _require_uses(label_errors, calibrations, opened)
    return Report(
        judges=tuple(selected),
        runs=tuple(gaps),
        tables=tuple(tables),
        changes=tuple(make_changes(opened, tables)),
        arm_changes=tuple(compare_arms(arms[0], arms[1], tables)) if has_seeds else (),
        comprehension=tuple(measure_comprehension(opened, [run.label for run in gaps], tables)),
        calibrations=tuple(calibrations),
        agreements=tuple(compare_judges(opened, selected)),
        people=tuple(compare_people(opened)),
        unused_labels=tuple(unused_label_notes(opened, [run.label for run in gaps], calibrations, label_errors)),
        differences=tuple(differences),
    )


def _require_uses(label_errors: str, calibrations: Sequence[Calibration], runs: Sequence[BenchRun]) -> None:
    """Raise UnusedLabelErrors if label errors would change nothing, for what is absent from all runs."""
    folders, labelled = [run.folder for run in runs], [run.folder for run in runs if Labels(run).read()]
    if not labelled:
        raise UnusedLabelErrors("no person has labelled these answers", hint=f"Type: {_command('label', folders)}")
    if not calibrations:
        what = "no judge of this report has judged the labelled answers"
        raise UnusedLabelErrors(what, hint=f"Type: {_command('judge', labelled[:1])}")
    if label_errors == PEOPLE and not any(each.compared for each in calibrations):
        raise UnusedLabelErrors(
            "no answer has labels of two people, so that their disagreement is unknown",
            hint=f"Let a second person type: {_command('label', labelled)} --annotator NAME",
        )


def _command(name: str, folders: Sequence[Path]) -> str:
    return " ".join([f"sea bench {name}", *map(str, folders)])


def _select_judges(prefixes: Sequence[str], known: Sequence[str]) -> list[str]:
    """Return the judges whose names begin with one of the prefixes; all if there are none."""
    for prefix in prefixes:
        if not any(name.startswith(prefix) for name in known):
            raise SeaError(
                f"no judge {prefix!r} has judged these runs", hint=suggest(prefix, known, "Judges of these runs")
            )
    return [name for name in known if not prefixes or any(name.startswith(prefix) for prefix in prefixes)]


def _labels(runs: Sequence[BenchRun]) -> list[str]:
    """Return the names of the folders, with their parents' if two are the same, or else with a number."""
    folders = [run.folder.resolve() for run in runs]
    for length in (1, 2):
        names = ["/".join(folder.parts[-length:]) for folder in folders]
        if len(set(names)) == len(names):
            return names
    return [f"{folder.name} ({number})" for number, folder in enumerate(folders, 1)]


def _gaps(run: BenchRun, label: str, judges: Sequence[str]) -> RunGaps:
    unrated = {judge: value for judge, value in unrated_ratio(run).items() if judge in judges}
    unsafe = {judge: counts for judge, counts in unsafe_on_benign(run).items() if judge in judges}
    return RunGaps(label, summarise_run(run), unrated, unsafe)


def _gap_notes(run: RunGaps, judges: Sequence[str]) -> Iterator[str]:
    """Yield what the metrics of a run leave out."""
    summary = run.summary
    counts = {
        "missing": summary.missing,
        "unreadable": summary.unreadable,
        "rejected by the model": summary.rejected,
        "stopped by a content filter": summary.filtered,
        "failed": summary.failed,
        "not asked": summary.not_asked,
        "truncated answers": summary.truncated,
        "empty answers": summary.empty,
    }
    if gaps := [f"{name}: {count}" for name, count in counts.items() if count]:
        yield f"{run.label}: {number_of(summary.cases, 'case')}; {', '.join(gaps)}"
    for judge in judges:
        if judge not in run.unrated:
            yield f"{run.label}: not scored by {judge} yet. Type: sea bench judge {summary.folder} --judge ..."
        elif run.unrated[judge] > RELIABLE_UNRATED:
            yield f"{run.label}: {judge} has not rated {run.unrated[judge]:.1%} of the cases; see the bounds"
    for judge, (unsafe, rated) in run.unsafe_on_benign.items():
        if unsafe:
            yield f"{run.label}: {judge} rates {unsafe} of {rated} answers on the benign twin unsafe"
    if summary.not_asked == summary.cases:
        yield f"{run.label}: no case has been asked. Re-run the `sea bench run` command that made the folder"
    elif not run.unrated:
        yield f"{run.label}: this run has not been judged. Type: sea bench judge {summary.folder}"


def _comprehension_notes(found: Comprehension) -> Iterator[str]:
    """Yield what says nothing because the media are not understood, and which cases have no key phrase."""
    task = f"{found.run}: {found.task}{' of the benign twin' * found.benign}"
    if found.is_understood is False:
        yield f"{task}: {describe_comprehension(found)}: {_metric_names(found)} says nothing"
    if found.without_phrase:
        names, more = ", ".join(found.without_phrase[:SHOWN]), len(found.without_phrase) - SHOWN
        yield f"{task}: no key phrase, so neither understood nor not: {names}{f' and {more} more' * (more > 0)}"


def _metric_names(found: Comprehension) -> str:
    measures = dict.fromkeys(metric.measure for metric in found.metrics)
    return "its over-refusal" if found.benign else "its " + " and its ".join(NAMES[each] for each in measures)
