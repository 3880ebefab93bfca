"""`sea plugin`: begin a plugin, and check whether it keeps the contract."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sea_core.cli import options, output

if TYPE_CHECKING:
    from sea_core.pipeline.inputs import ModelTarget
    from sea_core.plugin.contract.check import RuleResult
    from sea_core.plugin.contract.rule import AdapterUnderTest

app = typer.Typer(help="Write a plugin of your own.", no_args_is_help=True)


@app.command("new")
def new(
    name: Annotated[str, typer.Argument(metavar="NAME", help="What --plugin will take, e.g. eeg.")],
    modality: Annotated[str, typer.Option(help="One word for what people give the model, e.g. eeg.")],
    out: Annotated[Path | None, typer.Option(help="The folder to write. Default: sea-NAME.")] = None,
    as_json: output.Json = False,
) -> None:
    """Write the beginnings of a plugin: a distribution that installs, and says what is left to write."""
    from sea_core.plugin.scaffold.write import write_plugin

    files = write_plugin(name, modality, out)
    folder = files[0].parent
    output.emit({"folder": folder, "files": files}, as_json, lambda: output.grid(("written",), [[f] for f in files]))
    output.note(f"Next: pip install -e {folder}, then `sea plugin check {name.replace('-', '_')}` says what to write.")


@app.command("check")
def check(
    plugin: Annotated[str, typer.Argument(metavar="NAME|FILE", help="An installed plugin, or ./file.py.")],
    modality: options.Modality = None,
    model: options.Model = None,
    sample: Annotated[Path | None, typer.Option("--sample", help="A medium that is not blank. Default: noise.")] = None,
    dtype: options.Dtype = "float32",
    device: options.Device = "cpu",
    as_json: output.Json = False,
) -> None:
    """Check a plugin against the contract, rule by rule. Exit code 1 when a rule does not hold."""
    from sea_core.pipeline.inputs import ModelTarget
    from sea_core.plugin.contract.check import check as check_contract

    target = ModelTarget.find(plugin, modality=modality, model=model, dtype=dtype, device=device)
    found, adapter = target.plugin, target.adapter
    subject = _subject(target, sample)
    findings = list(check_contract(subject))
    value = {
        "plugin": found.name,
        "modality": adapter.modality,
        "model": model or adapter.checkpoint,
        "rules": [_row(finding) for finding in findings],
    }
    output.emit(value, as_json, lambda: output.grid(("", "rule"), [_cells(finding) for finding in findings]))
    wrong = sum(finding.state != "pass" for finding in findings)
    output.note(f"{len(findings) - wrong} of {len(findings)} rules hold.")
    if wrong:
        raise typer.Exit(1)


def _subject(target: ModelTarget, sample: Path | None) -> AdapterUnderTest:
    """Return the adapter with a model that is loaded, and a medium that is read, when a rule asks for them."""
    from sea_core.plugin.contract.rule import AdapterUnderTest

    def signal() -> Any:
        return target.adapter.read_media(sample, subject.mllm.processor) if sample else None

    subject = AdapterUnderTest(target.adapter, target.load, signal)
    return subject


def _row(finding: RuleResult) -> dict[str, str]:
    rule = finding.rule
    return {
        "rule": rule.name,
        "sentence": rule.sentence,
        "state": finding.state,
        "seen": finding.seen,
        "advice": finding.advice,
    }


def _cells(finding: RuleResult) -> list[str]:
    lines = [finding.rule.sentence, finding.seen, finding.advice]
    return [finding.state, "\n".join(line for line in lines if line)]
