"""`sea bench run`: put a benchmark's cases to a model."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sea_core.cli import options, output
from sea_core.cli.settings import SettingGroup, adapter_group, read_settings, takes_settings

if TYPE_CHECKING:
    from sea_bench.run.config import AnswerConfig
    from sea_bench.run.run_folder import BenchRun
    from sea_bench.run.runner import CaseRunner
    from sea_bench.select import Selection
    from sea_core.model.adapter import Adapter
    from sea_core.model.mllm import MLLM
    from sea_core.pipeline.inputs import ModelTarget


def run_groups() -> list[SettingGroup]:
    """Return the settings of `sea bench run`."""
    from sea_bench.run.config import AnswerConfig

    return [SettingGroup(AnswerConfig()), adapter_group()]


@takes_settings(run_groups)
def run(
    plugin: options.PluginName,
    cases: Annotated[Path, typer.Argument(metavar="CASES", help="A benchmark's folder (sea bench build).")],
    out: Annotated[Path, typer.Option(help="The run's folder. The same command again goes on with it.")],
    modality: options.Modality = None,
    model: options.Model = None,
    adapter: Annotated[Path | None, typer.Option(help="A trained adapter (PEFT) to put on the model.")] = None,
    tasks: Annotated[list[str], typer.Option("--task", help="Only this task; may be repeated.")] = [],  # noqa: B006
    scenarios: Annotated[list[str], typer.Option("--scenario", help="Only this one; may be repeated.")] = [],  # noqa: B006
    conditions: Annotated[
        list[str],
        typer.Option(
            "--condition", help="text, media, blank or no_media; may be repeated.", show_default="text, media"
        ),
    ] = [],  # noqa: B006
    limit: Annotated[int | None, typer.Option(min=1, help="Only the first N of each scenario and task.")] = None,
    option: options.Settings = [],  # noqa: B006  # typer copies it
    config: options.SettingsFile = None,
    revision: options.Revision = None,
    dtype: options.Dtype = "auto",
    device: options.Device = "auto",
    as_json: output.Json = False,
) -> None:
    """Put a benchmark's cases to a model, greedily, and store every answer. Nothing is judged yet: sea bench judge."""
    from sea_bench.dataset import read_benchmark
    from sea_bench.select import CaseFilter, select_cases
    from sea_core.pipeline.inputs import ModelTarget

    settings = read_settings(run_groups(), config, option)
    settled: AnswerConfig = settings[""]
    target = ModelTarget.find(
        plugin,
        modality=modality,
        model=model,
        revision=revision,
        dtype=dtype,
        device=device,
        settings=settings["adapter"],
    )
    driver = target.adapter
    benchmark = read_benchmark(cases, driver.modality)
    wanted = CaseFilter(tasks, scenarios, conditions or CaseFilter.conditions, limit)
    selection = select_cases(benchmark, wanted)
    opened = _start(out, cases, driver, target, adapter, settled, len(selection))
    with opened.writing():
        _ask(opened, driver, target, adapter, settled, selection)
    _report(opened, selection, as_json)


def _start(
    out: Path,
    cases: Path,
    driver: Adapter,
    target: ModelTarget,
    trained: Path | None,
    settled: AnswerConfig,
    count: int,
) -> BenchRun:
    """Begin the run, or go on with the one that is there."""
    from sea_bench.run.lora import check_lora_folder
    from sea_bench.run.run_folder import BenchIdentity, BenchManifest, BenchMetadata, BenchRun
    from sea_bench.select import set_digest
    from sea_core import __version__
    from sea_core.model.checkpoint import fingerprint
    from sea_core.pipeline.manifests import model_identity, model_location

    if trained:
        check_lora_folder(trained)
    manifest = BenchManifest(
        identity=BenchIdentity(
            modality=driver.modality,
            sea=__version__,
            cases=set_digest(cases, driver.modality),
            model=model_identity(target),
            lora=fingerprint(str(trained), None) if trained else None,
            generation=settled.identity(),
        ),
        metadata=BenchMetadata(
            benchmark=str(cases),
            cases=count,
            model=model_location(target),
            lora=str(trained) if trained else None,
        ),
    )
    return BenchRun.start(out, manifest)


def _ask(
    run: BenchRun,
    driver: Adapter,
    target: ModelTarget,
    trained: Path | None,
    settled: AnswerConfig,
    selection: Selection,
) -> None:
    """Ask what is left to ask; a model is loaded only if there is something."""
    from sea_bench.run.runner import CaseRunner, choose_batch_size, new_missing_records, run_cases, unanswered_cases
    from sea_core.cli.progress import bar

    if fresh := new_missing_records(run, selection.missing):
        run.answers.append(fresh)
    todo = unanswered_cases(run, selection)
    if not todo:
        return
    asker = CaseRunner(_loaded(driver, target, trained), settled)
    _probe(run, asker, selection, target.device_name())
    size = choose_batch_size(settled, run.manifest.preflight)
    if size != settled.batch_size:
        output.note(
            "each case is answered alone: a batch was found to change answers (-o keep_batches=true to allow it)"
        )
    with bar("answer", len(selection.cases), len(selection.cases) - len(todo)) as progress:
        for count in run_cases(asker, run, todo, size):
            progress.advance(count)


def _loaded(driver: Adapter, target: ModelTarget, trained: Path | None) -> MLLM:
    from sea_bench.run.lora import with_lora
    from sea_core.model.selfcheck import check_seam

    mllm = target.load()
    if trained:
        mllm = with_lora(mllm, trained)
    check_seam(mllm)
    return mllm


def _probe(run: BenchRun, asker: CaseRunner, selection: Selection, device: str) -> None:
    """Probe the media and the batches, once for a run and a device, and keep what was found."""
    from sea_bench.run.runner import preflight

    found = run.manifest.preflight
    if found is None or found.device != device:
        run.set_preflight(preflight(asker, selection.cases, device))


def _report(run: BenchRun, selection: Selection, as_json: bool) -> None:
    rows = run.answer_records()
    here = [rows[key] for case in selection.cases if (key := case.key) in rows]
    here += [rows[row["key"]] for row in selection.missing if row["key"] in rows]
    status = [row["status"] for row in here]
    found = asdict(run.manifest.preflight) if run.manifest.preflight else {}
    value = {
        "run": run.folder,
        "cases": len(selection),
        "answered": status.count("answered"),
        "missing": status.count("missing"),
        "unreadable": status.count("unreadable"),
        "truncated": sum(row.get("truncated", False) for row in here),
        "preflight": {name: value for name, value in found.items() if name != "chat"},
    }
    output.emit(value, as_json, lambda: output.grid(("answers", "value"), list(value.items())))
    for row in [row for row in here if row["status"] != "answered"][:5]:
        output.note(f"{row['status']}: {row['key']}: {row['detail']}")
    output.note(f"Type: sea bench judge {run.folder}")
