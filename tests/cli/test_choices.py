"""`sea plan`, and what `sea optimize` finds out for itself: through the shell, as people meet it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from helpers.cli import expect_error, sea
from helpers.cli_runs import PLUGIN, QUICK, optimize_command, write_demo_examples

PLANNED_NUMBERS = (
    "weights",
    "per_example",
    "free",
    "batch_size",
    "text_tokens",
    "flop",
    "flop_per_second",
    "hours",
)


def test_plan_tells_what_a_run_will_take_and_makes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    plan = sea("plan", "--plugin", PLUGIN, "--steps", 30, "--json").json()
    twice = sea("plan", "--plugin", PLUGIN, "--steps", 60, "--json").json()
    assert (plan["embeddings"], plan["plugin"], plan["device"], plan["dtype"]) == (72, PLUGIN, "cpu", "float32")
    assert plan["media_tokens"] == 50
    assert min(plan[name] for name in PLANNED_NUMBERS) > 0
    assert twice["flop"] == plan["flop"]
    assert list(tmp_path.iterdir()) == []


def test_plan_for_a_card_that_is_not_here() -> None:
    """No device is measured, and no figure is given as measured on it."""
    plan = sea("plan", "--plugin", PLUGIN, "--limit", 4, "--gpu", "RTX 4090", "--price-per-hour", 2, "--json").json()
    assert (plan["device"], plan["dtype"]) == ("NVIDIA GeForce RTX 4090, not here", "bfloat16")
    assert (plan["free"], plan["rates"].split(";")[0]) == (24_000_000_000, "measured on an NVIDIA H200 SXM")
    assert plan["cost"] == pytest.approx(2 * plan["hours"])
    assert plan["cost_per_1000"] == pytest.approx(250 * plan["cost"])
    nameless = sea("plan", "--plugin", PLUGIN, "--limit", 4, "--memory", "24GB")
    assert "name a card with --gpu" in nameless.out


def test_what_does_not_fit_has_no_run_time() -> None:
    found = sea("plan", "--plugin", PLUGIN, "--limit", 1, "--gpu", "4090", "--memory", "1MB", "--json")
    assert (found.json()["batch_size"], found.json()["hours"]) == (0, None)
    assert "do not fit" in found.err
    fewer = sea("plan", "--plugin", PLUGIN, "--limit", 1, "--gpu", "4090", "--quantize", "4bit", "--json").json()
    assert fewer["weights"] < found.json()["weights"]


def test_plan_of_an_alignment() -> None:
    command = ("plan", "--plugin", PLUGIN, "--limit", 4, "--align", "--gpu", "3090", "--json")
    plan = sea(*command, "--method", "sft", "-o", "trainer.per_device_train_batch_size=8", "-o", "lora.r=8").json()
    assert (plan["method"], plan["sequences"], plan["batch_size"]) == ("sft", 1, 8)
    assert sea(*command).json()["trained"] == 2 * plan["trained"]
    assert "Did you mean" in expect_error(*command, "-o", "stps=3")


@pytest.mark.parametrize(
    ("typed", "named"),
    [
        (("--method", "sft"), "--method"),
        (("--full-finetune",), "--full-finetune"),
        (("--slurm", 2, "--align"), "--slurm and --align"),
        (("--slurm", 2, "--json"), "--slurm and --json"),
    ],
)
def test_options_of_plan_that_would_have_no_effect(typed: tuple[object, ...], named: str) -> None:
    assert named in expect_error("plan", "--plugin", PLUGIN, "--limit", 4, *typed)


def test_plan_takes_the_settings_of_optimize(tmp_path: Path) -> None:
    rows = write_demo_examples(tmp_path / "rows.jsonl", 3)
    short = sea("plan", rows, "--plugin", PLUGIN, "-o", "adapter.seconds=0.5", "-o", "lr=auto", "--json").json()
    assert (short["embeddings"], short["media_tokens"]) == (3, 12)
    assert "tokens of the longest example" in sea("plan", rows, "--plugin", PLUGIN).out
    assert "Did you mean 'adapter.seconds'" in expect_error("plan", rows, "--plugin", PLUGIN, "-o", "adapter.second=1")


def test_what_was_chosen_is_told_and_kept(tmp_path: Path) -> None:
    rows, run = write_demo_examples(tmp_path / "rows.jsonl", 4), tmp_path / "run"
    command = ("optimize", rows, "--plugin", PLUGIN, "--out", run, "-o", "adapter.seconds=0.5", "-o", "loss=1")
    command = (*command, "-o", "lr=auto", "-o", "steps=40", "--json")
    first = sea(*command, "--limit", 2)
    resolved = first.json()["resolved"]
    assert (resolved["mechanism"], resolved["forward"]) == ("splice", "packed")
    assert resolved["margin"] >= 0.5
    assert "lr=auto: trying" in first.err
    tried = [json.loads(line) for line in (run / "tuning.jsonl").read_text().splitlines()]
    assert {row["lr"] for row in tried} == {0.03, 0.1, 0.3}
    assert resolved["lr"] in {row["lr"] for row in tried}
    again = sea(*command)
    assert again.json()["done"] == 4
    assert again.json()["resolved"]["lr"] == resolved["lr"]
    assert "lr=auto" not in again.err


def test_plain_sequences_reach_the_same(tmp_path: Path) -> None:
    rows = write_demo_examples(tmp_path / "rows.jsonl", 2)

    def figures(name: str, *more: object) -> dict[str, Any]:
        found: dict[str, Any] = sea(*optimize_command(rows, tmp_path / name, *more, "--no-verify", "--json")).json()
        return found

    packed, plain = figures("packed"), figures("plain", "-o", "packed=false")
    assert (packed["resolved"]["forward"], plain["resolved"]["forward"]) == ("packed", "sequential")
    assert packed["succeeded"] == plain["succeeded"] == 2
    assert packed["steps_median"] == plain["steps_median"]
    assert packed["audited"] == packed["audit_exact"] == 2


@pytest.mark.parametrize("setting", ["lr=fast", "batch_size=some", "margin=no", "packed=1"])
def test_a_word_that_is_not_auto_is_refused(tmp_path: Path, setting: str) -> None:
    name = setting.partition("=")[0]
    message = expect_error(
        *optimize_command(write_demo_examples(tmp_path / "rows.jsonl", 1), tmp_path / "run", *QUICK, "-o", setting)
    )
    assert f"{name} is " in message
    assert ("or auto" in message) == (name != "packed")


def test_a_tuning_that_reached_nothing_is_not_kept_for_other_settings(tmp_path: Path) -> None:
    """Its advice is a larger budget: what was tried with the small one must not count then."""
    rows, run = write_demo_examples(tmp_path / "rows.jsonl", 2), tmp_path / "run"
    command = ("optimize", rows, "--plugin", PLUGIN, "--out", run, "-o", "adapter.seconds=0.5", "-o", "loss=1")
    assert "-o steps=1000" in expect_error(*command, "-o", "lr=auto", "-o", "steps=1")
    assert sea(*command, "-o", "lr=auto", "-o", "steps=40", "--json").json()["succeeded"] == 2
