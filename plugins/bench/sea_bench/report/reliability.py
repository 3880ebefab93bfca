"""Whether people's labels are reliable enough for the figures that they correct, in sentences."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from sea_bench.report.calibration import Calibration
from sea_bench.report.changes import ALL_TASKS
from sea_bench.report.metrics import NAMES, Measure
from sea_bench.report.render import CONTRADICTED, format_differing
from sea_core.report.figures import ratio_text


def reliability_notes(calibrations: Sequence[Calibration]) -> Iterator[str]:
    """Yield which corrected figures depend on how reliable the labels are, and of which runs nobody knows that."""
    figures = _main_figures(calibrations)
    for each in figures:
        if each.is_contradicted:
            yield f"{_name(each)} cannot be corrected: {CONTRADICTED}. Give other ones, or label more answers"
        elif each.is_sensitive:
            yield _describe_dependence(each)
    for run in dict.fromkeys(each.run for each in figures):
        if all(each.people_differ is each.label_errors is None for each in figures if each.run == run):
            yield (
                f"{run}: one person has labelled these answers, so nobody knows how reliable the labels are. Let a "
                "second one label them, with another --annotator; known error rates: --label-errors"
            )


def _main_figures(calibrations: Sequence[Calibration]) -> list[Calibration]:
    """Return one of each run and metric: over all tasks if there are several, by the judge of the shortest interval."""
    found: dict[tuple[str, bool, Measure], Calibration] = {}
    for each in sorted(calibrations, key=lambda each: (each.task != ALL_TASKS, _width(each))):
        found.setdefault((each.run, each.benign, each.measure), each)
    return list(found.values())


def _describe_dependence(found: Calibration) -> str:
    differ, taken, other = found.people_differ, found.prediction_powered, found.without_errors
    assert differ is not None
    assert taken is not None
    assert other is not None
    return (
        f"{_name(found)} depends on how reliable the labels are. People differ on {format_differing(differ)} answers; "
        f"if each of them is wrong in {differ.false_positive.value:.3f} of the labels, it is "
        f"{ratio_text(other.value, other.interval)}, and not {taken.value:.3f}. To report it so: --label-errors people"
    )


def _name(found: Calibration) -> str:
    return f"{found.run}: the {'over-refusal' if found.benign else NAMES[found.measure]}"


def _width(found: Calibration) -> float:
    estimate = found.prediction_powered
    return 1.0 if estimate is None else estimate.interval[1] - estimate.interval[0]
