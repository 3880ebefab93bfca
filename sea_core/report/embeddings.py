"""The sections for runs of embeddings: what `sea optimize` made and `sea verify` asked, what `sea encode` stored."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, replace
from functools import cached_property
from math import ceil
from pathlib import Path

from sea_core.errors import number_of
from sea_core.optimization.config import OptimizeConfig
from sea_core.report.content import (
    Cell,
    Level,
    PageMedium,
    PageOptions,
    PageRow,
    PageSection,
    PageTable,
    PageText,
    PageVerdict,
    Plot,
)
from sea_core.report.embedding_map import MappedRun, embedding_map
from sea_core.report.figures import counted, ratio_text, short_number
from sea_core.report.media import preview
from sea_core.report.provenance import (
    changed_settings,
    command,
    data_options,
    extractor_options,
    judge_options,
    manifest_facts,
    model_facts,
    model_options,
)
from sea_core.report.reporter import Reporter
from sea_core.report.rows import sample_rows
from sea_core.report.svg import Bin, histogram
from sea_core.runs.embedding_record import EmbeddingRecord, read_goals
from sea_core.runs.embedding_run import EmbeddingRun, answer_key
from sea_core.runs.public import hide_places, shown_path
from sea_core.runs.records import DistanceRecord
from sea_core.runs.statistics import Interval, ratio, wilson_interval
from sea_core.verification.analysis.report import distance_metrics
from sea_core.verification.metrics import RunMetrics, run_metrics

TERMS: Mapping[str, str] = {
    "OSR": "Optimisation success rate: embeddings that succeeded / embeddings that were tried. An embedding succeeds "
    "if the model, given it, prefers every token of both target answers to all others by a margin.",
    "VSR": "Verification success rate: answers that name the content / answers that were judged. The questions are "
    "held out: their wording is used neither in the optimisation nor in the training.",
    "audit": "A few of the embeddings that succeeded, from which the model generated freely: how many of them gave "
    "both target answers, word for word.",
    "steps": "Updates that an embedding needed until it succeeded.",
}
INTERVAL = "In parentheses: the 95 % interval (Wilson)."
BINS = 16
DISTANCES = {
    "norm_ratio": "norm ratio",
    "cosine_nearest": "cosine, nearest",
    "cosine_mean": "cosine, mean",
    "centred_cosine": "centred cosine",
}


class EmbeddingReporter(Reporter):
    """Reports runs of embeddings, each in a section; the first of a model's sections has the map of all of them."""

    manifest = EmbeddingRun.MANIFEST_NAME

    def sections(self, folders: Sequence[Path], options: PageOptions) -> list[PageSection]:
        runs = [_RunSection(EmbeddingRun(folder), number, options) for number, folder in enumerate(folders, 1)]
        sections = [run.section() for run in runs]
        by_model: dict[str, list[int]] = {}
        for number, each in enumerate(runs):
            by_model.setdefault(each.run.manifest.identity.model.fingerprint, []).append(number)
        for numbers in by_model.values():
            plot = embedding_map([_mapped(runs[number], sections[number]) for number in numbers])
            if plot:
                first = sections[numbers[0]]
                sections[numbers[0]] = replace(first, plots=(*first.plots, plot))
        return sections


def _mapped(each: _RunSection, section: PageSection) -> MappedRun:
    anchors = {row.name: section.row_anchor(number) for number, row in enumerate(section.rows, 1)}
    return MappedRun(each.run, section.title, anchors)


class _RunSection:
    """Makes the section of one run."""

    def __init__(self, run: EmbeddingRun, number: int, options: PageOptions) -> None:
        self.run, self.key, self.options = run, f"embeddings-{number}", options
        self.records, self.metrics = run.records(), run_metrics(run)
        self.is_real = run.manifest.identity.source == "media"

    def section(self) -> PageSection:
        manifest = self.run.manifest
        location = manifest.metadata.model
        chosen = sample_rows(self.records, self.options.rows, self._group, lambda record: record["status"] == "failed")
        return PageSection(
            key=self.key,
            kind="Embeddings of real media" if self.is_real else "Synthetic embeddings",
            title=self.run.folder.resolve().name,
            headline=self._headline(),
            level=self._level(),
            facts=[
                *model_facts(manifest.identity.model, location.checkpoint, location.revision),
                ("data", f"{shown_path(manifest.metadata.data_path)}, digest {manifest.identity.data.digest}"),
                ("format of the data", manifest.identity.data.format),
                *self._resolved_facts(),
                *manifest_facts(manifest),
            ],
            commands=list(self._commands()),
            tables=list(self._tables()),
            plots=list(self._plots()),
            notes=list(map(hide_places, self._notes())),
            total=len(self.records),
            rows=[self._row(record) for record in chosen],
            terms={} if self.is_real else TERMS,
        )

    def _group(self, record: EmbeddingRecord) -> tuple[object, ...]:
        return record["recipe"], record["kind"], record["harmful"]

    def _headline(self) -> str:
        of = self.metrics
        if self.is_real:
            failed = len(self.records) - self._encoded
            lost = f"; {failed} could not be read" if failed else ""
            return f"{self._encoded} real media were encoded{lost}."
        interval = wilson_interval(of["succeeded"], of["done"])
        sentence = f"{of['succeeded']} of {of['done']} embeddings succeeded: OSR {ratio_text(of['osr'], interval)}."
        vsr = [f"VSR {ratio_text(found['vsr'], found['interval'])} by {judge}" for judge, found in of["judges"].items()]
        return f"{sentence} {'; '.join(vsr)}." if vsr else f"{sentence} They are not verified yet."

    def _level(self) -> Level:
        if self.is_real:
            return "neutral" if self._encoded else "bad"
        return "neutral" if self.metrics["succeeded"] else "bad"

    @cached_property
    def _encoded(self) -> int:
        return sum(record["status"] == "encoded" for record in self.records)

    def _resolved_facts(self) -> list[tuple[str, str]]:
        found = {name: value for name, value in self.metrics["resolved"].items() if name != "start"}
        text = ", ".join(f"{name.replace('_', ' ')} {value}" for name, value in found.items())
        return [("chosen by auto", hide_places(text))] if text else []

    def _commands(self) -> Iterator[str]:
        manifest, out = self.run.manifest, self.run.folder.resolve().name
        location = manifest.metadata.model
        model = model_options(manifest.identity.model, location.checkpoint, location.revision)
        data = shown_path(manifest.metadata.data_path)
        if self.is_real:
            yield command("sea", "encode", data, *model, "--out", out)
            return
        recipes = ",".join(self.metrics["recipes"])
        recipe = ["--recipe", recipes] if recipes not in ("", "plain") else []
        recipe += ["--benign-media", "DIR"] if manifest.identity.benign_media else []
        defaults = asdict(OptimizeConfig())
        settings = changed_settings({**manifest.identity.config, "draws": self._draws}, defaults)
        read = [*data_options(manifest.identity.data), *extractor_options(manifest.identity.extractor)]
        read += ["--styles", "FILE"] if manifest.identity.styles else []
        whole = self.metrics["done"] == self.metrics["embeddings"]
        read += ["--limit", str(self.metrics["examples"])] if whole else []
        yield command("sea", "optimize", data, *read, *model, *recipe, *settings, "--out", out)
        if self.metrics["judges"]:
            yield command("sea", "verify", out, *judge_options(self.metrics["judges"]))

    @property
    def _draws(self) -> int:
        """How many embeddings each example has by each recipe: more may follow, so that no identity has it."""
        return 1 + max((record["draw"] for record in self.records), default=0)

    # --- tables -----------------------------------------------------------------------------------------------------

    def _tables(self) -> Iterator[PageTable]:
        if self.is_real:
            yield self._counts_table()
            return
        yield _recipe_table(self.metrics, self.records)
        if self.metrics["judges"]:
            yield _vsr_table(self.metrics)
        if distances := self._distance_table():
            yield distances

    def _counts_table(self) -> PageTable:
        counts = Counter((_label(record), record["status"]) for record in self.records)
        statuses = list(dict.fromkeys(record["status"] for record in self.records))
        rows = [
            [
                Cell(label),
                *(Cell(str(counts[label, status]), {"label": label, "status": status}) for status in statuses),
            ]
            for label in dict.fromkeys(_label(record) for record in self.records)
        ]
        return PageTable("Media by what their file says of them", ["label", *statuses], rows)

    def _distance_table(self) -> PageTable | None:
        found: list[DistanceRecord] = [each for each in self.run.analysis.read() if each["what"] == "distance"]
        last = [each for each in found if each["media"] == found[-1]["media"]]
        if not last:
            return None
        rows = []
        for recipe, of in distance_metrics(last).items():
            spreads = [of[key] for key in DISTANCES]  # type: ignore[literal-required]
            values = [
                "-" if each is None else f"{each['median']:.3f} ({each['p10']:.3f} to {each['p90']:.3f})"
                for each in spreads
            ]
            rows.append([Cell(recipe), Cell(str(of["embeddings"])), *map(Cell, values)])
        columns = ["recipe", "embeddings", *DISTANCES.values()]
        note = "The median over embeddings, and in parentheses the 10th and the 90th percentile."
        return PageTable("Distances to real media (sea verify --compare-with)", columns, rows, note, folded=True)

    def _plots(self) -> Iterator[Plot]:
        steps = [record["steps"] for record in self.records if record["status"] == "succeeded"]
        if len(steps) > 1:
            width = self._bin_width
            counts = Counter(steps_bin(each, width) for each in steps)
            ordered = [steps_bin(start, width) for start in range(0, max(steps) + 1, width)]
            bins = [
                Bin(name, counts[name], name.split()[0], {"steps": name, "status": "succeeded"}) for name in ordered
            ]
            svg = histogram(bins, "steps", "embeddings", self.options.rows_link(self.key))
            yield Plot("Steps until an embedding succeeded", svg)

    @cached_property
    def _bin_width(self) -> int:
        """The width of a bar of the histogram, a round number of steps."""
        largest = max((record["steps"] for record in self.records), default=0)
        least = max(1, ceil((largest + 1) / BINS))
        return next(size for size in _round_numbers() if size >= least)

    def _notes(self) -> Iterator[str]:
        metadata = self.run.manifest.metadata
        if metadata.skipped:
            skipped = number_of(metadata.skipped, "example was", "examples were")
            yield f"{skipped} skipped while preparing; skipped.jsonl in the run folder has each."
        for reason, count in metadata.skip_counts.items():
            yield f"{count} of the file's records gave no example: {reason}"
        if metadata.invalid:
            yield f"{number_of(metadata.invalid, 'record')} could not be read."
        if metadata.unlabelled:
            unlabelled = number_of(metadata.unlabelled, "example has", "examples have")
            yield f'{unlabelled} no label "harmful". Without it, an example counts as harmful.'
        if missing := self.metrics["embeddings"] - self.metrics["done"]:
            yield f"{missing} of {self.metrics['embeddings']} embeddings are not made yet."
        for judge, found in self.metrics["judges"].items():
            if found["unjudged"]:
                yield f"{number_of(found['unjudged'], 'answer')} without a verdict of {judge}, and in no ratio."
        if metadata.limits:
            yield metadata.limits

    # --- rows -------------------------------------------------------------------------------------------------------

    def _row(self, record: EmbeddingRecord) -> PageRow:
        labels = {
            "status": record["status"],
            "label": _label(record),
            "kind": record["kind"],
            "recipe": record["recipe"],
            "steps": "" if self.is_real else steps_bin(record["steps"], self._bin_width),
        }
        return PageRow(
            name=record["id"],
            labels={name: value for name, value in labels.items() if value},
            texts=[text for text in self._texts(record) if text.text or not text.minor],
            media=self._media(record),
            harmful=record["harmful"],
        )

    def _texts(self, record: EmbeddingRecord) -> Iterator[PageText]:
        yield PageText("instruction", record["instruction"])
        if record["reason"]:
            yield PageText("why it failed", hide_places(record["reason"]))
        for goal in read_goals(record):
            yield PageText(f"target answer to “{goal['prompt']}”", goal["answer"], minor=True)
        yield from self._answers.get(record["id"], ())
        for name in ("phrase", "detoxified", "style", "response", "chosen", "rejected"):
            yield PageText(name, record[name] or "", minor=True)
        if not self.is_real:
            figures = f"{number_of(record['steps'], 'step')}, loss {short_number(record['loss'])}, margin "
            yield PageText("optimisation", figures + short_number(record["margin"]), minor=True)

    @cached_property
    def _answers(self) -> dict[str, list[PageText]]:
        """The answers to held-out questions with their verdicts, by the embedding's id."""
        latest: dict[tuple[str, str, str], dict[str, PageVerdict]] = {}
        for verdict in self.run.verdicts.read():
            given = PageVerdict(verdict["judge"], verdict["verdict"], detail=verdict["detail"])
            latest.setdefault(answer_key(verdict), {})[verdict["judge"]] = given
        found: dict[str, list[PageText]] = {}
        for answer in self.run.current_answers():
            verdicts = list(latest.get(answer_key(answer), {}).values())
            text = PageText(f"answer to “{answer['question']}”", answer["answer"], verdicts)
            found.setdefault(answer["id"], []).append(text)
        return found

    def _media(self, record: EmbeddingRecord) -> list[PageMedium]:
        if not record["media"] or not self.options.media:
            return []
        name = Path(record["media"]).name
        root = self.options.media_root
        if root is None:  # nothing in the run proves that this file is the one that was encoded
            return [PageMedium("none", note=f"{name}: to show it, name the folder of the media: --media-root DIR")]
        path = Path(record["media"])
        candidates = [path, root / record["media"], root / name]
        shown = next((each for each in candidates if _is_file_in(each, root)), candidates[-1])
        found = preview(shown, root)
        return [replace(found, note=f"{name}, {found.note}")]


def _is_file_in(path: Path, root: Path) -> bool:
    from sea_core.data.media_paths import file_problem
    from sea_core.runs.containment import is_inside

    return is_inside(path, root) and not file_problem(path)


def _label(record: EmbeddingRecord) -> str:
    return "harmful" if record["harmful"] else "benign"


def steps_bin(steps: int, width: int) -> str:
    """Return the label of the bar of a histogram that a number of steps belongs to."""
    start = steps // width * width
    return str(start) if width == 1 else f"{start} to {start + width - 1}"


def _round_numbers() -> Iterator[int]:
    size = 1
    while True:
        yield from (size, 2 * size, 5 * size)
        size *= 10


def _recipe_table(metrics: RunMetrics, records: Sequence[EmbeddingRecord]) -> PageTable:
    """Return OSR, steps and seconds by recipe, and over all."""
    rows = []
    for name, of in metrics["recipes"].items():
        rows.append(
            _recipe_cells(
                name, {"recipe": name}, of["succeeded"], of["done"], of["steps_median"], of["seconds_per_embedding"]
            )
        )
    if len(rows) != 1:
        of_all = metrics["succeeded"], metrics["done"], metrics["steps_median"], metrics["seconds_per_embedding"]
        rows.append(_recipe_cells("all", {}, *of_all))
    p90 = (
        f" 90 % of the successes needed at most {short_number(metrics['steps_p90'])} steps."
        if metrics["steps_p90"]
        else ""
    )
    audit = (
        f" Audit: {counted(metrics['audit_exact'], metrics['audited'])} gave both target answers."
        if metrics["audited"]
        else ""
    )
    covered = metrics["examples"] - len(metrics["uncovered_examples"])
    examples = f" {counted(covered, metrics['examples'])} examples have an embedding that succeeded."
    columns = ["recipe", "succeeded", "OSR", "median steps", "seconds per embedding"]
    return PageTable("Optimisation", columns, rows, f"{INTERVAL}{p90}{examples}{audit}")


def _recipe_cells(
    name: str, chosen: dict[str, str], succeeded: int, done: int, steps: float | None, seconds: float | None
) -> list[Cell]:
    success = {**chosen, "status": "succeeded"}
    return [
        Cell(name),
        Cell(counted(succeeded, done), success),
        Cell(ratio_text(ratio(succeeded, done), wilson_interval(succeeded, done)), chosen),
        Cell(short_number(steps), success),
        Cell(short_number(seconds), chosen),
    ]


def _vsr_table(metrics: RunMetrics) -> PageTable:
    """Return VSR by judge and kind of content."""
    rows = []
    for judge, of in metrics["judges"].items():
        for kind, found in of["kinds"].items():
            named = round((found["vsr"] or 0) * found["judged"])
            rows.append(_vsr_cells(judge, kind, {"kind": kind}, named, found["judged"], found["interval"]))
        whole = _vsr_cells(judge, "all", {}, of["named"], of["judged"], of["interval"])
        unjudged = Cell(str(of["unjudged"]), {"judge": judge, "verdict": "unjudged"})
        rows.append([*whole[:-1], unjudged])
    columns = ["judge", "kind", "named", "VSR", "unjudged"]
    return PageTable("Verification with held-out questions", columns, rows, INTERVAL)


def _vsr_cells(
    judge: str, kind: str, chosen: dict[str, str], named: int, judged: int, interval: Interval | None
) -> list[Cell]:
    return [
        Cell(judge),
        Cell(kind),
        Cell(counted(named, judged), {**chosen, "judge": judge, "verdict": "named"}),
        Cell(ratio_text(ratio(named, judged), interval), {**chosen, "judge": judge}),
        Cell(""),
    ]
