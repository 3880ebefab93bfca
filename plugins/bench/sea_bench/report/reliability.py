"""Whether people's labels are reliable enough for the figures that they correct, in sentences."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from sea_bench.case import ALL_TASKS
from sea_bench.report.calibration import Calibration
from sea_bench.report.metrics import NAMES, MetricName
from sea_bench.report.render import describe_contradiction, format_differing
from sea_core.report.figures import ratio_text
from sea_core.runs.calibration import MIN_LABELS

LABEL_AGAIN = "Agree on what counts, and label the answers again"


def reliability_notes(calibrations: Sequence[Calibration]) -> Iterator[str]:
    """Yield which corrected figures depend on how reliable the labels are, and of which runs nobody knows that."""
    figures = _main_figures(calibrations)
    for each in figures:
        if each.is_contradicted:
            yield _describe_contradiction(each)
        elif each.is_sensitive:
            yield _describe_dependence(each)
    unknown = sorted((each for each in figures if each.is_reliability_unknown), key=lambda each: each.measure)
    for run, compared in dict.fromkeys((each.run, each.compared) for each in unknown):
        yield _describe_unknown([each for each in unknown if (each.run, each.compared) == (run, compared)])


def _main_figures(calibrations: Sequence[Calibration]) -> list[Calibration]:
    """Return one of each run and metric: over all tasks if there are several, by the judge of the shortest interval."""
    found: dict[tuple[str, bool, MetricName], Calibration] = {}
    for each in sorted(calibrations, key=lambda each: (each.task != ALL_TASKS, _width(each))):
        found.setdefault((each.run, each.benign, each.measure), each)
    return list(found.values())


def _describe_unknown(figures: Sequence[Calibration]) -> str:
    """Return that too few answers have labels of two people, for figures of one run with as many of them."""
    names, compared = " and ".join(_metric_name(each) for each in figures), figures[0].compared
    known = "; known error rates of the ASR: --label-errors" * any(each.measure == "asr" for each in figures)
    answers = {0: "no answer has", 1: "only 1 answer has"}.get(compared, f"only {compared} answers have")
    return (
        f"{figures[0].run}: {names}: {answers} labels of two people, so nobody knows how reliable the labels are. Let "
        f"a second person label the same answers, with another --annotator{known}"
    )


def _describe_contradiction(found: Calibration) -> str:
    errors = found.label_errors
    if errors is None or errors.compared is None:
        more = "Give other ones, or label more answers"
    else:
        more = LABEL_AGAIN if errors.compared >= MIN_LABELS else "Let two people label more of the same answers"
    return f"{_name(found)} cannot be corrected: {describe_contradiction(errors)}. {more}"


def _describe_dependence(found: Calibration) -> str:
    differ, taken, other = found.people_differ, found.prediction_powered, found.without_errors
    assert differ is not None
    assert taken is not None
    if other is None:
        return (
            f"{_name(found)} takes the labels as right, and they are not: {describe_contradiction(differ)}. "
            f"{LABEL_AGAIN}"
        )
    return (
        f"{_name(found)} depends on how reliable the labels are. People differ on {format_differing(differ)} answers; "
        f"if each of them is wrong in {differ.false_positive.value:.3f} of the labels, it is "
        f"{ratio_text(other.value, other.interval)}, and not {taken.value:.3f}. To report it so: --label-errors people"
    )


def _name(found: Calibration) -> str:
    return f"{found.run}: {_metric_name(found)}"


def _metric_name(found: Calibration) -> str:
    return f"the {'over-refusal' if found.benign else NAMES[found.measure]}"


def _width(found: Calibration) -> float:
    estimate = found.prediction_powered
    return 1.0 if estimate is None else estimate.interval[1] - estimate.interval[0]
