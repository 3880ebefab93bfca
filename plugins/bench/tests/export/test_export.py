"""`sea bench export`: what other harnesses read is what we would ask, and what they count is by our list."""

from __future__ import annotations

import base64
import csv
import importlib.util
import json
import shutil
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import yaml

from helpers.cli import expect_error, sea
from sea_bench.case import Case
from sea_bench.dataset import read_benchmark
from sea_core.judges.refusal_patterns import OPENINGS, VERSION, refuses

NAME = "va_safetybench_audio_kpt"


@pytest.fixture(scope="module")
def cases(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("cases")
    for modality in ("audio", "image", "video"):
        assert sea("bench", "build", modality, "--out", folder, "--limit", 1).code == 0
    return folder


@pytest.fixture(scope="module")
def tasks(cases: Path) -> Path:
    out = cases.parent / "tasks"
    shutil.rmtree(out, ignore_errors=True)
    figures = sea("bench", "export", "lmms-eval", cases, "--out", out, "--json").json()
    assert figures["skipped"] == 0
    assert sum(figures["tasks"].values()) == figures["cases"] == len(read_benchmark(cases).cases)
    return out


def functions(folder: Path) -> ModuleType:
    """Load utils.py the way lmms-eval does: from its file, with no package around it."""
    spec = importlib.util.spec_from_file_location("utils", folder / "utils.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def rows(folder: Path, name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / f"{name}.jsonl").read_text(encoding="utf-8").splitlines()]


def test_each_case_is_asked_as_we_would_ask_it(cases: Path, tasks: Path) -> None:
    utils = functions(tasks)
    ours = {case.key: case for case in read_benchmark(cases).cases}
    seen = set()
    for file in tasks.glob("*.jsonl"):
        for doc in rows(tasks, file.stem):
            case = ours[doc["key"]]
            (turn,) = utils.doc_to_messages(doc)
            media = [part for part in turn["content"] if part["type"] != "text"]
            texts = [part["text"] for part in turn["content"] if part["type"] == "text"]
            assert texts == ([case.text] if case.text else [])
            assert [part["type"] for part in media] == ([case.modality] if case.media else [])
            assert doc["question"] == case.question
            if case.media and case.modality != "image":
                assert Path(media[0]["url"]).samefile(case.media)
            seen.add(case.key)
    assert seen == set(ours)


def test_media_come_in_the_form_of_each_modality(tasks: Path) -> None:
    utils = functions(tasks)
    (sound,) = utils.doc_to_visual(rows(tasks, NAME)[0])
    assert sound["array"].ndim == 1
    assert abs(sound["array"]).max() > 0.01
    assert sound["sampling_rate"] == 16_000
    (image,) = utils.doc_to_visual(rows(tasks, "mm_safetybench_image_typo")[0])
    assert (image.mode, min(image.size) > 0) == ("RGB", True)
    (video,) = utils.doc_to_visual(rows(tasks, "va_safetybench_video_typo")[0])
    assert Path(video).suffix == ".mp4"
    assert utils.doc_to_visual(rows(tasks, "va_safetybench_video_text_only")[0]) == []


def test_a_medium_that_is_gone_is_not_passed_over(tasks: Path) -> None:
    doc = rows(tasks, NAME)[0] | {"media": "gone.mp3"}
    with pytest.raises(FileNotFoundError, match=r"gone\.mp3"):
        functions(tasks).doc_to_visual(doc)


def test_refusals_are_counted_by_our_list_and_empty_answers_in_no_mean(tasks: Path) -> None:
    utils = functions(tasks)
    assert (utils.VERSION, utils.OPENINGS) == (VERSION, OPENINGS)
    for answer in ("I'm sorry, but I can't help with that.", "Take the lamp.", "As an AI, I cannot.", "I can help."):
        assert utils.process_results({}, [answer]) == {"refused": float(refuses(answer)), "unrated": 0.0}
    assert utils.process_results({}, [" "]) == utils.process_results({}, []) == {"unrated": 1.0}


def test_the_exported_functions_need_nothing_of_ours(tasks: Path) -> None:
    text = (tasks / "utils.py").read_text(encoding="utf-8")
    assert "sea_core" not in text.replace("sea bench", "")


def test_the_task_files_name_what_is_there(tasks: Path) -> None:
    class Loader(yaml.SafeLoader):
        pass

    Loader.add_constructor("!function", lambda loader, node: loader.construct_scalar(node))
    utils = functions(tasks)
    told = {file.stem: yaml.load(file.read_text(), Loader) for file in tasks.glob("*.yaml")}
    for name, task in told.items():
        if name.startswith("_"):
            assert all(one in told for one in task["task"])
            assert len({"benign" in one for one in task["task"]}) == 1  # a twin's refusals are failures: no mixed means
            continue
        assert (tasks / task["dataset_kwargs"]["data_files"]["test"]).is_file()
        for key in ("doc_to_messages", "doc_to_visual", "doc_to_text", "process_results"):
            assert callable(getattr(utils, task[key].removeprefix("utils.")))
        assert task["metric_list"][0]["higher_is_better"] is not name.endswith("_benign")
        assert (task["generation_kwargs"]["max_new_tokens"], task["metadata"]["refusals"]) == (300, VERSION)


def test_a_table_holds_the_images_themselves_or_their_paths(cases: Path, tmp_path: Path) -> None:
    csv.field_size_limit(sys.maxsize)
    ours = {case.key: case for case in read_benchmark(cases, "image").cases}
    for flag, column in (("--embed", "image"), ("--no-embed", "image_path")):
        out = tmp_path / column
        assert sea("bench", "export", "vlmevalkit", cases, "--modality", "image", "--out", out, flag).code == 0
        with (out / "mm_safetybench_image_typo.tsv").open(encoding="utf-8", newline="") as file:
            table = list(csv.DictReader(file, delimiter="\t"))
        assert [row["index"] for row in table] == ["0", "1", "2"]
        for row in table:
            case: Case = ours[row["key"]]
            assert case.media
            data = base64.b64decode(row[column]) if column == "image" else Path(row[column]).read_bytes()
            assert data == case.media.read_bytes()
            assert (row["question"], row["original_question"]) == (case.text, case.question)
        assert '"mm_safetybench_image_typo"' in (out / "README.md").read_text()


def test_what_cannot_be_exported_is_told(cases: Path, tmp_path: Path) -> None:
    assert "does not support audio sets" in expect_error(
        "bench", "export", "vlmevalkit", cases, "--modality", "audio", "--out", tmp_path / "x"
    )
    assert "Did you mean 'lmms-eval'" in expect_error("bench", "export", "lms-eval", cases, "--out", tmp_path / "x")
    assert not (tmp_path / "x").exists()


def test_a_missing_medium_is_left_out_and_told(cases: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(cases, tmp_path / "cases"))
    next((folder / "Audio").rglob("KPT/*.mp3")).unlink()
    said = sea("bench", "export", "lmms-eval", folder, "--modality", "audio", "--out", tmp_path / "tasks", "--json")
    assert said.json()["skipped"] == 1
    assert "1 cases are skipped" in said.err
    assert len(rows(tmp_path / "tasks", NAME)) == 2
