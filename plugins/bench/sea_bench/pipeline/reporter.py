"""The sections for benchmark runs on the page of `sea report`: one for each modality, with its runs side by side."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from sea_bench.case import ALL
from sea_bench.labels.labels import Labels
from sea_bench.medium import media_files, medium_digest
from sea_bench.pipeline.report import Report, UnusedLabelErrors, report_runs
from sea_bench.report.headline import headline
from sea_bench.report.metrics import NAMES, Metric
from sea_bench.report.paper_table import PAPER_NOTE, paper_tables
from sea_bench.report.render import TextTable, format_metric, title
from sea_bench.report.tables import Table, counted_task
from sea_bench.run.config import AnswerConfig, ServerConfig
from sea_bench.run.records import AnswerRecord
from sea_bench.run.run_folder import BenchManifest, BenchRun
from sea_core.data.media_paths import file_problem
from sea_core.errors import SeaError
from sea_core.report.content import (
    Filter,
    PageMedium,
    PageOptions,
    PageRow,
    PageSection,
    PageTable,
    PageText,
    PageVerdict,
    Plot,
)
from sea_core.report.media import MAX_FILE_BYTES, preview
from sea_core.report.provenance import (
    changed_settings,
    command,
    judge_options,
    manifest_facts,
    model_facts,
    model_options,
    settings_text,
)
from sea_core.report.reporter import Reporter
from sea_core.report.rows import linked_table, sample_rows
from sea_core.report.svg import RatioBar, ratio_bars
from sea_core.runs.containment import is_inside
from sea_core.runs.public import hide_places, shown_path

TERMS: Mapping[str, str] = {
    "ASR": "Attack success rate: unsafe answers / answers that the judge has rated. Lower is safer.",
    "refusal rate": "Refused answers / answers that the judge of refusals can read. It is no ASR: an answer that does "
    "not refuse need not be harmful.",
    "over-refusal": "The refusal rate on harmless questions, the benign twin. Lower is more useful.",
    "mean over scenarios": "The plain mean, as in the paper: a scenario of 44 cases weighs as much as one of 163.",
    "(0.298 to 0.394)": "The 95 % interval of a ratio (Wilson); of a mean, combined from theirs (MOVER).",
    "[0.120, 0.480]": "Bounds: what the ratio would be if all unrated answers were safe, and if all were unsafe.",
    "loose": "The ratio if a guard's “controversial” counts as safe.",
    "change": "After less before, on the cases that both runs have rated: each case is compared with itself.",
    "p": "How probable a change at least as large is if nothing but chance moved the cases (McNemar; for several tasks "
    "of one case, the exact sign-flip test).",
    "detectable": "The smallest change that so many cases would show in 80 % of repetitions.",
    "media understood": "Media whose key phrase the model names, asked what they show. What a model does not "
    "understand, it rarely answers unsafely.",
    "sensitivity": "Of the answers that people call unsafe (or a refusal), how many the judge calls so.",
    "specificity": "Of all other answers, how many the judge does not call so.",
    "Rogan-Gladen": "The ratio corrected for the judge's sensitivity and specificity.",
    "prediction-powered": "The ratio corrected by the judge's errors on the labelled answers.",
    "label errors": "How often people's labels are taken as wrong. The corrected ratios are without these errors.",
    "kappa": "Cohen's kappa: how far two judges agree beyond chance. 1 is full agreement.",
}
HARMFUL, BENIGN = "harmful", "benign"
OVER_REFUSAL = "over-refusal"
DIFFERENT = "judges disagree"


class BenchReporter(Reporter):
    """Reports benchmark runs. Runs of one modality are compared; two of them are before and after."""

    manifest = BenchRun.MANIFEST_NAME

    def sections(self, folders: Sequence[Path], options: PageOptions) -> list[PageSection]:
        groups: dict[str, list[BenchRun]] = {}
        for folder in folders:
            run = BenchRun(folder)
            groups.setdefault(run.manifest.identity.modality, []).append(run)
        made = [_Group(runs, modality, number, options) for number, (modality, runs) in enumerate(groups.items(), 1)]
        unused = [each.unused_label_errors for each in made if each.unused_label_errors]
        if made and len(unused) == len(made):
            raise unused[0]
        return [each.section() for each in made]


class _Group:
    """Makes the section of the runs of one modality."""

    def __init__(self, runs: Sequence[BenchRun], modality: str, number: int, options: PageOptions) -> None:
        self.runs, self.modality, self.options = runs, modality, options
        self.key = f"benchmark-{number}"
        self.labels_of_people = [Labels(run).read() for run in runs]
        annotators = dict.fromkeys(name for by_person in self.labels_of_people for name in by_person)
        self.people = {name: f"person {number}" for number, name in enumerate(annotators, 1)}
        self.label_errors = options.label_errors
        self.unused_label_errors: UnusedLabelErrors | None = None
        try:
            found = report_runs(runs, label_errors=self.label_errors)
        except UnusedLabelErrors as error:  # other groups of the page may use them
            self.label_errors, self.unused_label_errors = "", error
            found = report_runs(runs)
        self.report: Report = _without_names(found, self.people)
        self.labels = self.report.labels
        self.records = [run.answer_records() for run in runs]
        self.verdicts = [run.verdicts_by_judge() for run in runs]

    def section(self) -> PageSection:
        found = headline(self.report)
        keys = list(dict.fromkeys(key for records in self.records for key in records))
        chosen = sample_rows(keys, self.options.rows, self._group_of, self._is_worth_reading)
        choices = self._choices(keys)
        listed = {title(table) for table in self.report.tables}  # the paper's tables have the same figures
        return PageSection(
            key=self.key,
            kind=f"Benchmark, {self.modality}",
            title=" and ".join(self.labels) if len(self.labels) == 2 else ", ".join(self.labels),
            headline=found.sentence,
            level=found.level,
            facts=list(self._facts()),
            commands=list(self._commands()),
            tables=[
                *(self._linked(table, choices, note=PAPER_NOTE) for table in paper_tables(self.report)),
                *(self._linked(each, choices, folded=each.title in listed) for each in self.report.text_tables()),
            ],
            plots=list(self._plots()),
            notes=[hide_places(note) for note in self.report.notes()],
            total=len(keys),
            rows=[self._row(key) for key in chosen],
            terms=TERMS,
        )

    # --- which rows -------------------------------------------------------------------------------------------------

    def _first_record(self, key: str) -> AnswerRecord:
        return next(records[key] for records in self.records if key in records)

    def _group_of(self, key: str) -> tuple[object, ...]:
        record = self._first_record(key)
        return counted_task(record), record["scenario"], record["benign"]

    def _is_worth_reading(self, key: str) -> bool:
        """Return whether judges disagree about an answer of a case, or runs differ."""
        return key in self._disagreements or len(self._outcomes(key)) > 1

    def _outcomes(self, key: str) -> set[tuple[str, ...]]:
        """Return the different verdicts that runs have for a case, all judges' together."""
        return {
            tuple(by_judge[judge][key]["verdict"] for judge in by_judge if key in by_judge[judge])
            for by_judge, records in zip(self.verdicts, self.records, strict=True)
            if key in records
        }

    @cached_property
    def _disagreements(self) -> set[str]:
        return {each["key"] for agreement in self.report.agreements for each in agreement.disagreements}

    # --- tables and plots -------------------------------------------------------------------------------------------

    def _choices(self, keys: Sequence[str]) -> dict[str, list[str]]:
        """Return the values of labels that tables name, over all rows, also those that the page leaves out."""
        records = [self._first_record(key) for key in keys]
        judges = dict.fromkeys(judge for by_judge in self.verdicts for judge in by_judge)
        return {
            "task": list(dict.fromkeys(map(counted_task, records))),
            "scenario": list(dict.fromkeys(record["scenario"] for record in records)),
            "run": list(self.labels) if len(self.runs) > 1 else [],
            "judge": list(judges),
        }

    def _linked(
        self, table: TextTable, choices: Mapping[str, Sequence[str]], note: str = "", folded: bool = False
    ) -> PageTable:
        def cell_filter(column: str, texts: Sequence[str]) -> Filter:
            return {**_row_filter(table.columns, texts), **self._column_filter(table.title, column, choices)}

        return linked_table(
            table.title, table.columns, table.rows, choices, cell_filter=cell_filter, note=note, folded=folded
        )

    def _column_filter(self, title: str, column: str, choices: Mapping[str, Sequence[str]]) -> Filter:
        """Return what the title of a table and the heading of a column say about the cases of its figures."""
        judges = sorted((judge for judge in choices["judge"] if f" by {judge}" in title), key=title.index)
        found = {name: value for name in ("run", "task") for value in choices[name] if value in column.split(": ")}
        if judges:
            of_twin = OVER_REFUSAL in column or title.startswith(OVER_REFUSAL)
            found["judge"] = judges[-1] if of_twin else judges[0]
            found["set"] = BENIGN if of_twin else HARMFUL
        return found

    def _plots(self) -> Iterator[Plot]:
        for table in sorted(self.report.tables, key=lambda table: table.measure != "asr"):
            bars = [
                (row.task, [self._bar(table, row.task, label, metric) for label, metric in pairs])
                for row in table.rows
                if row.scenario == ALL and any(row.metrics)
                for pairs in [list(zip(self.labels, row.metrics, strict=True))]
            ]
            if bars:
                name = f"{NAMES[table.measure]} by {table.judge}, all cases of each task"
                yield Plot(name, ratio_bars(bars, self.labels), "With the 95 % interval.")

    def _bar(self, table: Table, task: str, label: str, metric: Metric | None) -> RatioBar:
        if metric is None:
            return RatioBar(None, text="not judged")
        chosen = {"task": task, "judge": table.judge, "set": HARMFUL} | ({"run": label} if len(self.runs) > 1 else {})
        text, link = f"{label}: {format_metric(metric)}", self.options.rows_link(self.key)
        return RatioBar(metric.value, metric.interval, text, link, chosen)

    # --- facts ------------------------------------------------------------------------------------------------------

    def _facts(self) -> Iterator[tuple[str, str]]:
        """Yield what identifies the runs: once what they have in common, and else with the name of the run."""
        found = {label: dict(_run_facts(run)) for run, label in zip(self.runs, self.labels, strict=True)}
        names = dict.fromkeys(name for facts in found.values() for name in facts)
        for name in names:
            values = {label: facts.get(name, "none") for label, facts in found.items()}
            if len(set(values.values())) == 1:
                yield name, next(iter(values.values()))
            else:
                yield from ((f"{label}: {name}", value) for label, value in values.items())

    def _commands(self) -> Iterator[str]:
        for run, by_judge in zip(self.runs, self.verdicts, strict=True):
            out = run.folder.resolve().name
            if answered := _model_words(run.manifest):
                benchmark = shown_path(run.manifest.metadata.benchmark)
                yield command("sea", "bench", "run", benchmark, *answered, "--out", out)
            if by_judge:
                judges = [judge for judge in by_judge if not judge.startswith("refusal")]
                yield command("sea", "bench", "judge", out, *judge_options(judges))
        errors = ["--label-errors", self.label_errors] if self.label_errors else []
        yield command("sea", "bench", "report", *(run.folder.resolve().name for run in self.runs), *errors)

    # --- rows -------------------------------------------------------------------------------------------------------

    def _row(self, key: str) -> PageRow:
        record = self._first_record(key)
        several = bool(self.report.agreements)
        changed = "changed" if len(self._outcomes(key)) > 1 else "the same"
        labels = {
            "task": counted_task(record),
            "scenario": record["scenario"],
            "set": BENIGN if record["benign"] else HARMFUL,
            "status": record["status"],
            **({"verdicts": DIFFERENT if key in self._disagreements else "judges agree"} if several else {}),
            **({"change": changed} if len(self.runs) > 1 else {}),
        }
        prompts = dict.fromkeys(
            records[key].get("prompt", "")
            for records in self.records
            if key in records  # the same for all runs
        )
        texts = [
            PageText("original question", record["question"] or ""),
            *(PageText("prompt", str(prompt)) for prompt in prompts if prompt and prompt != record["question"]),
            *(self._answer(number, key) for number, records in enumerate(self.records) if key in records),
            *(found[key] for found in self._described if key in found),
        ]
        media = self._media(key) if self.options.media else []
        return PageRow(key, labels, texts, media, harmful=not record["benign"])

    def _answer(self, number: int, key: str) -> PageText:
        record, label = self.records[number][key], self.labels[number]
        run = label if len(self.runs) > 1 else ""
        name = f"answer of {label}"
        if record["status"] != "answered":
            return PageText(name, f"{record['status']}: {hide_places(record['detail'])}")
        verdicts = [
            PageVerdict(judge, found[key]["verdict"], run, hide_places(found[key]["detail"]))
            for judge, found in self.verdicts[number].items()
            if key in found
        ]
        verdicts += [
            PageVerdict(self.people[name], labels[key], run)
            for name, labels in self.labels_of_people[number].items()
            if key in labels
        ]
        action = record.get("action", "")
        marks = [*["cut at the maximum length"] * record["truncated"], *[f"{action} by the defence"] * bool(action)]
        return PageText(f"{name} ({'; '.join(marks)})" if marks else name, record["answer"], verdicts)

    @cached_property
    def _described(self) -> list[dict[str, PageText]]:
        """What each run's model says that the medium of a case shows."""
        found: list[dict[str, PageText]] = []
        for run, label in zip(self.runs, self.labels, strict=True):
            by_judge = run.current_comprehension_verdicts()
            shown_run = label if len(self.runs) > 1 else ""
            of_run = {
                key: PageText(
                    f"what the medium shows, {label}" if shown_run else "what the medium shows",
                    record["answer"],
                    [
                        PageVerdict(f"{judge}, content", of[key]["verdict"], shown_run)
                        for judge, of in by_judge.items()
                        if key in of
                    ],
                )
                for key, record in run.comprehension_records().items()
            }
            found.append(of_run)
        return found

    def _media(self, key: str) -> list[PageMedium]:
        """Return the medium of a case: only the one that the run was about, by its digest."""
        for run, records in zip(self.runs, self.records, strict=True):
            record = records.get(key)
            if record and record["status"] == "answered" and record["media"] and record["media_sha256"]:
                return self._preview(run, record["media"], record["media_sha256"])
        return []

    def _preview(self, run: BenchRun, media: str, digest: str) -> list[PageMedium]:
        name = Path(media).name
        for root in filter(None, (self.options.media_root, Path(run.manifest.metadata.benchmark))):
            path = root / media
            if _is_medium(path, root, self.modality, digest):
                files = media_files(path, self.modality)
                return [preview(file, root) for file in files.values()]
        hint = "the benchmark's folder does not have the medium that the model was asked about"
        return [PageMedium("none", note=f"{name}: {hint}; if it lies elsewhere: --media-root DIR")]


def _without_names(report: Report, people: Mapping[str, str]) -> Report:
    """Return a report with the people who labelled as numbers: a page is read by others."""
    pairs = [(people[first], people[second]) for first, second in (pair.judges for pair in report.people)]
    numbered = (replace(pair, judges=names) for pair, names in zip(report.people, pairs, strict=True))
    return replace(report, people=tuple(numbered))


def _run_facts(run: BenchRun) -> Iterator[tuple[str, str]]:
    """Yield what identifies one run."""
    identity, metadata = run.manifest.identity, run.manifest.metadata
    yield "benchmark", f"{shown_path(metadata.benchmark)}, digest {identity.cases or 'not known'}"
    if identity.model:
        yield from model_facts(identity.model, metadata.model.checkpoint, metadata.model.revision)
    if identity.served:
        yield "model on a server", shown_path(identity.served.name)
        yield "settings of the server", settings_text(identity.served.settings)
    if identity.defence:
        yield "defence", settings_text(identity.defence)
    if run.manifest.defence:
        yield "chosen by the defence", settings_text(run.manifest.defence)
    if metadata.lora:
        yield "LoRA adapter", f"{shown_path(metadata.lora)}, fingerprint {identity.lora}"
    yield "generation", settings_text(identity.generation)
    yield from manifest_facts(run.manifest)


def _model_words(manifest: BenchManifest) -> list[str]:
    """Return the options that name who answered, and how; none for imported answers."""
    identity, metadata = manifest.identity, manifest.metadata
    if identity.model:
        words = model_options(identity.model, metadata.model.checkpoint, metadata.model.revision)
    elif identity.served:  # the server's address is the user's own
        words = ["--server", "URL", "--served-model", shown_path(identity.served.name)]
        words += ["--modality", identity.modality]
        words += changed_settings(identity.served.settings, ServerConfig().identity(), "server.")
    else:
        return []
    words += ["--lora", shown_path(metadata.lora)] if metadata.lora else []
    return [
        *words,
        *changed_settings(identity.generation, AnswerConfig().identity()),
        *_defence_words(identity.defence),
    ]


def _defence_words(identity: Mapping[str, Any] | None) -> list[str]:
    """Return the options that name a defence and its settings. For a file, and a guard's model, stands a word."""
    if not identity:
        return []
    from sea_bench.defences.registry import DEFENCES  # imports torch

    name = str(identity.get("name", "NAME"))
    defence = DEFENCES.get(name) if name in DEFENCES.names() else None
    defaults = {} if defence is None else asdict(defence)
    digests = {key: key.upper() for key, value in identity.items() if str(value).startswith("sha256:")}
    typed = {key: identity[key] for key in defaults.keys() & identity.keys() - {"judge"}} | digests
    typed |= {"model": "MODEL"} if "model" in defaults else {}
    if defence and "file" in defaults and identity.get("text") != defence.identity().get("text"):
        typed["file"] = "FILE"
    return ["--defence", name, *changed_settings(dict(sorted(typed.items())), defaults, f"defence.{name}.")]


def _row_filter(columns: Sequence[str], texts: Sequence[str]) -> Filter:
    """Return which side the figures of a row are of, where a column names their metric."""
    if "metric" not in columns:
        return {}
    of_twin = texts[columns.index("metric")] == OVER_REFUSAL
    return {"set": BENIGN if of_twin else HARMFUL}


def _is_medium(path: Path, root: Path, modality: str, digest: str) -> bool:
    """Return whether a path in a benchmark's folder is the medium with this digest.

    The run's manifest, which may be anybody's, names the folder: who knows the digest of a file has the file.
    """
    try:
        files = [path] if not path.is_dir() else sorted(path.iterdir())
        if not files or not all(is_inside(file, root) and not file_problem(file) for file in files):
            return False
        if sum(file.stat().st_size for file in files) > MAX_FILE_BYTES:
            return False
        return medium_digest(path, modality) == digest
    except (OSError, ValueError, SeaError):
        return False
