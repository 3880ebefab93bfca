"""A model on several devices: what is where, and that the embeddings are those of one device, to the last bit."""

from __future__ import annotations

import json
from contextlib import nullcontext
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from helpers.alignment import random_run
from helpers.cli import expect_error
from helpers.emulated_devices import emulated_devices
from sea_core.alignment.config import AlignRequest
from sea_core.data.demo import DEMO_EXAMPLES
from sea_core.data.examples import PreparedExample
from sea_core.errors import SeaError
from sea_core.model.device_map import (
    device_map_of,
    devices_of,
    largest_part,
    spread_layers,
    taken_off_devices,
)
from sea_core.model.mllm import MLLM
from sea_core.optimization.config import OptimizeConfig
from sea_core.optimization.optimizer import optimize
from sea_core.pipeline.align import align
from sea_core.pipeline.data_spec import DataSpec
from sea_core.pipeline.launch import count_workers
from sea_core.pipeline.model_target import ModelTarget
from sea_core.pipeline.optimize import prepare_run
from sea_core.pipeline.plan import PlannedDevice, plan
from sea_core.pipeline.progress import SILENT
from sea_core.pipeline.synthesis import Synthesis

LAYER = "model.language_model.layers"
PARTS = {
    "a layer on disk": {"": "cpu", f"{LAYER}.1": "disk"},
    "all but the projector on disk": {"": "disk", "model.multi_modal_projector": "cpu"},
}
ELSEWHERE = {"": "maia:0", "model.language_model.embed_tokens": "maia:1", f"{LAYER}.1": "maia:1", "lm_head": "maia:1"}
"""What is not on the projector's device: the token embeddings, a layer between others, and the head."""


def find(device: str = "cpu", **settings: Any) -> ModelTarget:
    return ModelTarget.find("llava", device=device, dtype="float32", **settings)


@cache
def examples() -> tuple[PreparedExample, ...]:
    return tuple(prepare_run(DataSpec(DEMO_EXAMPLES, limit=2), find(), Synthesis(), None, SILENT).todo)


@cache
def load() -> MLLM:
    return find().load()


def make(mllm: MLLM, count: int, **settings: Any) -> tuple[list[Tensor], list[list[int]]]:
    """Return embeddings of demo examples, and what the model answers about the first."""
    config = OptimizeConfig(lr=0.1, loss=1.0, margin=0.0, start="blank", steps=40, **settings)
    results = list(optimize(mllm, examples()[:count], config))
    assert [result.status for result in results] == ["succeeded"] * count
    embeddings = [result.embedding for result in results if result.embedding]
    return [each.features.cpu() for each in embeddings], mllm.generate(["What is this?"], embeddings[:1], 8)


def write_map(folder: Path, parts: dict[str, str]) -> str:
    file = folder / "map.json"
    file.write_text(json.dumps(parts))
    return str(file)


@pytest.mark.parametrize("name", PARTS)
def test_offloaded_parts_change_no_embedding(name: str, tmp_path: Path) -> None:
    mllm = find(write_map(tmp_path, PARTS[name])).load()
    assert any(parameter.is_meta for parameter in mllm.model.parameters())
    (found, answers), (expected, expected_answers) = make(mllm, 2), make(load(), 2)
    assert all(map(torch.equal, found, expected))
    assert answers == expected_answers


@pytest.mark.parametrize("packed", [True, False])
def test_nothing_is_assumed_to_be_on_the_projectors_device(packed: bool, tmp_path: Path) -> None:
    """Each operation on tensors of two devices is an error here, as it is on GPUs."""
    made = []
    for device in ("maia:0", "maia:0,maia:1", write_map(tmp_path, ELSEWHERE))[:: 1 if packed else 2]:
        with emulated_devices():
            mllm = find(device).load()
            made.append(make(mllm, 1, packed=packed))
            assert len(devices_of(mllm)) == (1 if device == "maia:0" else 2)
    (expected, expected_answers), *others = made
    for found, answers in others:
        assert torch.equal(found[0], expected[0])
        assert answers == expected_answers


def test_the_emulation_refuses_what_a_gpu_refuses() -> None:
    with emulated_devices(), pytest.raises(RuntimeError, match="found maia:0, maia:1"):
        torch.ones(2, device="maia:0") + torch.ones(2, device="maia:1")
    with emulated_devices(), pytest.raises(RuntimeError, match="found cpu, maia:0"):
        torch.ones(2, device="maia:0") + torch.ones(2)


def test_layers_are_spread_by_their_size() -> None:
    mllm = load()
    assert spread_layers(mllm, ["a"]) == {}
    assert spread_layers(mllm, ["a", "b"]) == {f"{LAYER}.{number}": "b" for number in range(3)}
    assert list(spread_layers(mllm, ["a", "b", "c"]).values()) == ["b", "b", "c"]
    whole, two, three = (largest_part(mllm, count) for count in (1, 2, 3))
    assert whole == (4 * sum(p.numel() for p in mllm.model.parameters()), 1.0)
    assert whole[0] > two[0] >= three[0]
    assert three[1] == pytest.approx(2 / 3)


def test_a_model_that_was_taken_off_its_devices_is_put_back() -> None:
    with emulated_devices():
        mllm = find("maia:0,maia:1").load()
        answers, found = mllm.generate(["What is this?"], [mllm.blank()], 4), device_map_of(mllm.model)
        with taken_off_devices(mllm.model):
            assert {str(p.device) for p in mllm.model.parameters()} == {"cpu"}
        assert device_map_of(mllm.model) == found
        assert mllm.generate(["What is this?"], [mllm.blank()], 4) == answers


@pytest.mark.parametrize(
    ("device", "message"),
    [
        ("cpu,cpu", "does not name several GPUs"),
        ("maia:0,cpu", "does not name several GPUs"),
        ("maia:0,maia:0", "does not name several GPUs"),
        ("all", "has no GPU"),
        ("nowhere.json", "nowhere.json"),
    ],
)
def test_devices_that_cannot_be_used_are_named(device: str, message: str) -> None:
    with emulated_devices() if "maia" in device else nullcontext(), pytest.raises(SeaError, match=message):
        find(device)


def test_what_cannot_work_is_refused_before_anything_is_loaded(
    mllm: MLLM, prepared: tuple[PreparedExample, ...], tmp_path: Path
) -> None:
    on_disk = write_map(tmp_path, PARTS["a layer on disk"])
    with pytest.raises(SeaError, match="--quantize 4bit cannot be combined with weights on disk"):
        find(on_disk, quantize="4bit")
    with pytest.raises(SeaError, match="2 workers cannot share"):
        count_workers(2, on_disk)
    assert count_workers("auto", on_disk) == 1
    run = random_run(tmp_path / "run", mllm, prepared[:2])
    with pytest.raises(SeaError, match="weights that are kept on disk cannot be trained on"):
        align([run], tmp_path / "model", request=AlignRequest("sft"), device=on_disk)


def test_a_part_that_the_model_does_not_have_is_named(tmp_path: Path) -> None:
    with pytest.raises(SeaError, match=r"names model\.tower, but LlavaForConditionalGeneration has no such part"):
        find(write_map(tmp_path, {"": "cpu", "model.tower": "disk"})).load()


def test_a_plan_says_how_many_cards_hold_the_model() -> None:
    """Two of them do, where one does not; each then has a part of the layers."""
    small, large = (PlannedDevice(memory=size) for size in (6_500_000, 40_000_000))
    plans = {
        name: plan(DataSpec(DEMO_EXAMPLES, limit=2), find(), where=where).estimate
        for name, where in {"one": small, "two": replace(small, count=2), "large": large}.items()
    }
    assert [(plans[name].batch_size > 0, plans[name].needed) for name in plans] == [(False, 2), (True, 0), (True, 0)]
    assert plans["two"].compile_reason == "layers on several devices are not compiled"
    assert "--gpus is for cards that are not here" in expect_error("plan", "--plugin", "llava", "--gpus", "2")
