"""Metrics as text: the cells of a table, and a table in Markdown or LaTeX."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from sea_bench.case import ALL, MEAN
from sea_bench.report.agreement import Agreement
from sea_bench.report.calibration import Calibration
from sea_bench.report.changes import PairedChange
from sea_bench.report.comprehension import MIN_UNDERSTOOD, Comprehension, ConditionedMetric
from sea_bench.report.metrics import NAMES, Metric
from sea_bench.report.seeds import ArmChange
from sea_bench.report.tables import Table, TableRow
from sea_core.alignment.markdown import escape_markdown
from sea_core.errors import number_of, one_line
from sea_core.report.figures import ratio_text
from sea_core.runs.calibration import MIN_LABELS, RatioEstimate
from sea_core.runs.label_errors import LabelErrors
from sea_core.runs.seeds import SeedMean
from sea_core.runs.statistics import Interval, MeasuredRatio

CHANGES = ["task", "metric", "judge", "cases", "only before", "only after", "change (95 %)", "p", "detectable"]
ARM_CHANGES = ["task", "metric", "judge", "cases", "mean before", "mean after", "change (95 %)"]
ARM_CHANGES += ["other cases", "other seeds", "detectable"]
COMPREHENSION = ["run", "task", "media understood", "metric", "judge", "over all media", "among the understood"]
CALIBRATION = ["run", "task", "metric", "judge", "answers", "labels", "people differ"]
CALIBRATION += ["sensitivity", "specificity"]
CORRECTED = [
    "run",
    "task",
    "metric",
    "judge",
    "by the judge",
    "Rogan-Gladen",
    "prediction-powered",
    "half as wide",
    "label errors",
]
NOT_UNDERSTOOD = "not understood"
_LATEX = {"\\": r"\textbackslash{}", "{": r"\{", "}": r"\}", **{c: f"\\{c}" for c in "&%$#_"}}
_LATEX |= {"~": r"\textasciitilde{}", "^": r"\textasciicircum{}"}


@dataclass(frozen=True, slots=True)
class TextTable:
    """A table of strings."""

    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]


def report_tables(
    tables: Sequence[Table],
    labels: Sequence[str],
    agreements: Sequence[Agreement],
    changes: Sequence[PairedChange] = (),
    comprehension: Sequence[Comprehension] = (),
    arm_changes: Sequence[ArmChange] = (),
    calibrations: Sequence[Calibration] = (),
    people: Sequence[Agreement] = (),
    *,
    disagreements: bool = False,
) -> list[TextTable]:
    """Return the tables of a report as text.

    Args:
        labels: the names of the runs.
        disagreements: add a table of the answers that judges rate differently.
    """
    unknown = {(each.run, each.task, each.benign) for each in comprehension if each.is_understood is False}
    printed = [
        TextTable(title(table), headings(table, labels), [_row_cells(row, labels, unknown) for row in table.rows])
        for table in tables
    ]
    if comprehension:
        rows = [row for each in comprehension for row in _comprehension_rows(each)]
        printed.append(TextTable(_comprehension_title(comprehension), COMPREHENSION, rows))
    if changes:
        printed.append(TextTable(f"change from {labels[0]} to {labels[1]}", CHANGES, list(map(_change_cells, changes))))
    if arm_changes:
        heading = "change of the mean over seeds; 95 % intervals: of both, if only cases or only seeds were others"
        printed.append(TextTable(heading, ARM_CHANGES, list(map(_arm_change_cells, arm_changes))))
    if any(each.labels >= MIN_LABELS for each in calibrations):
        printed.append(TextTable("judges beside people", CALIBRATION, list(map(_calibration_cells, calibrations))))
        printed.append(TextTable("corrected by people's labels", CORRECTED, list(map(_corrected_cells, calibrations))))
    for pairs, who in ((people, "people"), (agreements, "judges")):
        if pairs:
            columns = [who, "run", "metric", "answers", "agree", "kappa (95 %)"]
            printed.append(TextTable(f"agreement of {who}", columns, list(map(_agreement_cells, pairs))))
    if disagreements:
        columns = ["run", "case", "verdicts", "question", "answer"]
        rows = [row for agreement in agreements for row in _disagreement_rows(agreement)]
        printed.append(TextTable("disagreements", columns, rows))
    return printed


def headings(table: Table, runs: Sequence[str]) -> list[str]:
    """Return the column headings. With two runs, a last column has the change from the first to the second."""
    pairs = [f"{run}: {name}" for run in runs for name in (NAMES[table.measure], "over-refusal")]
    return ["task", "scenario", *pairs, *["change"] * (len(runs) == 2)]


def title(table: Table) -> str:
    """Return the metric and its judge, and the judge of over-refusal if that is another one."""
    other = table.over_refusal_judge not in ("", table.judge)
    return f"{NAMES[table.measure]} by {table.judge}" + (f"; over-refusal by {table.over_refusal_judge}" * other)


def format_metric(metric: Metric | None) -> str:
    """Return `0.345 (0.298 to 0.394)`: the ratio and its 95 % interval, with bounds if answers are unrated."""
    if metric is None:
        return "-"
    value = "-" if metric.value is None else f"{metric.value:.3f}"
    interval = "" if metric.interval is None else " ({:.3f} to {:.3f})".format(*metric.interval)
    loose = f", {metric.loose:.3f} loose" if metric.loose is not None and metric.loose != metric.value else ""
    unrated = metric.cases - metric.rated
    bounds = ""
    if unrated and metric.bounds:
        bounds = " [{:.3f}, {:.3f}]; {} of {} unrated".format(*metric.bounds, unrated, metric.cases)
    return value + interval + loose + bounds


def markdown(table: TextTable) -> str:
    """Return a Markdown table, with its title above it if it has one."""
    rows = [table.columns, ["---"] * len(table.columns), *table.rows]
    lines = ("| " + " | ".join(map(escape_markdown, row)) + " |" for row in rows)
    heading = [f"**{escape_markdown(table.title)}**", ""] if table.title else []
    return "\n".join([*heading, *lines, ""])


def latex(table: TextTable) -> str:
    """Return a LaTeX table in the style of booktabs."""
    body = [" & ".join(map(escape_latex, row)) + r" \\" for row in table.rows]
    head = " & ".join(map(escape_latex, table.columns)) + r" \\"
    spec = "ll" + "r" * (len(table.columns) - 2)
    return "\n".join(
        [
            r"\begin{table}",
            r"\centering",
            rf"\caption{{{escape_latex(table.title)}}}",
            rf"\begin{{tabular}}{{{spec}}}",
            r"\toprule",
            head,
            r"\midrule",
            *body,
            r"\bottomrule",
            r"\end{tabular}",
            r"\end{table}",
            "",
        ]
    )


def escape_latex(text: str) -> str:
    """Escape LaTeX's special characters; a text stays on one line."""
    return "".join(_LATEX.get(character, character) for character in one_line(text))


def describe_comprehension(found: Comprehension) -> str:
    """Return `3 of 48 media understood`, with the media of which nothing is known."""
    gaps = {
        "not asked": found.not_asked,
        "not judged": found.not_judged,
        "without a key phrase": len(found.without_phrase),
    }
    rest = "".join(f", {count} {name}" for name, count in gaps.items() if count)
    return f"{found.understood} of {found.judged} media understood{rest}"


def _comprehension_title(comprehension: Sequence[Comprehension]) -> str:
    judge = next((each.judge for each in comprehension if each.judge), "")
    rule = f"below {MIN_UNDERSTOOD:.0%} of the media, a task is {NOT_UNDERSTOOD} and its metrics say nothing"
    return f"comprehension {f'by {judge}' if judge else '(not judged)'}; {rule}"


def _comprehension_rows(found: Comprehension) -> list[list[str]]:
    understood = f"{describe_comprehension(found).replace(' media understood', '')}"
    mark = f"; {NOT_UNDERSTOOD}" * (found.is_understood is False)
    start = [found.run, found.task + " (benign)" * found.benign, understood + mark]
    rows = [[*start, *_conditioned_cells(each, found.benign)] for each in found.metrics]
    return rows or [[*start, "-", "-", "-", "-"]]


def _conditioned_cells(metric: ConditionedMetric, benign: bool) -> list[str]:
    name = "over-refusal" if benign else NAMES[metric.measure]
    both = (metric.all_media, metric.understood)
    return [name, metric.judge, *(f"{each.hits} of {each.rated}: {format_metric(each)}" for each in both)]


def _row_cells(row: TableRow, labels: Sequence[str], not_understood: Collection[tuple[str, str, bool]]) -> list[str]:
    pairs = zip(row.metrics, row.over_refusal, strict=True)
    summary = row.scenario in (MEAN, ALL)
    metrics = [
        format_metric(metric)
        + f"; {NOT_UNDERSTOOD}" * (summary and metric is not None and (label, row.task, benign) in not_understood)
        for label, pair in zip(labels, pairs, strict=True)
        for benign, metric in zip((False, True), pair, strict=True)
    ]
    change = [_change(*row.metrics) if row.shared else "-"] if len(row.metrics) == 2 else []
    return [row.task, row.scenario, *metrics, *change]


def _change_cells(change: PairedChange) -> list[str]:
    found = change.difference
    return [
        *_scope_cells(change),
        str(found.pairs),
        str(found.lost),
        str(found.gained),
        signed(found.value, found.interval),
        format_p(found.p),
        "-" if found.detectable is None else f"{found.detectable:.3f}",
    ]


def _arm_change_cells(change: ArmChange) -> list[str]:
    found = change.change
    return [
        *_scope_cells(change),
        str(change.cases),
        _format_seeds(change.before),
        _format_seeds(change.after),
        *(["-"] * 4 if found is None else [signed(found.value, found.interval)]),
        *(
            []
            if found is None
            else [format_ends(found.over_cases), format_ends(found.over_seeds), f"{found.detectable:.3f}"]
        ),
    ]


def _scope_cells(change: PairedChange | ArmChange) -> list[str]:
    where = f", {change.scenario}" * (change.scenario == MEAN) + ", understood in both" * change.understood
    return [change.task + where, "over-refusal" if change.benign else NAMES[change.measure], change.judge]


def _format_seeds(mean: SeedMean | None) -> str:
    """Return `0.125 (0.020 to 0.230), spread 0.031 over 3`: the mean, its interval, and the spread between seeds."""
    if mean is None:
        return "-"
    spread = "" if mean.spread is None else f", spread {mean.spread:.3f} over {len(mean.values)}"
    return ratio_text(mean.value, mean.interval) + spread


def format_p(p: float | None) -> str:
    """Return a p with three digits."""
    return "-" if p is None else "< .001" if p < 0.001 else f"{p:.3f}"


def signed(value: float | None, interval: Interval | None) -> str:
    """Return `-0.125 (-0.250 to -0.010)`: a change and its 95 % interval."""
    return "-" if value is None else f"{value:+.3f}" + ("" if interval is None else f" ({format_ends(interval)})")


def format_ends(interval: Interval | None) -> str:
    """Return `-0.250 to -0.010`: an interval of a change."""
    return "-" if interval is None else "{:+.3f} to {:+.3f}".format(*interval)


def _calibration_cells(found: Calibration) -> list[str]:
    accuracy = (_format_estimate(each) for each in (found.sensitivity, found.specificity))
    return [*_calibrated(found), str(found.rated), str(found.labels), format_differing(found.people_differ), *accuracy]


def _corrected_cells(found: Calibration) -> list[str]:
    undefined = "undefined: no better than chance" if found.is_by_chance else _format_estimate(found.rogan_gladen)
    return [
        *_calibrated(found),
        f"{found.by_judge:.3f}",
        undefined,
        _format_estimate(found.prediction_powered),
        _describe_more_labels(found),
        describe_label_errors(found.label_errors),
    ]


def describe_label_errors(errors: LabelErrors | None) -> str:
    """Return how often labels are taken as wrong, and whence that is known."""
    if errors is None:
        return "taken as right"
    rates = [_format_rate(each) for each in errors.parameters]
    if errors.compared is not None:
        return f"by people's disagreement: {rates[0]}"
    return f"assumed: {rates[0]}" if errors.are_alike else "assumed: false unsafe {}, false safe {}".format(*rates)


def describe_contradiction(errors: LabelErrors | None) -> str:
    """Return why no figure can be had from labels with such errors."""
    if errors is None or errors.compared is None:
        return "the labels contradict the label errors"
    differ = f"people differ on {format_differing(errors)} answers"
    if errors.are_by_chance:
        return f"{differ}: labels say no more than chance"
    return f"{differ}, and the labels contradict so many errors"


def format_differing(errors: LabelErrors | None) -> str:
    """Return `3 of 44`: on how many answers the people who labelled them differ; a dash for one person."""
    return "-" if errors is None or errors.compared is None else f"{errors.differing} of {errors.compared}"


def _format_rate(rate: MeasuredRatio) -> str:
    low, high = rate.interval
    return ratio_text(rate.value, None if low == high else rate.interval)


def _calibrated(found: Calibration) -> list[str]:
    return [found.run, found.task, "over-refusal" if found.benign else NAMES[found.measure], found.judge]


def _format_estimate(estimate: RatioEstimate | None) -> str:
    return "-" if estimate is None else ratio_text(estimate.value, estimate.interval)


def _describe_more_labels(found: Calibration) -> str:
    if found.is_contradicted:
        return describe_contradiction(found.label_errors)
    if found.prediction_powered is None:
        return f"too few labels: {MIN_LABELS - found.labels} more at least"
    if found.prediction_powered.is_limited_by_errors:
        by_people = found.label_errors is not None and found.label_errors.compared is not None
        return "more answers with two labels" if by_people else "a larger check of the labels"
    more = found.prediction_powered.more_labels
    return "more cases, not labels" if more is None else f"{number_of(more, 'more label')}"


def _agreement_cells(agreement: Agreement) -> list[str]:
    raw = "-" if agreement.raw is None else f"{agreement.raw:.3f}"
    kappa = ratio_text(agreement.kappa, agreement.interval)
    names = " / ".join(agreement.judges)
    return [names, agreement.run, NAMES[agreement.measure], str(agreement.rated), raw, kappa]


def _disagreement_rows(agreement: Agreement) -> list[list[str]]:
    return [
        [
            agreement.run,
            answer["key"],
            " / ".join(answer["verdicts"].values()),
            answer["question"],
            " ".join(answer["answer"].split()),
        ]
        for answer in agreement.disagreements
    ]


def _change(before: Metric | None, after: Metric | None) -> str:
    if before is None or after is None or before.value is None or after.value is None:
        return "-"
    return f"{after.value - before.value:+.3f}"
