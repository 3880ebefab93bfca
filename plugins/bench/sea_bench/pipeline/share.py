"""`sea bench push` and `sea bench pull` from Python: benchmarks and benchmark runs, shared as `sea push` does."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from sea_bench.build.build_folder import BuildFolder
from sea_bench.dataset import public_source, read_benchmark
from sea_bench.run.records import LabelRecord
from sea_bench.run.run_folder import BenchRun
from sea_core.errors import RunError, SeaError, number_of
from sea_core.runs.inventory import Inventory
from sea_core.runs.jsonl import JsonlLog
from sea_core.runs.manifest import ModelLocation
from sea_core.runs.public import hide_places, public_name
from sea_core.sharing.package import Package, PackageKind, stage_inventory, stage_journal, stage_manifest

RUN_JOURNALS = ("answers.jsonl", "verdicts.jsonl", "comprehension.jsonl", "comprehension_verdicts.jsonl")
BENCHMARK_JOURNALS = ("media.jsonl", "picks.jsonl")
CACHES = "caches, locks, damaged files, and where files lie on this machine"
ABOUT_RUN = """The questions of a safety benchmark, what one model answered to them, and the verdicts of judges. Harmful
questions and answers stand here in full: for research on the safety of models."""
ABOUT_BENCHMARK = """A safety benchmark: harmful questions, the same put into media, and harmless twins of them. It is
made to measure models that should refuse, and must not be trained on."""


def pack_bench_run(folder: Path, temporary: Path, with_text: bool) -> Package:
    """Return what of a benchmark run is shared. Raises SeaError without its texts: nothing else is in it."""
    _require_text(with_text, "a benchmark run")
    run = BenchRun(folder)
    identity, metadata = run.manifest.identity, run.manifest.metadata
    location = metadata.model
    journals = [path for name in RUN_JOURNALS if (path := folder / name).is_file()]
    files = {path.name: stage_journal(temporary, path) for path in journals}
    files |= _labels(run, temporary)
    manifest, preflight = run.manifest, run.manifest.preflight
    if metadata.server and preflight:  # its device is the server's address, which stays here
        manifest = replace(manifest, preflight=replace(preflight, device="server"))
    files["bench.json"] = stage_manifest(
        temporary,
        "bench.json",
        manifest,
        server=None,
        benchmark=public_name(metadata.benchmark),
        model=ModelLocation(public_name(location.checkpoint), location.revision),
        lora=metadata.lora and public_name(metadata.lora),
    )
    model = identity.model
    described = (
        f"{model.fingerprint}, plugin {model.plugin} {model.plugin_version}" if model else "answers of elsewhere"
    )
    judges = ", ".join(map(hide_places, run.verdicts_by_judge())) or "none yet"
    return Package(
        manifest="bench.json",
        what=f"A run of a safety benchmark ({identity.modality})",
        repo_type="dataset",
        files=files,
        facts={
            "Answers": f"{len(run.answered_records())} of {metadata.cases} cases",
            "Judges": judges,
            "Benchmark": f"{public_name(metadata.benchmark)} {identity.cases}".strip(),
            "Model": f"{public_name(location.checkpoint)}, {described}"
            + f", LoRA adapter {identity.lora}" * bool(identity.lora),
        },
        sent=[
            "the questions, harmful ones included, with the ids and scenarios of the cases",
            "the answers and the verdicts",
            "settings and digests, and the names of the benchmark and of the model",
        ],
        kept=["the media of the benchmark", "the names of people who labelled answers", CACHES],
        commands=["sea bench pull SOURCE FOLDER", "sea bench report FOLDER", "sea bench show FOLDER"],
        source=metadata.benchmark,
        with_text=True,
        fingerprint=model.fingerprint if model else "",
        about=ABOUT_RUN,
    )


def _labels(run: BenchRun, temporary: Path) -> dict[str, Path]:
    """Return the files of people's labels; the people in them are numbered, and not named."""
    labels, name = run.labels.read(), run.labels.path.name
    if not labels:
        return {}
    people = {annotator: f"person {n}" for n, annotator in enumerate(dict.fromkeys(r["annotator"] for r in labels), 1)}
    log = JsonlLog(temporary / name, LabelRecord)
    log.append(LabelRecord({**record, "annotator": people[record["annotator"]]}) for record in labels)
    frame = run.sampling_frame.path
    return {name: log.path, **({frame.name: stage_journal(temporary, frame)} if frame.is_file() else {})}


def pack_benchmark(folder: Path, temporary: Path, with_text: bool) -> Package:
    """Return what of a built benchmark is shared.

    Raises:
        SeaError: it would be without its texts: they are the benchmark.
        RunError: the benchmark is not finished: `media.jsonl` would name media that are not sent.
    """
    _require_text(with_text, "a benchmark")
    build = BuildFolder(folder)
    manifest = build.read()
    if unfinished := [name for name, each in manifest.sets.items() if not each.complete]:
        what = f"this benchmark is not finished: {', '.join(unfinished)}"
        raise RunError(what, hint="Re-run `sea bench build` first.", where=str(folder))
    benchmark, known = read_benchmark(folder), Inventory(folder).files()
    files = {name: folder / name for name in known}
    journals = [path for name in BENCHMARK_JOURNALS if (path := folder / name).is_file()]
    files |= {path.name: stage_journal(temporary, path) for path in journals}
    files["inventory.jsonl"] = stage_inventory(temporary, files, known)
    sources = [each.source for each in manifest.sets.values()]
    sets = {name: replace(each, source=public_source(each.source)) for name, each in manifest.sets.items()}
    files["manifest.json"] = stage_manifest(temporary, build.path.name, replace(manifest, sets=sets))
    harmful = sum(not case.benign for case in benchmark.cases)
    return Package(
        manifest="manifest.json",
        what="A safety benchmark built with SEA",
        repo_type="dataset",
        files=files,
        facts={
            "Sets": ", ".join(f"{name} ({number_of(len(each.cases), 'text')})" for name, each in manifest.sets.items()),
            "Cases": f"{harmful} of the benchmark, {len(benchmark.cases) - harmful} of the benign twin",
            "Source": ", ".join(dict.fromkeys(map(public_source, sources))),
        },
        sent=[
            "the questions, harmful ones included, with the ids and scenarios of the cases",
            "the media",
            "settings and digests, and the name of the source",
        ],
        kept=["candidates that were not picked", CACHES],
        commands=[
            "sea bench pull SOURCE FOLDER",
            "sea bench check FOLDER",
            "sea bench run FOLDER --plugin NAME --out RUN",
        ],
        source=sources[0] if len(set(sources)) == 1 else "",
        with_text=True,
        about=ABOUT_BENCHMARK,
    )


def _require_text(with_text: bool, noun: str) -> None:
    if not with_text:
        raise SeaError(
            f"{noun} consists of questions, harmful ones included: without texts nothing is left to share",
            hint="If you want to share them, add --with-text.",
        )


KINDS = (
    PackageKind("bench.json", "a benchmark run", BenchRun, pack_bench_run),
    PackageKind("manifest.json", "a built benchmark", read_benchmark, pack_benchmark),
)
