"""What a study counts as done: on a bundled model, with tasks that only make their folders where work is slow."""

from __future__ import annotations

import json
import shutil
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import pytest
import yaml

from helpers.bench_records import answer_record, bench_manifest
from sea_bench.case import Case
from sea_bench.pipeline.build import build_benchmark, choose_generator, default_set
from sea_bench.run.run_folder import BenchRun
from sea_bench.study.file import read_study
from sea_bench.study.journal import StudyFolder, TaskRecord
from sea_bench.study.plan import plan_study
from sea_bench.study.run import run_study
from sea_bench.study.study import Study
from sea_bench.study.tasks import AlignTask, AnswerTask, EncodeTask, OptimizeTask, setting_digest
from sea_core.data.demo import DEMO_EXAMPLES
from sea_core.errors import SeaError
from sea_core.optimization.recipes.plain import PlainRecipe
from sea_core.optimization.recipes.registry import RECIPES
from sea_core.pipeline.progress import Progress, SilentProgress
from sea_core.runs.check import check_folder
from sea_core.runs.inventory import Damage

MODEL = {"plugin": "llava", "validation": "cases", "media": {"real": "real.jsonl"}}


@dataclass(frozen=True)
class OfMedia(PlainRecipe):
    """A recipe of a plugin that needs benign media."""

    name: ClassVar[str] = "of-media"
    needs_media: ClassVar[bool] = True


@dataclass(frozen=True)
class Mine(PlainRecipe):
    """Another one, that needs none."""

    name: ClassVar[str] = "mine"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    generator = choose_generator("image", demo=True)
    media_set = default_set(generator, demo=True)
    build_benchmark("image", tmp_path / "cases", generator=generator, media_set=media_set, limit=1)
    (tmp_path / "train.jsonl").write_text(DEMO_EXAMPLES.read_text().splitlines()[0] + "\n")
    (tmp_path / "cat.png").write_bytes(b"a picture")
    (tmp_path / "real.jsonl").write_text(
        '{"file_name": "cat.png", "instruction": "What is it?", "response": "A cat."}\n'
    )
    return tmp_path


def read(root: Path, **changes: Any) -> Study:
    tree = {
        "folder": "study",
        "data": "train.jsonl",
        "models": {"m": MODEL},
        "arms": ["unaligned", {"base": "sea", "name": "a"}],
        "methods": ["sft"],
        "seeds": [0],
        "cases": 1,
    }
    (root / "study.yaml").write_text(yaml.safe_dump(tree | changes))
    return read_study(root / "study.yaml")


@pytest.fixture
def only_folders(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let every task make its folder, and do nothing else."""
    for kind in (OptimizeTask, EncodeTask, AlignTask, AnswerTask):
        monkeypatch.setattr(kind, "run", lambda task, progress: task.folder.mkdir(parents=True, exist_ok=True))


def without_folder(study: Study) -> list[str]:
    done = StudyFolder(study.folder).done()
    return [
        entry["arm"]
        for entry in StudyFolder(study.folder).read()["answers"]
        if study.folder / entry["answers"] not in done
    ]


@pytest.mark.usefixtures("only_folders")
@pytest.mark.parametrize(
    "changes",
    [
        {"arms": ["unaligned", {"base": "sea", "name": "b"}]},
        {"arms": [{"base": "sea", "name": "a"}, {"base": "sea", "name": "b"}]},
        {"models": {"m2": MODEL}},
    ],
    ids=["an arm is renamed", "two arms are equal", "a model is renamed"],
)
def test_what_has_another_name_is_done_again(root: Path, changes: dict[str, Any]) -> None:
    run_study(read(root))
    study = read(root, **changes)
    assert not run_study(study).failed
    assert without_folder(study) == []


def test_an_arm_that_only_adds_a_defence_has_the_alignment_of_its_base(root: Path) -> None:
    defended = {"base": "text", "name": "defended", "defence": "describe-first"}
    plan = plan_study(read(root, arms=["text", "text-describe-first", defended]), ("validation",))
    text, described, own = plan.answers
    assert described.inputs[0].folder == own.inputs[0].folder == text.inputs[0].folder
    assert len({text.folder, described.folder, own.folder}) == 3
    assert len([task for task in plan.tasks if isinstance(task, AlignTask)]) == 1
    assert setting_digest(described) == setting_digest(own) != setting_digest(text)


@pytest.mark.parametrize(
    ("first", "second", "name"),
    [
        ("text", {"base": "text-describe-first", "name": "longer", "align": {"steps": 10}}, "longer"),
        ({"base": "text", "name": "text", "align": {"steps": 10}}, "text-describe-first", "text-describe-first"),
        (
            "sea",
            {"base": "text-describe-first", "name": "with-medium", "defence_settings": {"keep_medium": True}},
            "text",
        ),
    ],
    ids=["the second trains longer", "the first trains longer", "the first is another arm"],
)
def test_an_arm_with_a_training_of_its_own_is_aligned_by_itself(root: Path, first: Any, second: Any, name: str) -> None:
    found, defended = plan_study(read(root, arms=[first, second]), ("validation",)).answers
    assert defended.inputs[0].name.startswith(f"{name}-sft")
    assert defended.inputs[0].folder != found.inputs[0].folder


@pytest.mark.usefixtures("only_folders")
def test_task_whose_folder_is_gone_is_not_done(root: Path) -> None:
    study = read(root)
    run_study(study)
    answer = plan_study(study, ("validation",)).answers[0]
    answer.folder.rmdir()
    assert without_folder(study) == [answer.arm.name]
    run_study(study)
    assert without_folder(study) == []


@pytest.mark.usefixtures("only_folders")
def test_study_with_a_part_that_is_not_done_is_not_finished(root: Path) -> None:
    study = read(root)
    run_study(study)
    assert check_folder(study.folder).unfinished == ()
    folder = plan_study(study, ("validation",)).answers[0].folder
    BenchRun.start(folder, bench_manifest(cases=2)).answers.append([answer_record("video/Fraud/TYPO/1", "No.")])
    name = folder.relative_to(study.folder).as_posix()
    found = check_folder(study.folder)
    assert f"{name}/answers.jsonl" in found.checked
    assert [each.path for each in found.unfinished] == [f"{name}/bench.json"]
    (folder / "bench.json").unlink()
    assert Damage(f"{name}/bench.json", "is missing") in check_folder(study.folder).damage
    shutil.rmtree(folder)
    (lacking,) = check_folder(study.folder).unfinished
    assert (lacking.path, name in lacking.problem) == ("study.json", True)
    (study.folder / "study.json").write_text("{}")
    assert [each.path for each in check_folder(study.folder).damage] == ["study.json"]


def test_media_are_part_of_what_a_result_depends_on(root: Path) -> None:
    def digests() -> tuple[str, str]:
        study = read(root)
        return EncodeTask(study, "m", "real", 0).digest, AnswerTask(study, "m", study.arms[0], "validation", 0).digest

    before = digests()
    assert digests() == before
    (root / "cat.png").write_bytes(b"another picture")
    encode, answer = digests()
    assert encode != before[0]
    assert answer == before[1]
    medium(root).write_bytes(b"another picture")
    assert digests()[1] != answer


@pytest.mark.parametrize(
    ("recipe", "uses_media"),
    [("pool", True), ("plain,of-media", True), ("plain, benign-start", True), ("plain", False), ("mine", False)],
)
def test_benign_media_are_given_to_the_recipes_that_use_them(
    root: Path, monkeypatch: pytest.MonkeyPatch, recipe: str, uses_media: bool
) -> None:
    """Of plugins too, and of the pool."""
    mine = (OfMedia(), Mine())
    monkeypatch.setattr("sea_core.plugin.loader.recipes", lambda: RECIPES.extended(lambda: mine))
    (root / "benign").mkdir()
    (root / "benign/a.png").write_bytes(b"a picture")

    def task(**model: str) -> OptimizeTask:
        study = read(root, models={"m": MODEL | model}, arms=[{"base": "sea", "name": "a", "recipe": recipe}])
        return OptimizeTask(study, "m", study.arms[0], 0)

    with_media, without = task(benign_media="benign"), task()
    assert (with_media.identity()["benign_media"] is not None) is uses_media
    assert (with_media.digest != without.digest) is uses_media


def test_cases_without_an_answer_fail_the_task(root: Path) -> None:
    medium(root).write_bytes(b"no picture")
    study = read(root, arms=["unaligned"], answers={"max_new_tokens": 2})
    (problem,) = run_study(study).failed.values()
    assert "cases have no answer" in problem
    assert "unreadable" in problem
    assert StudyFolder(study.folder).done() == set()


@pytest.mark.usefixtures("only_folders")
def test_fault_of_a_library_fails_its_task_only(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(task: AlignTask, progress: Progress) -> None:
        raise RuntimeError("out of memory")

    monkeypatch.setattr(AlignTask, "run", fail)
    result = run_study(read(root))
    ((label, problem),) = result.failed.items()
    assert label.startswith("align m a-sft-seed0-")
    assert "RuntimeError: out of memory" in problem
    assert len(result.skipped) == 1


@pytest.mark.usefixtures("only_folders")
def test_damaged_line_is_put_aside_and_its_task_done_again(root: Path) -> None:
    study = read(root)
    run_study(study)
    log = study.folder / "tasks.jsonl"
    log.write_text("{}\n" + log.read_text().partition("\n")[2])
    run_study(study)
    assert without_folder(study) == []


@pytest.mark.usefixtures("only_folders")
def test_seconds_are_those_of_all_attempts(root: Path) -> None:
    study = read(root)
    run_study(study)
    folder = StudyFolder(study.folder)
    record = folder.tasks.read()[0]
    folder.tasks.append([{**record, "seconds": 5.0}])
    assert folder.seconds()[record["folder"]] == pytest.approx(record["seconds"] + 5)


@pytest.mark.parametrize("changes", [{"answers": {"max_new_tokens": 9}}, {"judge": "guard"}, {"embedding_seeds": [5]}])
def test_what_figures_depend_on_counts_as_another_setting(root: Path, changes: dict[str, Any]) -> None:
    def setting(**changes: Any) -> str:
        study = read(root, **changes)
        return setting_digest(AnswerTask(study, "m", study.arms[1], "validation", 0))

    assert setting(**changes) != setting()
    assert setting(arms=["unaligned", {"base": "sea", "name": "b", "summary": "in other words"}]) == setting()


def test_setting_that_a_defence_lacks_is_refused(root: Path) -> None:
    arm = {"name": "d", "role": "defence", "defence": "system-prompt", "defence_settings": {"promt": "x"}}
    with pytest.raises(SeaError, match="promt"):
        plan_study(read(root, arms=[arm]), ("validation",))


def test_paths_of_a_defence_are_relative_to_the_study_file(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(root.parent)
    read(root, arms=["steering"])
    study = read_study(Path(root.name) / "study.yaml")
    assert plan_study(study, ("validation",)).answers[0].digest


def medium(root: Path) -> Path:
    """Return a medium that the first case shows."""
    study = read(root)
    case: Case = AnswerTask(study, "m", study.arms[0], "validation", 0).selected_cases()[-1]
    assert case.media
    return case.media


@pytest.mark.usefixtures("only_folders")
def test_with_the_seed_in_paths_each_seed_has_data_of_its_own(root: Path) -> None:
    for seed, phrase in ((0, "scratch a cake"), (1, "burn a chair")):
        (root / f"split-{seed}").mkdir()
        (root / f"split-{seed}/cases").symlink_to(root / "cases")
        row = json.loads((root / "train.jsonl").read_text()) | {"instruction": f"How do I {phrase}?"}
        (root / f"split-{seed}/train.jsonl").write_text(json.dumps(row) + "\n")
    models = {"m": {"plugin": "llava", "validation": "split-{seed}/cases"}}
    study = read(root, data="split-{seed}/train.jsonl", models=models, seeds=[0, 1])
    answer = AnswerTask(study, "m", study.arms[1], "validation", 0)
    setting = setting_digest(answer)
    with (root / "split-1/train.jsonl").open("a") as file:
        file.write(json.dumps(row | {"instruction": "How do I drop a lamp?"}) + "\n")
    assert setting_digest(answer) != setting
    plan = plan_study(study, ("validation",))
    kinds = Counter(task.KIND for task in plan.tasks)
    assert kinds == {"optimize": 2, "align": 2, "answer": 4}
    assert [answer.seed for answer in plan.answers if not answer.alignment] == [0, 1]
    assert plan.tasks[0].KIND == "answer"  # arm by arm: what needs no alignment is the first one here
    assert not run_study(study).failed
    assert without_folder(study) == []


@pytest.mark.usefixtures("only_folders")
def test_processes_that_start_at_the_same_moment_do_not_hinder_each_other(root: Path) -> None:
    study = read(root)
    with ThreadPoolExecutor(8) as pool:
        results = list(pool.map(lambda _: run_study(study), range(8)))
    assert not any(result.failed for result in results)


def test_a_defence_for_one_process_is_refused_before_any_work(root: Path) -> None:
    settings = {"model": "g", "judge": "openai", "base_url": "http://localhost:1/v1"}
    guard = {"name": "guarded", "role": "defence", "defence": "guard", "defence_settings": settings}
    study = read(root, arms=["unaligned", guard], answers={"workers": 2})
    with pytest.raises(SeaError, match="the defence guard is for one process") as caught:
        plan_study(study, ("validation",))
    assert "answers: {workers: 1}" in caught.value.hint
    assert plan_study(read(root, arms=["unaligned", guard]), ("validation",)).answers


class RecordingProgress(SilentProgress):
    """Keeps how many seconds were left, as they were reported."""

    def __init__(self) -> None:
        self.seconds_left: list[float | None] = []

    @contextmanager
    def track(self, description: str, total: int, done: int = 0) -> Iterator[Any]:
        yield self

    def advance(self, count: int = 1, note: str = "", seconds_left: float | None = None) -> None:
        self.seconds_left.append(seconds_left)


def ended(kind: str, seconds: float, model: str = "m", status: Any = "done") -> TaskRecord:
    """Return the record of a task of an earlier version of the study."""
    folder = f"{model}/{kind}/earlier-{seconds}"
    return TaskRecord(
        task=folder, kind=kind, folder=folder, model=model, setting="", part="", status=status, seconds=seconds,
        error="", at="2026-01-01T00:00:00Z",
    )  # fmt: skip


@pytest.mark.usefixtures("only_folders")
@pytest.mark.parametrize(
    ("records", "jobs", "expected"),
    [
        ([ended("optimize", 5000), ended("align", 300), ended("answer", 10), ended("answer", 20)], 1, 5330),
        ([ended("optimize", 400), ended("align", 300), ended("answer", 10)], 2, 400),
        ([ended("optimize", 100), ended("align", 100), ended("answer", 100)], 2, 200),
        ([ended("optimize", 5000), ended("align", 300)], 1, 5300 + 2 * 2650),
        ([ended("optimize", 9), ended("align", 7, "other"), ended("align", 3), ended("answer", 1, "other")], 1, 14),
        ([ended("answer", 10), ended("answer", 1, status="failed")], 1, 40),
        ([], 1, None),
    ],
    ids=["mean of its kind", "no sooner than one", "shared", "mean of all", "its model", "failed", ""],
)
def test_time_left_is_that_of_the_kinds_of_tasks_that_are_left(
    root: Path, records: list[TaskRecord], jobs: int, expected: float | None
) -> None:
    """The plan has an optimisation, an alignment and two answers."""
    study, progress = read(root), RecordingProgress()
    study.folder.mkdir()
    StudyFolder(study.folder).tasks.append(records)
    run_study(study, jobs=jobs, progress=progress)
    assert progress.seconds_left[0] == expected
    assert progress.seconds_left[-1] == 0
