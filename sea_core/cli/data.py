"""`sea data`: check a data file, and write it for other tools."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sea_core.cli import options, output
from sea_core.cli.exit_code import exit_if_failed
from sea_core.cli.inputs import refusing, require_path
from sea_core.errors import SeaError, number_of

if TYPE_CHECKING:
    from sea_core.data.examples import Example
    from sea_core.data.summary import Summary
    from sea_core.model.text_check import RefusedText
    from sea_core.pipeline.reading import LabelCheck

app = typer.Typer(help="Check data files, and write them for other tools.", no_args_is_help=True)

SHOWN = 50
"""How many invalid records and missing media are listed in text; --json lists all."""
SHOWN_HINTS = 3
"""How many different ways to fix a record."""

File = Annotated[Path, typer.Argument(metavar="FILE", help="A file, a folder, or hf:OWNER/NAME:CONFIG@REVISION.")]


@app.command("check")
def check(
    file: File,
    format: options.Format = "auto",
    columns: options.Columns = None,
    split: options.Split = None,
    skip_bad: options.SkipBad = False,
    plugin: Annotated[
        str | None, typer.Option("--plugin", "-p", help="Check every text against the tokenizer of a plugin's model.")
    ] = None,
    modality: options.Modality = None,
    model: options.Model = None,
    revision: options.Revision = None,
    chat_template: options.ChatTemplate = None,
    styles: Annotated[
        Path | None, typer.Option(callback=refusing(require_path), help="A style set to check with --plugin.")
    ] = None,
    as_json: output.Json = False,
) -> None:
    """List invalid records and missing media, and count the rest. Exit code 1 if there are any.

    With --skip-bad they are listed as well, and the exit code is 0. With --plugin, texts of which a part would become a
    special token of the model are listed too. Its weights are not loaded.
    """
    from sea_core.data.read import no_examples_error
    from sea_core.data.summary import describe_marks, summarise
    from sea_core.pipeline.data_spec import parse_columns
    from sea_core.pipeline.model_target import ModelTarget
    from sea_core.pipeline.read import scan
    from sea_core.pipeline.reading import LabelCheck, describe_unused_columns

    result = scan(file, format, parse_columns(columns), split=split)
    if result.format == "unknown" and result.records > 1 and not as_json:
        raise no_examples_error(result)  # not a data file: listing each of its lines helps nobody
    summary, labels, refused = summarise(result), LabelCheck.of(result.examples), None
    if plugin:
        from sea_core.pipeline.texts import check_texts  # imports torch

        target = ModelTarget.find(
            plugin, modality=modality, model=model, revision=revision, chat_template=chat_template
        )
        refused = check_texts(target, result.examples, result.path, styles)
    value = asdict(summary) | {"labels": asdict(labels)}
    value |= {} if refused is None else {"refused_texts": [asdict(text) for text in refused]}
    output.emit(
        value, as_json, lambda: output.grid(("data", "value"), [*_lines(summary, labels), *_refused_lines(refused)])
    )
    if unused := describe_unused_columns(result):
        output.note(f"{unused}.")
    for note in (*labels.warnings(), *_too_few(result.examples)):
        output.note(note)
    if marks := describe_marks(result.examples):
        output.note(f"{marks}.")
    special = {"texts that would become special tokens": len(refused or ())}
    if refused:
        texts = number_of(len(refused), "text")
        output.note(f"{texts} that would become special tokens: change the data, or give another --model.")
    invalid = "invalid record" if summary.invalid == 1 else "invalid records"
    found = {invalid: summary.invalid, "missing media": len(summary.missing_media)}
    if skip_bad and result.examples:
        if problems := _count(found):
            output.note(f"{problems}: they are skipped.")
        found = {}
    elif (problems := _count(found)) or not result.examples:
        output.note(f"{problems or 'no examples'}: fix the file, or skip invalid records with --skip-bad.")
    else:
        typed = {"--format": None if format == "auto" else format, "--columns": columns, "--split": split}
        words = [word for name, value in typed.items() if value for word in (name, value)]
        given = shlex.join([str(file), *words])
        output.note(f"Next: sea prepare {given} --plugin NAME --out prepared.jsonl")
    exit_if_failed(found | special | {"files without an example": int(not result.examples)})


@app.command("convert")
def convert(
    file: File,
    to: Annotated[str, typer.Option(help="llama-factory, trl or jsonl.")] = "jsonl",
    out: Annotated[Path | None, typer.Option(help="The file to write: .jsonl, or .json for one list.")] = None,
    kind: Annotated[str | None, typer.Option(help="sft or dpo, if the examples are of both.")] = None,
    save_media_to: Annotated[
        Path | None, typer.Option("--save-media-to", help="A folder for media that FILE holds as bytes.")
    ] = None,
    format: options.Format = "auto",
    columns: options.Columns = None,
    split: options.Split = None,
    skip_bad: options.SkipBad = False,
    as_json: output.Json = False,
) -> None:
    """Write the examples of a file for another tool. The file itself is never changed."""
    from sea_core.data.summary import describe_unused
    from sea_core.data.writers import write_examples
    from sea_core.pipeline.data_spec import parse_columns
    from sea_core.pipeline.read import read_examples

    if out is None:
        raise SeaError("no file to write was named", hint="Type --out FILE.jsonl")
    if kind not in (None, "sft", "dpo"):
        raise SeaError(f"--kind {kind} is not known", hint="Type --kind sft or --kind dpo")
    names = parse_columns(columns)
    result = read_examples(
        file,
        format,
        names,
        split=split,
        skip_bad=skip_bad,
        media_dir=save_media_to,
    )
    written, written_kind = write_examples(result.examples, out, to, kind)  # type: ignore[arg-type]  # checked above
    value = {
        "file": out,
        "to": to,
        "kind": written_kind,
        "format": result.format,
        "records": result.records,
        "written": written,
        "other_kind": len(result.examples) - written,
        "skipped": len(result.skipped),
        "skip_counts": result.skip_counts,
        "invalid": len(result.invalid),
        "notes": result.notes,
        "unused_columns": result.unused_columns,
    }
    in_lists = ("skip_counts", "notes", "unused_columns")
    lines = [(name, count) for name, count in value.items() if name not in in_lists]
    rules = [*_rules(result.skip_counts, result.notes)]
    if unused := describe_unused(result.unused_columns):
        rules.append(("columns that are not used", unused))
    output.emit(value, as_json, lambda: output.grid(("data", "value"), [*lines, *rules]))


def _too_few(examples: Sequence[Example]) -> Iterator[str]:
    """Say that an alignment with these examples can hardly be shown to be safer."""
    from sea_core.alignment.config import NEEDED
    from sea_core.data.summary import has_answer

    answered = [example for example in examples if has_answer(example)]
    harmful = sum(example.harmful for example in answered)
    benign = len(answered) - harmful
    if answered and min(harmful, benign) < NEEDED:
        yield (
            f"For sea align: {harmful} harmful and {benign} benign examples have answers. To show that the model is "
            f"safer takes about {NEEDED} of each, since some are held out, or real media to ask about (--eval-media)."
        )


def _count(found: Mapping[str, int]) -> str:
    return ", ".join(f"{count} {what}" for what, count in found.items() if count)


def _lines(summary: Summary, labels: LabelCheck) -> Iterator[tuple[str, object]]:
    from sea_core.data.summary import REPEATED_IDS, describe_unused

    yield from (("file", summary.file), ("format", summary.format))
    if summary.encoding:
        yield "encoding", summary.encoding
    yield from (("records", summary.records), ("examples", summary.examples))
    yield from summary.classes.items()
    yield from labels.counts()
    yield "with the instruction of an earlier example", summary.duplicates
    for name, lengths in summary.characters.items():
        yield f"characters: {name}", f"{lengths.shortest} to {lengths.longest}, median {lengths.median:g}"
    yield "skipped", summary.skipped
    yield from _rules(summary.skip_counts, summary.notes)
    if unused := describe_unused(summary.unused_columns):
        yield "columns that are not used", unused
    if summary.repeated_ids:
        yield REPEATED_IDS, summary.repeated_ids
    yield "invalid", summary.invalid
    yield from _first([f"{record.where}: {record.what}" for record in summary.invalid_records])
    hints = dict.fromkeys(record.hint for record in summary.invalid_records if record.hint)
    yield from (("how to fix it", hint) for hint in list(hints)[:SHOWN_HINTS])
    yield "missing media", len(summary.missing_media)
    yield from _first([f"{found.example} ({found.number}): {found.medium}" for found in summary.missing_media])


def _refused_lines(refused: Sequence[RefusedText] | None) -> Iterator[tuple[str, object]]:
    if refused is not None:
        yield "texts that would become special tokens", len(refused)
        yield from _first([f"{text.where}: {text.name}: {text.what}" for text in refused])


def _rules(skip_counts: dict[str, int], notes: dict[str, int]) -> Iterator[tuple[str, object]]:
    yield from ((f"skipped: {rule}", count) for rule, count in skip_counts.items())
    yield from ((f"used in part: {note}", count) for note, count in notes.items())


def _first(lines: list[str]) -> Iterator[tuple[str, object]]:
    """Yield the first lines, and how many there are beyond them."""
    yield from (("", line) for line in lines[:SHOWN])
    if len(lines) > SHOWN:
        yield "", f"and {len(lines) - SHOWN} more: --json lists all"
