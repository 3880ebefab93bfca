"""Files that SEA wrote, damaged: each command answers with the figures of the undamaged folder, or names the damage."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import product
from pathlib import Path
from random import Random
from typing import Any

import pytest
import torch
from safetensors.torch import save_file

from helpers.bench_records import answer_record, bench_manifest
from helpers.cli import CliResult, sea
from helpers.cli_runs import FinishedRun
from helpers.damage import damage_file, damage_json
from helpers.fuzz import count, in_time, plain, read_or_refuse, with_seeds
from sea_bench.dataset import read_benchmark
from sea_bench.run.records import answer_sha
from sea_bench.run.run_folder import BenchRun
from sea_core.alignment.run import AlignIdentity, AlignManifest, AlignMetadata, ModelFolder
from sea_core.alignment.spot_check import read_answers, spot_check_metrics
from sea_core.errors import SeaError
from sea_core.llm.cache import cached, completion_log, usage
from sea_core.llm.config import LLMConfig
from sea_core.llm.types import Completion, Prompt
from sea_core.runs.embedding_run import EmbeddingRun
from sea_core.runs.jsonl import JsonlLog
from sea_core.runs.manifest import CHECKSUM, ModelIdentity, write_sealed
from sea_core.verification.metrics import run_metrics

pytestmark = pytest.mark.filterwarnings("ignore")


@dataclass(frozen=True)
class Folder:
    """A folder that SEA wrote, and what is read from it.

    Attributes:
        read: what a person reads from such a folder.
        figures: what it returns for the undamaged folder.
    """

    original: Path
    read: Callable[[Path], Any]
    figures: str = field(repr=False)

    def copy(self, to: Path) -> Path:
        shutil.rmtree(to, ignore_errors=True)
        return Path(shutil.copytree(self.original, to, symlinks=True))

    def files(self) -> list[Path]:
        found = (path.relative_to(self.original) for path in sorted(self.original.rglob("*")) if path.is_file())
        return [path for path in found if not path.name.endswith(".lock")]


def damage_one(folder: Folder, copy: Path, random: Random) -> bool:
    """Damage a file of a copy. Return whether other figures may come of it in silence.

    That is so where somebody knew the checksums, and where whole lines of a journal are missing: such a folder is one
    that is not finished, and its figures say of how many answers they are.
    """
    path = copy / random.choice(folder.files())
    original = path.read_bytes()
    if random.random() < 0.05:
        path.unlink()
        return path.suffix == ".jsonl"
    if random.random() < 0.3 and path.suffix in (".json", ".jsonl") and original:
        return forge(path, random)
    path.write_bytes(damage_file(original, path.suffix, random))
    return path.suffix == ".jsonl" and has_only_lines_of(original, path.read_bytes())


def has_only_lines_of(original: bytes, damaged: bytes) -> bool:
    """Return whether every complete line is one of the original's, and some of these are missing."""
    lines, left = set(original.split(b"\n")[:-1]), set(damaged.split(b"\n")[:-1])
    return left < lines


def forge(path: Path, random: Random) -> bool:
    """Change a value, and compute the checksum anew where the file has one."""
    try:
        if path.suffix == ".json":
            value = json.loads(path.read_bytes())
            sealed = value.pop(CHECKSUM, None)
            changed = damage_json(value, random)
            if sealed and isinstance(changed, dict):
                write_sealed(path, changed)
            else:
                path.write_text(json.dumps(changed))
        else:
            records: list[Any] = [json.loads(line) for line in path.read_bytes().splitlines()]
            records = [{name: value for name, value in record.items() if name != CHECKSUM} for record in records]
            number = random.randrange(len(records))
            changed = damage_json(records[number], random)
            records[number] = changed if isinstance(changed, dict) else records[number]
            path.unlink()
            JsonlLog(path).append(records)
    except (SeaError, UnicodeEncodeError):  # half a character cannot be written
        return True
    return True


def require_figures_or_words(folder: Folder, copy: Path, forged: bool, kind: str) -> None:
    """Check that damage is refused, named, or changes nothing that is read."""
    found = read_or_refuse(partial(folder.read, copy))
    if isinstance(found, SeaError):
        count(kind, refused=True)
        return
    assert forged or plain(found) == folder.figures, "figures moved in silence"
    count(kind, refused=False)


# --- runs of embeddings ---------------------------------------------------------------------------------------------


def read_run(folder: Path) -> Any:
    run = EmbeddingRun(folder)
    return {**run_metrics(run), "run": ""}, [dict(record) for record in run.records()]


@pytest.fixture(scope="module")
def run(finished: FinishedRun, tmp_path_factory: pytest.TempPathFactory) -> Folder:
    original = Path(shutil.copytree(finished.run, tmp_path_factory.mktemp("original") / "run"))
    return Folder(original, read_run, plain(read_run(original)))


@with_seeds
def test_run_folder(seed: int, tmp_path: Path, run: Folder) -> None:
    random, copy = Random(seed), tmp_path / "run"
    forged = damage_one(run, run.copy(copy), random)
    require_figures_or_words(run, copy, forged, "run folder")
    commands: Sequence[tuple[object, ...]] = (
        ("show", copy), ("show", copy, "--json"), ("show", copy, "--missed"), ("check", copy),
        ("show", copy, random.choice(EmbeddingRun(run.original).records())["id"]),
    )  # fmt: skip
    answers_in_words(random.choice(commands))


def answers_in_words(command: Sequence[object]) -> CliResult:
    with in_time():
        result = sea(*command)
    assert result.code in (0, 1, 2), result
    return result


# --- benchmark runs -------------------------------------------------------------------------------------------------


def read_report(folder: Path) -> Any:
    result = sea("bench", "report", folder, "--json")
    if result.code == 2:
        raise SeaError(result.err)
    report = json.loads(result.out)
    for each in report["runs"]:
        del each["folder"]
    return report


@pytest.fixture(scope="module")
def bench_run(tmp_path_factory: pytest.TempPathFactory) -> Folder:
    original = tmp_path_factory.mktemp("original") / "bench"
    opened = BenchRun.start(original, bench_manifest(8))
    with opened.writing():
        for number in range(8):
            key = f"video/{number % 2 + 1}-Theft/TYPO/{number}"
            opened.answers.append([answer_record(key, None if number == 7 else f"answer {number}")])  # type: ignore[list-item]
            for judge, verdict in {"guard": "unsafe" if number % 3 else "safe", "refusal-1": "refused"}.items():
                record = {
                    "key": key, "answer_sha": answer_sha(f"answer {number}"), "judge": judge, "verdict": verdict,
                    "refused": judge != "guard" or None, "detail": "", "raw": "", "prompt_sha": "", "at": "",
                    "tokens_in": None, "tokens_out": 3,
                }  # fmt: skip
                opened.verdicts.append([record])  # type: ignore[list-item]
    return Folder(original, read_report, plain(read_report(original)))


@with_seeds
def test_benchmark_run(seed: int, tmp_path: Path, bench_run: Folder) -> None:
    random, copy = Random(seed), tmp_path / "bench"
    forged = damage_one(bench_run, bench_run.copy(copy), random)
    require_figures_or_words(bench_run, copy, forged, "benchmark run")
    answers_in_words(random.choice((("check", copy), ("bench", "report", copy), ("show", copy))))


# --- benchmarks -----------------------------------------------------------------------------------------------------


def read_cases(folder: Path) -> Any:
    """Return the cases with their media's bytes; raise SeaError where the check finds a fault."""
    checked = sea("bench", "check", folder, "--json")
    if checked.code:
        raise SeaError(checked.err)
    cases = read_benchmark(folder).cases
    return [
        (case.key, case.text, case.question, case.phrase, case.kind, case.media and case.media.read_bytes())
        for case in cases
    ]


@pytest.fixture(scope="module")
def benchmark_folder(tmp_path_factory: pytest.TempPathFactory) -> Folder:
    original = tmp_path_factory.mktemp("original") / "cases"
    build = ("bench", "build", "image", "--out", original, "--limit", 1, "-o", "candidates=1")
    assert sea(*build).code == 0
    return Folder(original, read_cases, plain(read_cases(original)))


@with_seeds
def test_benchmark_folder(seed: int, tmp_path: Path, benchmark_folder: Folder) -> None:
    random, copy = Random(seed), tmp_path / "cases"
    forged = damage_one(benchmark_folder, benchmark_folder.copy(copy), random)
    require_figures_or_words(benchmark_folder, copy, forged, "benchmark folder")
    if random.random() < 0.2:
        answers_in_words(("check", copy))


# --- replies of a language model --------------------------------------------------------------------------------------


@dataclass
class Echo:
    """A text model that repeats the key of the prompt."""

    name: str = "echo"

    @property
    def identity(self) -> dict[str, Any]:
        return {"model": "echo"}

    def complete(self, prompts: Sequence[Prompt]) -> Iterator[Completion]:
        return (Completion(prompt.key, f"reply to {prompt.key}", "ok", tokens_in=3) for prompt in prompts)


PROMPTS = [Prompt(str(number), ({"role": "user", "content": "Why?"},)) for number in range(4)]


@with_seeds
def test_replies(seed: int, tmp_path: Path) -> None:
    random, log = Random(seed), completion_log(tmp_path / "replies.jsonl")
    log.path.unlink(missing_ok=True)
    expected = list(cached(Echo(), log, PROMPTS))
    forged = random.random() < 0.3
    if forged:
        forge(log.path, random)
    else:
        log.path.write_bytes(damage_file(log.path.read_bytes(), ".jsonl", random))
    found = read_or_refuse(lambda: sorted(cached(Echo(), log, PROMPTS), key=lambda completion: completion.key))
    read_or_refuse(partial(usage, log, LLMConfig()))
    assert isinstance(found, SeaError) or forged or found == expected
    count("replies", refused=isinstance(found, SeaError))


# --- model folders ----------------------------------------------------------------------------------------------------


def read_model_folder(folder: Path) -> Any:
    """Return the metrics and the exports; raise SeaError where the check finds damage."""
    if sea("check", folder).code:
        raise SeaError("damaged")
    opened = ModelFolder(folder)
    exports = [path.read_bytes() for path in sorted(opened.adapter.iterdir())]
    return opened.manifest.metrics, spot_check_metrics(read_answers(opened.spot_check)), exports


@pytest.fixture(scope="module")
def model_folder(tmp_path_factory: pytest.TempPathFactory) -> Folder:
    original = tmp_path_factory.mktemp("original") / "model"
    model = ModelIdentity("nose", "1.2", "smell", {}, "sha256:aa", "float32")
    identity = AlignIdentity("1", model, "dpo", False, {"benign_ratio": 0.5}, {"max_steps": 1}, {}, "d1", 1)
    metadata = AlignMetadata(checkpoint="models/nose", revision=None, runs=("runs/a",), extra_texts=0)
    opened = ModelFolder.start(original, AlignManifest(identity=identity, metadata=metadata))
    with opened.writing():
        for when, group, number in product(("before", "after"), ("text", "synthetic"), range(3)):
            answer: Any = {
                "when": when, "group": group, "id": str(number), "example": str(number), "harmful": number > 0,
                "seen": False, "prompt": "?", "answer": f"answer {number}", "judge": "", "refused": when == "after",
                "named": None,
            }  # fmt: skip
            opened.spot_check.append([answer])
        opened.trace.append([{"loss": 1.0, "step": 1}, {"loss": 0.5, "step": 2}])
        opened.adapter.mkdir()
        save_file({"weight": torch.arange(64.0)}, opened.adapter / "adapter_model.safetensors")
        (opened.adapter / "adapter_config.json").write_text('{"r": 8}')
        opened.finish({"loss": 0.5, "steps": 2})
    return Folder(original, read_model_folder, plain(read_model_folder(original)))


@with_seeds
def test_model_folder(seed: int, tmp_path: Path, model_folder: Folder) -> None:
    random, copy = Random(seed), tmp_path / "model"
    forged = damage_one(model_folder, model_folder.copy(copy), random)
    require_figures_or_words(model_folder, copy, forged, "model folder")


# --- published answers ------------------------------------------------------------------------------------------------


@with_seeds
def test_published_answers(seed: int, tmp_path: Path) -> None:
    random, out = Random(seed), tmp_path / f"run-{seed}"
    questions, answers = tmp_path / "cases/Video_questions", tmp_path / "answers"
    for folder in (questions, answers):
        folder.mkdir(parents=True, exist_ok=True)
    texts = {str(number): {"Text_only": "How?", "TYPO": f"Steps of {number}?"} for number in range(3)}
    published = [
        {"query": text["TYPO"], "video": "a.mp4", "response": ["So."], "is_safe(gpt)": "safe"}
        for text in texts.values()
    ]
    files = {questions / "6-Fraud.json": texts, answers / "6-Fraud_TYPO.json": published}
    damaged = random.choice(list(files))
    for path, content in files.items():
        data = json.dumps(content).encode()
        path.write_bytes(damage_file(data, ".json", random) if path == damaged else data)
    arguments = ("--cases", tmp_path / "cases", "--modality", "video", "--out", out)
    result = answers_in_words(("bench", "import", answers, *arguments))
    count("published answers", refused=result.code != 0)
