"""`sea data`: look at a data file before anything is spent on it, and write it for other tools."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import typer

from sea_core.cli import options, output
from sea_core.errors import SeaError

app = typer.Typer(help="Check data files, and write them for other tools.", no_args_is_help=True)

SHOWN = 50
"""How many bad records, and how many missing media, are listed in text; --json lists all."""

File = Annotated[Path, typer.Argument(metavar="FILE", help="A file, a folder, or hf:OWNER/NAME:CONFIG@REVISION.")]


@app.command("check")
def check(
    file: File,
    format: options.Format = "auto",
    columns: options.Columns = None,
    split: options.Split = None,
    skip_bad: options.SkipBad = False,
    as_json: output.Json = False,
) -> None:
    """List every bad row, and count the rest. Loads no model. Exit code 2 if a row is bad or a medium is missing.

    With --skip-bad they are listed as well, and the exit code is 0.
    """
    from sea_core.data.read import scan
    from sea_core.data.summary import details, summary
    from sea_core.pipeline.inputs import parse_columns
    from sea_core.plugin import loader

    read = scan(file, format, parse_columns(columns), split=split, formats=loader.formats())
    value = summary(read) | details(read)
    output.emit(value, as_json, lambda: output.grid(("", ""), _lines(value)))
    lost = [f"{len(value[name])} {what}" for name, what in LOST.items() if value[name]]
    if lost or not read.examples:
        output.note(f"{', '.join(lost) or 'no row is left'}: mend the file, or leave bad rows out with --skip-bad.")
        if not (skip_bad and read.examples):
            raise typer.Exit(2)


LOST = {"bad_records": "bad records", "missing_media": "missing media"}


@app.command("convert")
def convert(
    file: File,
    to: Annotated[str, typer.Option(help="llama-factory, trl or jsonl.")] = "jsonl",
    out: Annotated[Path | None, typer.Option(help="The file to write: .jsonl, or .json for one list.")] = None,
    kind: Annotated[str | None, typer.Option(help="sft or dpo, where the rows are of both.")] = None,
    save_media_to: Annotated[
        Path | None, typer.Option("--save-media-to", help="A folder for media that FILE holds as bytes.")
    ] = None,
    format: options.Format = "auto",
    columns: options.Columns = None,
    split: options.Split = None,
    skip_bad: options.SkipBad = False,
    as_json: output.Json = False,
) -> None:
    """Write the rows of a file for another tool. The file itself is never changed."""
    from sea_core.data.read import read_examples
    from sea_core.data.writers import write_examples
    from sea_core.pipeline.inputs import parse_columns
    from sea_core.plugin import loader

    if out is None:
        raise SeaError("no file to write was named", hint="Type --out FILE.jsonl")
    if kind not in (None, "sft", "dpo"):
        raise SeaError(f"--kind {kind} is not known", hint="Type --kind sft or --kind dpo")
    names = parse_columns(columns)
    read = read_examples(
        file,
        format,
        names,
        split=split,
        skip_bad=skip_bad,
        media_dir=save_media_to,
        formats=loader.formats(),
    )
    written, told = write_examples(read.examples, out, to, kind)  # type: ignore[arg-type]  # checked above
    value = {
        "file": out,
        "to": to,
        "kind": told,
        "format": read.format,
        "records": read.records,
        "written": written,
        "other_kind": len(read.examples) - written,
        "dropped": read.skip_counts,
        "bad": len(read.invalid),
        "noted": read.notes,
    }
    lines = [(name, count) for name, count in value.items() if name not in ("dropped", "noted")]
    output.emit(value, as_json, lambda: output.grid(("", ""), [*lines, *_rules(value)]))


def _lines(value: dict[str, Any]) -> Iterator[tuple[str, object]]:
    for name in ("file", "format", "records", "rows"):
        yield name, value[name]
    yield from value["classes"].items()
    yield "with an instruction that an earlier row has", value["duplicates"]
    for name, told in value["characters"].items():
        yield f"characters: {name}", f"{told['shortest']} to {told['longest']}, median {told['median']:g}"
    yield from _rules(value)
    yield "bad", value["bad"]
    for bad in value["bad_records"][:SHOWN]:
        yield "", f"{bad['where']}: {bad['what']}"
    yield from _more(len(value["bad_records"]))
    yield "missing media", len(value["missing_media"])
    for one in value["missing_media"][:SHOWN]:
        yield "", f"row {one['row']} ({one['number']}): {one['medium']}"
    yield from _more(len(value["missing_media"]))


def _rules(value: dict[str, Any]) -> Iterator[tuple[str, object]]:
    yield from ((f"dropped: {rule}", count) for rule, count in value["dropped"].items())
    yield from ((f"used in part: {what}", count) for what, count in value["noted"].items())


def _more(count: int) -> Iterator[tuple[str, object]]:
    if count > SHOWN:
        yield "", f"and {count - SHOWN} more: --json lists all"
