"""`sea plugins`: list installed plugins, scaffold one, check one against the contract, warm a tiny model for it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sea_core.cli import options, output
from sea_core.cli.exit_code import exit_if_failed
from sea_core.cli.inputs import refusing, require_path
from sea_core.cli.settings import adapter_groups, read_settings, takes_settings
from sea_core.errors import number_of

if TYPE_CHECKING:
    from rich.console import RenderableType

    from sea_core.pipeline.model_target import ModelTarget
    from sea_core.plugin.contract.check import RuleResult, RuleState
    from sea_core.plugin.contract.rule import AdapterUnderTest
    from sea_core.plugin.loader import Plugin

app = typer.Typer()

COLUMNS = ("plugin", "distribution", "version", "modalities", "also offers", "state")


@app.callback(invoke_without_command=True)
def plugins(context: typer.Context, as_json: output.Json = False) -> None:
    """List the installed plugins, scaffold one, check one against the adapter contract, or warm a tiny model for it.

    Without a command: list the installed plugins.
    """
    if context.invoked_subcommand is None:
        list_plugins(as_json)


@app.command("list")
def list_plugins(as_json: output.Json = False) -> None:
    """List the installed plugins, what they offer, and the error of each one that cannot be used."""
    from sea_core.plugin.loader import installed

    found = installed()
    value = [
        {
            "plugin": plugin.name,
            "distribution": plugin.distribution,
            "version": plugin.version,
            "modalities": [adapter.modality for adapter in plugin.adapters],
            **_other_offers(plugin),
            "error": plugin.error,
        }
        for plugin in found
    ]
    output.emit(value, as_json, lambda: output.grid(COLUMNS, [_plugin_cells(plugin) for plugin in found]))
    if not found:
        output.note("No plugin is installed. Install one with pip.")


def _require_new(name: str) -> str:
    """Refuse the name of an installed plugin before a model is loaded to derive an adapter from."""
    from sea_core.plugin.loader import require_new_name

    require_new_name(name)
    return name


@app.command("new")
def new(
    name: Annotated[
        str,
        typer.Argument(metavar="NAME", help="The plugin's name, as --plugin takes it: eeg.", callback=_require_new),
    ],
    modality: Annotated[str, typer.Option(help="The modality in one word: eeg.")],
    from_model: Annotated[
        str | None,
        typer.Option("--from", metavar="MODEL", help="Write down the adapter that a plugin derives from this model."),
    ] = None,
    plugin: Annotated[
        str, typer.Option("--plugin", "-p", help="With --from: the plugin that derives the adapter.")
    ] = "auto",
    out: Annotated[Path | None, typer.Option(help="The folder to write. Default: sea-NAME.")] = None,
    revision: options.Revision = None,
    chat_template: options.ChatTemplate = None,
    as_json: output.Json = False,
) -> None:
    """Scaffold an installable plugin package, or write down the adapter that was derived from a model.

    With --from the adapter is complete, and independent of the plugin that derived it: change what you like.
    """
    if from_model:
        from sea_core.pipeline.modalities import write_derived_plugin
        from sea_core.pipeline.model_target import ModelTarget

        where: dict[str, Any] = {"revision": revision, "chat_template": chat_template}
        target = ModelTarget.find(plugin, modality=modality, model=from_model, **where)
        files = write_derived_plugin(name, target, out)
    else:
        from sea_core.plugin.scaffold.write import write_plugin

        files = write_plugin(name, modality, out)
    folder = files[0].parent
    output.emit({"folder": folder, "files": files}, as_json, lambda: output.grid(("written",), [[f] for f in files]))
    output.note(
        f"Next: pip install -e '{folder}[test]', then `sea plugins check {name.replace('-', '_')}` "
        + ("checks it against the contract. " if from_model else "lists what is left to write. ")
        + f"Its tests: pytest {folder}"
    )


@app.command("check")
@takes_settings(adapter_groups)
def check(
    plugin: Annotated[
        str,
        typer.Argument(metavar="NAME|FILE", callback=options.known_plugin, help="An installed plugin, or ./file.py."),
    ],
    modality: options.Modality = None,
    model: options.Model = None,
    chat_template: options.ChatTemplate = None,
    sample: Annotated[
        Path | None,
        typer.Option(
            "--sample",
            metavar="FILE",
            callback=refusing(require_path),
            help="A medium that is not blank. Default: noise.",
        ),
    ] = None,
    option: options.Settings = [],  # noqa: B006  # typer copies it
    config: options.SettingsFile = None,
    dtype: options.Dtype = "float32",
    device: options.Device = "cpu",
    as_json: output.Json = False,
) -> None:
    """Check a plugin against the adapter contract, rule by rule. Exit code 1 if a rule is violated."""
    from sea_core.model.checkpoint import read_config
    from sea_core.pipeline.model_target import ModelTarget

    target = ModelTarget.find(
        plugin,
        modality=modality,
        model=model,
        dtype=dtype,
        device=device,
        settings=read_settings(adapter_groups(), config, option)["adapter"],
        chat_template=chat_template,
    )
    # What is typed wrong is refused by now: the work imports torch, which takes seconds.
    from sea_core.plugin.contract.check import check_adapter

    if model:
        read_config(model, None)  # a model that was named and is not there is no fault of the plugin
    results = list(check_adapter(_adapter_under_test(target, sample)))
    value = {
        "plugin": target.plugin.name,
        "modality": target.adapter.modality,
        "model": target.checkpoint,
        "rules": [_rule_value(result) for result in results],
    }
    output.emit(value, as_json, lambda: output.grid(("", "rule"), list(_rule_lines(results))))
    counts = Counter(result.state for result in results)
    output.note(_summary(counts))
    exit_if_failed({"rules violated": counts["fail"], "rules not run": counts["not run"]})


@app.command("warm")
@takes_settings(adapter_groups)
def warm(
    plugin: options.PluginName,
    out: Annotated[Path, typer.Option(help="The folder to write the warmed model to.")],
    modality: options.Modality = None,
    model: options.Model = None,
    chat_template: options.ChatTemplate = None,
    steps: Annotated[int, typer.Option(min=1, help="The most steps to train; fewer if it learns faster.")] = 400,
    phrases: Annotated[int, typer.Option(min=1, help="How many phrases of the demo examples to teach.")] = 10,
    seed: Annotated[int, typer.Option(help="The seed of the training.")] = 0,
    option: options.Settings = [],  # noqa: B006  # typer copies it
    config: options.SettingsFile = None,
    device: options.Device = "cpu",
    as_json: output.Json = False,
) -> None:
    """Teach a tiny random model a few answers, so that `sea optimize` converges on it. For tests of adapters only.

    A random model can say no target answer, so that an adapter cannot be tried to the end of the chain. This trains the
    language model to read a few phrases and styles from embeddings. It learns them by heart: what such a model gives
    says nothing about a real one. Models of more than 50 million weights are refused.

    Exit code 1 if it did not learn all answers: give it more --steps.
    """
    from sea_core.cli.progress import TERMINAL
    from sea_core.pipeline.model_target import ModelTarget

    target = ModelTarget.find(
        plugin,
        modality=modality,
        model=model,
        dtype="float32",
        device=device,
        settings=read_settings(adapter_groups(), config, option)["adapter"],
        chat_template=chat_template,
    )
    # What is typed wrong is refused by now: the work imports torch, which takes seconds.
    from sea_core.pipeline.warm import warm as warm_model

    warmed = warm_model(target, out, steps=steps, phrases=phrases, seed=seed, progress=TERMINAL)
    value = asdict(warmed)
    output.emit(value, as_json, lambda: output.stack(_warmed_tables(value)))
    typed = [f"--modality {modality}"] * bool(modality) + [f"-o {each}" for each in option]
    output.note(f"Next: sea optimize {' '.join([f'--plugin {plugin}', *typed])} --model {out} --limit {phrases}")
    exit_if_failed({"questions that it does not answer as taught": len(warmed.wrong)})


def _warmed_tables(value: dict[str, Any]) -> Iterator[RenderableType]:
    """Yield what the warming gave, and the questions that the model answers in another way than it was taught."""
    figures = value | {"wrong": len(value["wrong"])}
    yield output.grid(("", "value"), [(name, output.short(figure)) for name, figure in figures.items()])
    if value["wrong"]:
        yield output.grid(("question", "taught", "answered"), [list(wrong.values()) for wrong in value["wrong"]])


def _adapter_under_test(target: ModelTarget, sample: Path | None) -> AdapterUnderTest:
    """Return the adapter; the model is loaded and the sample read when a rule needs them."""
    from sea_core.plugin.contract.rule import AdapterUnderTest

    def read_sample() -> Any:
        return target.adapter.read_media(sample, subject.mllm.processor) if sample else None

    subject = AdapterUnderTest(target.adapter, target.load, read_sample)
    return subject


def _summary(counts: Counter[RuleState]) -> str:
    """Return how many rules hold. A rule that was not tested in full is not violated."""
    holding = f"{counts['pass']} of {counts.total()} rules hold"
    untested = counts["not tested"]
    if not untested:
        return f"{holding}."
    passing = "" if counts["fail"] + counts["not run"] else " None is violated: the adapter passes."
    return f"{holding}, {untested} {'was' if untested == 1 else 'were'} not tested in full.{passing}"


def _other_offers(plugin: Plugin) -> dict[str, list[str]]:
    """Return the names of what a plugin offers besides adapters, by kind."""
    return {kind: names for kind, names in plugin.labels().items() if kind != "adapters"}


def _plugin_cells(plugin: Plugin) -> list[str]:
    modalities = ", ".join(adapter.modality for adapter in plugin.adapters)
    others = "\n".join(f"{kind}: {', '.join(names)}" for kind, names in _other_offers(plugin).items() if names)
    return [plugin.name, plugin.distribution, plugin.version, modalities, others, plugin.error or "ok"]


def _rule_value(result: RuleResult) -> dict[str, str]:
    rule = result.rule
    return {
        "rule": rule.name,
        "sentence": rule.sentence,
        "state": result.state,
        "problem": result.problem,
        "advice": result.advice,
    }


def _rule_lines(results: Sequence[RuleResult]) -> Iterator[list[str]]:
    """Yield a line of the table for each rule, and one for all that were not run for the same reason."""
    yield from (_rule_cells(result) for result in results if result.state != "not run")
    for problem, not_run in groupby(sorted((r for r in results if r.state == "not run"), key=_problem), _problem):
        names = [result.rule.name for result in not_run]
        yield ["not run", f"{number_of(len(names), 'rule')}: {problem}\n{', '.join(names)}"]


def _problem(result: RuleResult) -> str:
    return result.problem


def _rule_cells(result: RuleResult) -> list[str]:
    lines = [result.rule.sentence, result.problem, result.advice]
    return [result.state, "\n".join(line for line in lines if line)]
