"""`sea prepare`: a text safety file becomes rows that people can read and mend, and that `sea optimize` takes."""

from __future__ import annotations

from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sea_core.cli import extracting, options, output
from sea_core.errors import SeaError

if TYPE_CHECKING:
    from sea_core.data.result import ReadResult
    from sea_core.extraction.prepare import Preparation
    from sea_core.llm.cache import Usage


def prepare(
    rows: options.RowsFile = None,
    plugin: options.PluginName = "",
    modality: options.Modality = None,
    extractor: extracting.Name = "rules",
    out: Annotated[Path | None, typer.Option(help="Write every row with its outcome to this JSONL file.")] = None,
    option: options.Settings = [],  # noqa: B006  # typer copies it
    config: options.SettingsFile = None,
    format: options.Format = "auto",
    columns: options.Columns = None,
    split: options.Split = None,
    skip_bad: options.SkipBad = False,
    styles: options.Styles = None,
    limit: Annotated[int | None, typer.Option(min=1, help="Look at only the first N rows.")] = None,
    seed: Annotated[int, typer.Option(help="Draws the styles.")] = 0,
    as_json: output.Json = False,
) -> None:
    """Find the phrases of a text safety file: how many rows can be used, and why others are refused.

    Loads no multimodal model. The file of --out can be mended by hand and given to `sea optimize`.
    """
    from sea_core import config as settings
    from sea_core.extraction.prepare import prepare as make
    from sea_core.llm.config import LLMConfig
    from sea_core.plugin import loader

    _, adapter = loader.adapter(options.required(plugin), modality)
    chat, left = settings.override(LLMConfig(), settings.parse_overrides(config, option), "chat")
    settings.reject_unknown(left, settings.setting_names(chat, "chat"))
    phrases = extracting.Extracting.of(extractor, chat, out)
    data = options.Data(rows, format, columns, styles=styles, split=split, skip_bad=skip_bad)
    if out and data.file.exists() and out.resolve() == data.file.resolve():
        raise SeaError(f"--out {out} is the file that is read", hint="Give another name: nothing of it would be left.")
    read = data.read()
    read = replace(read, examples=read.examples[:limit])
    preparation = make(read.examples, adapter, seed=seed, extractor=phrases.extractor, styles=data.style_set())
    if out and (former := preparation.write(out)):
        output.note(f"{out} held something else; that is kept as {former}")
    data.require_some(preparation, len(read.examples))
    spent = phrases.spent()
    value = {
        "file": data.file,
        "format": read.format,
        "rows": len(read.examples),
        "dropped": read.skip_counts,
        "bad": len(read.invalid),
        "extractor": phrases.extractor.identity(),
        "prepared": len(preparation.prepared),
        "refused": len(preparation.skipped),
        "reasons": preparation.reason_counts(),
        "example": [p.extraction.detoxified for p in preparation.prepared[:1]],
        "spent": asdict(spent) if spent else None,
    }
    lines = _lines(preparation, read, spent)
    output.emit(value, as_json, lambda: output.grid(("", "rows"), lines))
    extracting.stop_if_unanswered(preparation)


def _lines(preparation: Preparation, read: ReadResult, spent: Usage | None) -> list[tuple[str, str]]:
    """Return what is drawn: counts, reasons and rules, and what a language model was asked."""
    lines: list[tuple[str, int]] = [("rows", len(read.examples)), ("prepared", len(preparation.prepared))]
    lines += [("refused", len(preparation.skipped))]
    lines += [(f"refused: {reason}", count) for reason, count in preparation.reason_counts().items()]
    lines += [(f"dropped: {rule}", count) for rule, count in read.skip_counts.items()]
    lines += [("bad", len(read.invalid))] if read.invalid else []
    shown = [(what, str(count)) for what, count in lines]
    if spent:
        cost = "unknown" if spent.cost is None else f"{spent.cost:.4f}"
        shown += [("answers", str(spent.completions)), ("tokens read", str(spent.tokens_in))]
        shown += [("tokens written", str(spent.tokens_out)), ("cost", cost)]
    return shown
