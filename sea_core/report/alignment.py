"""The sections for model folders of `sea align`: the outcome, the spot check before and after, the loss, the card."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from math import isfinite
from pathlib import Path

from sea_core.alignment.config import AlignConfig
from sea_core.alignment.model_card import TITLES
from sea_core.alignment.outcome import OutcomeName
from sea_core.alignment.run import CARD, ModelFolder
from sea_core.alignment.spot_check import AnswerMetrics, SpotCheckRecord, read_answers, spot_check_metrics
from sea_core.report.content import (
    Cell,
    Level,
    PageOptions,
    PageRow,
    PageSection,
    PageTable,
    PageText,
    PageVerdict,
    Plot,
)
from sea_core.report.figures import ratio_text, short_number
from sea_core.report.provenance import changed_settings, command, manifest_facts, model_facts
from sea_core.report.reporter import Reporter
from sea_core.report.rows import sample_rows
from sea_core.report.svg import RatioBar, curve, ratio_bars
from sea_core.runs.containment import is_inside
from sea_core.runs.public import hide_places, shown_path

LEVELS: Mapping[OutcomeName, Level] = {
    "safer": "good",
    "unchanged": "unclear",
    "less_safe": "bad",
    "refuses_everything": "bad",
    "not_converged": "unclear",
    "too_few_to_tell": "unclear",
}
TERMS: Mapping[str, str] = {
    "harmful refused": "Answers to harmful questions that refuse / answers that the list of refusals can read.",
    "strict ASR": "Harmful questions whose answer does not refuse and names what was asked about / harmful questions "
    "whose content is known. Lower is safer.",
    "benign refused": "Answers to harmless questions that refuse: over-refusal. Lower is more useful.",
    "spot check": "A few questions, the same before and after the alignment. It is a quick test, not a benchmark.",
    "loss": "The mean of the trainer's loss since the last entry of its log.",
}
MAX_CARD = 20_000
WHENS = ("before", "after")


class AlignmentReporter(Reporter):
    """Reports aligned models, each in a section."""

    manifest = ModelFolder.MANIFEST_NAME

    def sections(self, folders: Sequence[Path], options: PageOptions) -> list[PageSection]:
        return [_section(ModelFolder(folder), number, options) for number, folder in enumerate(folders, 1)]


def _section(folder: ModelFolder, number: int, options: PageOptions) -> PageSection:
    manifest, key = folder.manifest, f"model-{number}"
    metrics = manifest.metrics or {}
    outcome = metrics.get("outcome")
    rows = _rows(read_answers(folder.spot_check))
    chosen = sample_rows(
        rows, options.rows, lambda row: tuple(row.labels.values()), lambda row: row.labels.get("change") == "changed"
    )
    headline = str(metrics.get("outcome_sentence", "The alignment is not finished."))
    return PageSection(
        key=key,
        kind="Aligned model",
        title=folder.folder.resolve().name,
        headline=headline,
        level=LEVELS.get(outcome, "unclear") if isinstance(outcome, str) else "unclear",  # type: ignore[call-overload]
        next_step=str(metrics.get("next_step", "")),
        facts=[
            *model_facts(manifest.identity.model, manifest.metadata.checkpoint, manifest.metadata.revision),
            ("method", _method(folder)),
            ("trained on", ", ".join(map(shown_path, manifest.metadata.runs))),
            ("training examples", ", ".join(f"{n} {kind}" for kind, n in metrics.get("examples", {}).items())),
            ("exported", _exported(metrics)),
            *manifest_facts(manifest),
        ],
        commands=[_command(folder)],
        tables=[_spot_check_table(folder, metrics)] if rows else [],
        plots=list(_plots(folder, options.rows_link(key))),
        notes=[] if rows else ["There was no spot check."],
        documents=_card(folder.folder),
        total=len(rows),
        rows=chosen,
        terms=TERMS,
    )


def _method(folder: ModelFolder) -> str:
    identity, metrics = folder.manifest.identity, folder.manifest.metrics or {}
    trained = "all weights of the language model" if identity.full_finetune else "LoRA on the language model"
    steps = (
        f", {metrics['steps']} steps, last mean loss {short_number(metrics['loss'])}"
        if {"steps", "loss"} <= metrics.keys()
        else ""
    )
    return f"{identity.method.upper()} of {trained}{steps}"


def _exported(metrics: Mapping[str, object]) -> str:
    export = metrics.get("export")
    if not isinstance(export, Mapping):
        return "-"
    names = ", ".join(export.get("exports", {}))
    return f"{names}; loaded in a fresh process as {export.get('model_class')}, with the trained model's logits"


def _command(folder: ModelFolder) -> str:
    identity, metadata = folder.manifest.identity, folder.manifest.metadata
    settings = changed_settings(identity.config, asdict(AlignConfig()))
    settings += changed_settings(identity.trainer, {}, "trainer.") + changed_settings(identity.lora, {}, "lora.")
    full = ["--full-finetune"] if identity.full_finetune else []
    runs = map(shown_path, metadata.runs)
    out = folder.folder.resolve().name
    return command("sea", "align", *runs, "--method", identity.method, *full, *settings, "--out", out)


def _card(folder: Path) -> list[tuple[str, str]]:
    """Return the model card, which people may have edited: as text, without the block for the hub."""
    path = folder / CARD
    if not path.is_file() or not is_inside(path, folder):
        return []
    with path.open(encoding="utf-8", errors="replace") as file:
        text = file.read(MAX_CARD)
    return [("Model card", hide_places(re.sub(r"\A---\n.*?\n---\n", "", text, flags=re.S).strip()))]


def _group(group: str, seen: bool) -> str:
    return TITLES.get(group, group) + (", seen in training" if seen else "")


def _spot_check_table(folder: ModelFolder, metrics: Mapping[str, object]) -> PageTable:
    rows = []
    for of in spot_check_metrics(read_answers(folder.spot_check)):
        name = _group(of["group"], of["seen"])
        for when in WHENS:
            rows.append(_spot_check_cells(name, when, of[when]))  # type: ignore[literal-required]
    columns = ["questions", "when", "harmful refused", "strict ASR", "benign refused", "harmful", "benign", "unread"]
    judge = metrics.get("judge", "a list of phrases")
    note = f"In parentheses: the 95 % interval (Wilson). Refusals are recognised by {judge}."
    return PageTable("Spot check", columns, rows, note)


def _spot_check_cells(name: str, when: str, of: AnswerMetrics) -> list[Cell]:
    group = {"questions": name}
    refused = {**group, "run": when, "verdict": "refused"}
    harmful, benign = {**group, "label": "harmful"}, {**group, "label": "benign"}
    return [
        Cell(name),
        Cell(when),
        Cell(ratio_text(of["refusal_rate"], of["refusal_interval"]), {**refused, "label": "harmful"}),
        Cell(ratio_text(of["strict_asr"], of["strict_asr_interval"]), {**harmful, "run": when, "verdict": "named"}),
        Cell(ratio_text(of["over_refusal_rate"], of["over_refusal_interval"]), {**refused, "label": "benign"}),
        Cell(str(of["n_harmful"]), harmful),
        Cell(str(of["n_benign"]), benign),
        Cell(str(of["n_unread"]), {**group, "run": when, "verdict": "unread"}),
    ]


def _plots(folder: ModelFolder, link: str) -> Iterator[Plot]:
    losses = [
        (float(entry["step"]), float(entry["loss"]))
        for entry in folder.trace.read()
        if "loss" in entry and "step" in entry
    ]
    drawn = [(step, loss) for step, loss in losses if isfinite(loss) and abs(loss) < 1e9 and 0 <= step < 1e9]
    if len(drawn) > 1:
        yield Plot("Loss", curve(drawn, "step", "loss"))
    groups = spot_check_metrics(read_answers(folder.spot_check))
    for name, rate, interval, label in (
        ("Harmful questions refused", "refusal_rate", "refusal_interval", "harmful"),
        ("Benign questions refused", "over_refusal_rate", "over_refusal_interval", "benign"),
    ):
        bars = []
        for of in groups:
            pair = [
                RatioBar(
                    of[when][rate],  # type: ignore[literal-required]
                    of[when][interval],  # type: ignore[literal-required]
                    f"{when}: {ratio_text(of[when][rate], of[when][interval])}",  # type: ignore[literal-required]
                    link,
                    {"questions": _group(of["group"], of["seen"]), "run": when, "label": label, "verdict": "refused"},
                )
                for when in WHENS
            ]
            if any(bar.value is not None for bar in pair):
                bars.append((_group(of["group"], of["seen"]), pair))
        if bars:
            yield Plot(name, ratio_bars(bars, WHENS), "With the 95 % interval of each ratio.")


def _rows(records: Sequence[SpotCheckRecord]) -> list[PageRow]:
    """Return a row for each question, with its answers before and after."""
    pairs: dict[tuple[str, bool, str], dict[str, SpotCheckRecord]] = {}
    for record in records:
        pairs.setdefault((record["group"], record["seen"], record["id"]), {})[record["when"]] = record
    return [_row(_group(group, seen), pair) for (group, seen, _), pair in pairs.items()]


def _row(name: str, pair: Mapping[str, SpotCheckRecord]) -> PageRow:
    record = next(iter(pair.values()))
    refused = [each["refused"] for each in pair.values()]
    labels = {"questions": name, "label": "harmful" if record["harmful"] else "benign"}
    labels["change"] = "changed" if len(set(refused)) > 1 else "the same"
    answers = [
        PageText(f"answer {when}", pair[when]["answer"], list(_verdicts(pair[when], when)))
        for when in WHENS
        if when in pair
    ]
    return PageRow(record["id"], labels, [PageText("question", record["prompt"]), *answers], harmful=record["harmful"])


def _verdicts(record: SpotCheckRecord, when: str) -> Iterator[PageVerdict]:
    refused = record["refused"]
    verdict = "unread" if refused is None else "refused" if refused else "not_refused"
    yield PageVerdict(record["judge"], verdict, when)
    if record["named"] is not None and refused is False:
        # An answer to a harmful question that names its content is what an attacker wants.
        level: Level = "unclear" if not record["named"] else "bad" if record["harmful"] else "good"
        yield PageVerdict("content", "named" if record["named"] else "missed", when, level=level)
