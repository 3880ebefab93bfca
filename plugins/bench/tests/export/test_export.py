"""`sea bench export`: other harnesses ask the same questions, and count refusals by the same list."""

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
from sea_core.judges.refusal_patterns import VERSION, read_languages, refuses

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
    result = sea("bench", "export", "lmms-eval", cases, "--out", out, "--json").json()
    assert result["skipped"] == 0
    assert sum(result["tasks"].values()) == result["cases"] == len(read_benchmark(cases).cases)
    return out


def load_utils(folder: Path) -> ModuleType:
    """Load utils.py as lmms-eval does: from its file, outside any package."""
    spec = importlib.util.spec_from_file_location("utils", folder / "utils.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def documents(folder: Path, name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / f"{name}.jsonl").read_text(encoding="utf-8").splitlines()]


def test_the_prompt_of_each_case_is_the_same_as_ours(cases: Path, tasks: Path) -> None:
    utils = load_utils(tasks)
    by_key = {case.key: case for case in read_benchmark(cases).cases}
    seen = set()
    for file in tasks.glob("*.jsonl"):
        for doc in documents(tasks, file.stem):
            case = by_key[doc["key"]]
            (message,) = utils.doc_to_messages(doc)
            media = [part for part in message["content"] if part["type"] != "text"]
            texts = [part["text"] for part in message["content"] if part["type"] == "text"]
            assert texts == ([case.text] if case.text else [])
            assert [part["type"] for part in media] == ([case.modality] if case.media else [])
            assert doc["question"] == case.question
            if case.media and case.modality != "image":
                assert Path(media[0]["url"]).samefile(case.media)
            seen.add(case.key)
    assert seen == set(by_key)


def test_media_are_opened_as_lmms_eval_expects(tasks: Path) -> None:
    utils = load_utils(tasks)
    (sound,) = utils.doc_to_visual(documents(tasks, NAME)[0])
    assert sound["array"].ndim == 1
    assert abs(sound["array"]).max() > 0.01
    assert sound["sampling_rate"] == 16_000
    (image,) = utils.doc_to_visual(documents(tasks, "mm_safetybench_image_typo")[0])
    assert (image.mode, min(image.size) > 0) == ("RGB", True)
    (video,) = utils.doc_to_visual(documents(tasks, "va_safetybench_video_typo")[0])
    assert Path(video).suffix == ".mp4"
    assert utils.doc_to_visual(documents(tasks, "va_safetybench_video_text_only")[0]) == []


def test_a_missing_medium_raises_an_error(tasks: Path) -> None:
    doc = documents(tasks, NAME)[0] | {"media": "gone.mp3"}
    with pytest.raises(FileNotFoundError, match=r"gone\.mp3"):
        load_utils(tasks).doc_to_visual(doc)


def test_refusals_are_counted_by_our_list_without_empty_answers(tasks: Path) -> None:
    utils = load_utils(tasks)
    assert (utils.VERSION, utils.read_languages()) == (VERSION, read_languages())
    for answer in ("I'm sorry, but I can't help with that.", "Take the lamp.", "As an AI, I cannot.", "I can help."):
        assert utils.process_results({}, [answer]) == {"refused": float(refuses(answer)), "unrated": 0.0}
    for unread in (["ᚠᚢᚦ"], [" "], []):
        assert utils.process_results({}, unread) == {"unrated": 1.0}


def test_the_exported_functions_do_not_depend_on_sea(tasks: Path) -> None:
    text = (tasks / "utils.py").read_text(encoding="utf-8")
    assert "sea_core" not in text.replace("sea bench", "")


def test_task_files_refer_to_existing_files_and_functions(tasks: Path) -> None:
    class Loader(yaml.SafeLoader):
        pass

    Loader.add_constructor("!function", lambda loader, node: loader.construct_scalar(node))
    utils = load_utils(tasks)
    by_name = {file.stem: yaml.load(file.read_text(), Loader) for file in tasks.glob("*.yaml")}
    for name, task in by_name.items():
        if name.startswith("_"):
            assert all(member in by_name for member in task["task"])
            assert len({"benign" in member for member in task["task"]}) == 1  # refusals of benign cases are failures
            continue
        assert (tasks / task["dataset_kwargs"]["data_files"]["test"]).is_file()
        for key in ("doc_to_messages", "doc_to_visual", "doc_to_text", "process_results"):
            assert callable(getattr(utils, task[key].removeprefix("utils.")))
        assert task["metric_list"][0]["higher_is_better"] is not name.endswith("_benign")
        assert (task["generation_kwargs"]["max_new_tokens"], task["metadata"]["refusals"]) == (300, VERSION)


def test_a_table_contains_images_or_their_paths(cases: Path, tmp_path: Path) -> None:
    csv.field_size_limit(sys.maxsize)
    by_key = {case.key: case for case in read_benchmark(cases, "image").cases}
    for flag, column in (("--embed", "image"), ("--no-embed", "image_path")):
        out = tmp_path / column
        assert sea("bench", "export", "vlmevalkit", cases, "--modality", "image", "--out", out, flag).code == 0
        with (out / "mm_safetybench_image_typo.tsv").open(encoding="utf-8", newline="") as file:
            table = list(csv.DictReader(file, delimiter="\t"))
        assert [row["index"] for row in table] == ["0", "1", "2"]
        for row in table:
            case: Case = by_key[row["key"]]
            assert case.media
            data = base64.b64decode(row[column]) if column == "image" else Path(row[column]).read_bytes()
            assert data == case.media.read_bytes()
            assert (row["question"], row["original_question"]) == (case.text, case.question)
        assert '"mm_safetybench_image_typo"' in (out / "README.md").read_text()


def test_unsupported_exports_are_rejected(cases: Path, tmp_path: Path) -> None:
    assert "does not support audio sets" in expect_error(
        "bench", "export", "vlmevalkit", cases, "--modality", "audio", "--out", tmp_path / "x"
    )
    assert "Did you mean 'lmms-eval'" in expect_error("bench", "export", "lms-eval", cases, "--out", tmp_path / "x")
    assert not (tmp_path / "x").exists()


def test_cases_without_their_medium_are_skipped(cases: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(cases, tmp_path / "cases"))
    next((folder / "Audio").rglob("KPT/*.mp3")).unlink()
    result = sea("bench", "export", "lmms-eval", folder, "--modality", "audio", "--out", tmp_path / "tasks", "--json")
    assert result.json(code=1)["skipped"] == 1
    assert "1 case is skipped" in result.err
    assert len(documents(tmp_path / "tasks", NAME)) == 2
