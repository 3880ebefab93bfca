"""Distributions of third parties, installed with pip in a fresh environment and used through the command line."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from helpers.fresh_venv import FreshVenv

ROOT = Path(__file__).parents[2]
ACME = ROOT / "tests/third_party/sea_acme"
QUICK = "-o adapter.seconds=0.5 -o loss=1 -o margin=0"
"""Settings with which optimisation takes a few steps."""


@pytest.fixture(scope="module")
def venv(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FreshVenv]:
    """An environment with sea-acme installed."""
    venv = FreshVenv.create(tmp_path_factory.mktemp("acme"))
    venv.output(f"pip install {ACME}")
    records = [{"ask": "How do I steal a lamp?", "reply": "No."}, {"ask": "How do I paint a door?", "reply": "No."}]
    (venv.folder / "acme.jsonl").write_text("".join(json.dumps(record) + "\n" for record in records))
    with venv.serving() as serving:
        yield serving


@pytest.fixture(scope="module")
def run(venv: FreshVenv) -> dict[str, Any]:
    """The metrics of a run over sea-acme's format, with its extractor and its recipe."""
    options = f"--plugin qwen2_audio --format acme --extractor acme --recipe acme -o acme.shift=0.2 {QUICK} --out run"
    metrics: dict[str, Any] = json.loads(venv.output(f"sea optimize acme.jsonl {options} --json", code=1))
    return metrics


def test_everything_it_offers_is_listed(venv: FreshVenv) -> None:
    (acme,) = [plugin for plugin in json.loads(venv.output("sea plugins --json")) if plugin["plugin"] == "acme"]
    assert acme == {
        "plugin": "acme",
        "distribution": "sea-acme",
        "version": "1.0",
        "modalities": [],
        "formats": ["acme"],
        "extractors": ["acme"],
        "recipes": ["acme"],
        "judges": ["content acme"],
        "defences": ["acme"],
        "study_arms": ["acme"],
        "generators": ["image acme"],
        "blueprints": [],
        "commands": ["acme"],
        "functions": ["acme_hello"],
        "shared_commands": [],
        "reporters": [],
        "error": None,
    }


def test_defence_is_used_by_name(venv: FreshVenv) -> None:
    venv.output("sea bench build audio --limit 1 --out cases")
    short = "--task KPT --scenario 1-Theft -o max_new_tokens=4 -o comprehension=false"
    venv.output(f"sea bench run cases --plugin qwen2_audio {short} --defence acme -o defence.acme.text=Stop --out acme")
    manifest = json.loads((venv.folder / "acme/bench.json").read_text())
    assert manifest["identity"]["defence"] == {"name": "acme", "text": "Stop"}


def test_format_is_used_by_name_or_detected(venv: FreshVenv) -> None:
    for option in ("--format acme", ""):
        report = json.loads(venv.output(f"sea data check acme.jsonl {option} --json"))
        assert (report["format"], report["records"], report["invalid"]) == ("acme", 2, 0)


def test_extractor_is_used(venv: FreshVenv) -> None:
    options = "--plugin qwen2_audio --format acme --extractor acme"
    report = json.loads(venv.output(f"sea prepare acme.jsonl {options} --json"))
    assert report["extractor"] == {"name": "acme"}
    assert report["prepared"] == 2


def test_recipe_makes_embeddings(run: dict[str, Any]) -> None:
    assert (run["done"], run["succeeded"] >= 1, run["recipes"].keys()) == (2, True, {"acme"})


def test_recipe_of_a_plugin_is_no_part_of_other_runs(venv: FreshVenv, run: dict[str, Any]) -> None:
    """A run must not depend on which plugins are installed."""
    venv.output(f"sea optimize acme.jsonl --plugin qwen2_audio --format acme --limit 1 {QUICK} --out plain --json")
    assert "acme" not in json.loads((venv.folder / "plain/run.json").read_text())["identity"]["recipes"]
    assert "acme" in json.loads((venv.folder / "run/run.json").read_text())["identity"]["recipes"]


def test_judge_scores_a_run(venv: FreshVenv, run: dict[str, Any]) -> None:
    judges = json.loads(venv.output("sea verify run --judge acme --json"))["judges"]
    assert judges["acme-1"]["judged"] == 2 * run["succeeded"]


def test_command_and_function_are_added(venv: FreshVenv) -> None:
    assert "Commands of sea-acme." in venv.output("sea --help")
    assert venv.output("sea acme hello --name you") == "hello, you\n"
    assert venv.output("python -c 'import sea_core; print(sea_core.acme_hello())'") == "hello, world\n"


def test_unknown_name_is_suggested(venv: FreshVenv) -> None:
    for command in ("data check acme.jsonl --format acne", "optimize --plugin qwen2_audio --recipe acne --out x"):
        done = venv.run(f"sea {command}")
        assert done.returncode == 2
        assert "Did you mean 'acme'?" in done.stderr


@pytest.fixture(scope="module")
def core(tmp_path_factory: pytest.TempPathFactory) -> FreshVenv:
    """An environment without sea-bench and sea-toy."""
    return FreshVenv.create(tmp_path_factory.mktemp("core"), without=("sea-bench", "sea-toy"))


def test_core_works_without_the_benchmark_and_the_toy_models(core: FreshVenv) -> None:
    code = "from importlib.util import find_spec; print(find_spec('sea_bench'), find_spec('sea_toy'))"
    assert core.output(f'python -c "{code}"') == "None None\n"
    commands = core.output("sea --help")
    assert " optimize " in commands
    assert " bench " not in commands
    assert " toy " not in commands
    with core.serving() as serving:
        serving.output(f"sea optimize --plugin qwen2_audio --limit 4 {QUICK} --out run")
        assert json.loads(serving.output("sea verify run --json"))["verified"] > 0
        quick = "-o trainer.max_steps=2 -o trainer.per_device_train_batch_size=2"
        serving.output(f"sea align run --out model --no-spot-check {quick}", code=1)  # two steps teach nothing
    assert (core.folder / "model/merged").is_dir()


def test_function_of_a_plugin_that_is_not_installed_raises(core: FreshVenv) -> None:
    done = core.run("python -c 'import sea_core; sea_core.acme_hello'")
    assert done.returncode == 1
    assert "module 'sea_core' has no attribute 'acme_hello'" in done.stderr
    assert "`sea plugins`" in done.stderr


def test_benchmark_and_toy_models_are_installed_like_any_plugin(core: FreshVenv) -> None:
    core.output(f"pip install {ROOT / 'plugins/bench'} {ROOT / 'plugins/toy'}")
    installed = {plugin["plugin"]: plugin["error"] for plugin in json.loads(core.output("sea plugins --json"))}
    assert installed.items() >= {"bench": None, "toy": None}.items()
    assert " build " in core.output("sea bench --help")
    assert any(entry["plugin"] == "llava" for entry in json.loads(core.output("sea toy list --json")))
