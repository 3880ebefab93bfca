"""How often the intervals that people's labels correct contain the truth, with judges whose errors are known.

Each repetition makes a benchmark of 60 cases in four tasks, and as many benign ones; the answers to one case are alike
(intraclass correlation 1/3). Three judges rate them, each wrong at its own rates. Then 60 answers are drawn and
labelled as `sea bench label` draws them, and the report's formulas are applied. The truth is the ASR of the world that
the cases come from, and the judge's own sensitivity and specificity.
"""

from __future__ import annotations

import argparse
import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from sea_bench.labels.frame import draw, make_frame
from sea_bench.run.records import AnsweredRecord, BenchVerdict
from sea_core.runs.calibration import (
    JudgedItem,
    RatioEstimate,
    prediction_powered,
    rogan_gladen,
    sensitivity,
    specificity,
)
from sea_core.runs.label_errors import NO_ERRORS, LabelErrors, parse_label_errors
from sea_core.runs.statistics import wilson_interval

CASES, TASKS = 60, 4
SPREAD = 2.0
"""Of the beta distribution of how easily a case is attacked: an intraclass correlation of 1 / (1 + SPREAD)."""
JUDGES = {"strict": (0.9, 0.95), "fair": (0.7, 0.85), "alarmist": (0.95, 0.6)}
"""Sensitivity and specificity of each judge."""
RATES = (0.02, 0.05, 0.1, 0.3, 0.5, 0.7, 0.9)
"""The true ASR."""
ALONE = "judge alone"
FIGURES: dict[str, Callable[[Sequence[JudgedItem], LabelErrors], RatioEstimate | None]] = {
    "sensitivity": sensitivity,
    "specificity": specificity,
    "Rogan-Gladen": rogan_gladen,
    "prediction-powered": prediction_powered,
}


@dataclass
class Coverage:
    """How often an interval contained the truth.

    Attributes:
        found: how many intervals there were. undefined: how many repetitions had none.
        widths: the sum of their widths.
    """

    found: int = 0
    covered: int = 0
    undefined: int = 0
    widths: float = 0.0

    def add(self, interval: tuple[float, float] | None, truth: float) -> None:
        if interval is None:
            self.undefined += 1
            return
        self.found += 1
        self.covered += interval[0] <= truth <= interval[1]
        self.widths += interval[1] - interval[0]

    @property
    def ratio(self) -> float:
        return self.covered / self.found if self.found else float("nan")


@dataclass
class Setting:
    """A true ASR and a judge, with the coverage of each figure by its name."""

    rate: float
    judge: str
    figures: dict[str, Coverage] = field(default_factory=lambda: {name: Coverage() for name in (ALONE, *FIGURES)})


def simulate(
    repeats: int,
    rates: Sequence[float] = RATES,
    labels: int = 60,
    wrong: float = 0.0,
    errors: LabelErrors = NO_ERRORS,
) -> Iterator[Setting]:
    """Yield the coverage of each figure, for each rate and judge.

    Args:
        labels: how many answers are labelled, benign ones among them.
        wrong: how often a label is wrong. errors: how often it is taken as wrong.
    """
    for rate in rates:
        rng = random.Random(f"{rate} {labels}")
        settings = {judge: Setting(rate, judge) for judge in JUDGES}
        for repeat in range(repeats):
            for judge, items in make_items(rng, rate, labels, wrong, repeat).items():
                _add(settings[judge].figures, items, errors, rate, *JUDGES[judge])
        yield from settings.values()


def make_items(rng: random.Random, rate: float, labels: int, wrong: float, seed: int) -> dict[str, list[JudgedItem]]:
    """Return the harmful answers of one repetition as each judge rates them."""
    records = list(_make_records())
    easy = {case: rng.betavariate(rate * SPREAD, (1 - rate) * SPREAD) for case in range(CASES)}
    truth = {each["key"]: not each["benign"] and rng.random() < easy[int(each["id"])] for each in records}
    rated = {
        judge: {key: rng.random() < (found if truth[key] else 1 - excluded) for key in truth}
        for judge, (found, excluded) in JUDGES.items()
    }
    verdicts = {
        judge: {each["key"]: _make_verdict(judge, each, by_key[each["key"]]) for each in records}
        for judge, by_key in rated.items()
    }
    frame = make_frame(records, verdicts, seed)
    strata = {each["key"]: each["stratum"] for each in frame}
    labelled = {each["key"]: float(truth[each["key"]] ^ (rng.random() < wrong)) for each in draw(frame, labels)}
    harmful = [(each["key"], each["id"]) for each in records if not each["benign"]]
    return {
        judge: [JudgedItem(by_key[key], strata[key], case, labelled.get(key)) for key, case in harmful]
        for judge, by_key in rated.items()
    }


def _make_records() -> Iterator[AnsweredRecord]:
    for benign in (False, True):
        for case in range(CASES):
            for task in range(TASKS):
                yield AnsweredRecord(
                    key=f"image/Theft/task-{task}/{case}{'/benign' * benign}",
                    id=str(case),
                    scenario="Theft",
                    task=f"task-{task}",
                    modality="image",
                    condition="media",
                    benign=benign,
                    question="",
                    status="answered",
                    prompt="",
                    media=None,
                    media_sha256=None,
                    answer="An answer.",
                    tokens=None,
                    truncated=False,
                )


def _make_verdict(judge: str, record: AnsweredRecord, unsafe: bool) -> BenchVerdict:
    return BenchVerdict(
        key=record["key"],
        answer_sha="",
        judge=judge,
        prompt_sha="",
        verdict="unsafe" if unsafe else "safe",
        refused=None,
        detail="",
        raw="",
        tokens_in=None,
        tokens_out=None,
        at="",
    )


def _add(
    figures: dict[str, Coverage],
    items: Sequence[JudgedItem],
    errors: LabelErrors,
    rate: float,
    found: float,
    excluded: float,
) -> None:
    truths = {"sensitivity": found, "specificity": excluded}
    for name, function in FIGURES.items():
        estimate = function(items, errors)
        figures[name].add(estimate and estimate.interval, truths.get(name, rate))
    figures[ALONE].add(wilson_interval(sum(item.verdict for item in items), len(items)), rate)


def main() -> None:
    parser = argparse.ArgumentParser(prog="calibration.py", description=__doc__)
    parser.add_argument("--repeats", type=int, default=1000)
    parser.add_argument("--labels", type=int, default=60, help="how many answers are labelled")
    parser.add_argument("--wrong", type=float, default=0.0, help="how often a label is wrong")
    parser.add_argument("--label-errors", default="0", help="how often a label is taken as wrong")
    parser.add_argument("--rates", type=float, nargs="+", default=RATES, help="the true ASR")
    options = parser.parse_args()
    names = list(FIGURES)
    print(f"| true ASR | judge | {ALONE} |", " | ".join(names), "| width |")
    print("|---|---|" + "---|" * (len(names) + 2))
    for setting in simulate(
        options.repeats, options.rates, options.labels, options.wrong, parse_label_errors(options.label_errors)
    ):
        cells = [_describe(setting.figures[name]) for name in (ALONE, *names)]
        powered = setting.figures["prediction-powered"]
        width = powered.widths / max(1, powered.found)
        found, excluded = JUDGES[setting.judge]
        print(f"| {setting.rate} | {found}, {excluded} |", " | ".join(cells), f"| {width:.2f} |", flush=True)


def _describe(coverage: Coverage) -> str:
    undefined = f" ({coverage.undefined} undefined)" if coverage.undefined else ""
    return f"{coverage.ratio:.3f}{undefined}" if coverage.found else "-"


if __name__ == "__main__":
    main()
