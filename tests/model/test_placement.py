"""Devices and dtypes. There is no GPU where these tests run: cuda and mps are decided on availability that is faked."""

from __future__ import annotations

import pytest
import torch

from helpers.fixtures import in_dtype
from sea_core import SeaError
from sea_core.model import placement
from sea_core.model.mllm import MLLM
from sea_core.model.placement import resolve_device, resolve_dtype

CPU, CUDA, MPS = torch.device("cpu"), torch.device("cuda"), torch.device("mps")


@pytest.mark.parametrize(
    ("cuda", "mps", "expected"),
    [(True, True, "cuda"), (True, False, "cuda"), (False, True, "mps"), (False, False, "cpu")],
)
def test_auto_prefers_cuda_then_mps_then_cpu(
    monkeypatch: pytest.MonkeyPatch, cuda: bool, mps: bool, expected: str
) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: cuda)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: mps)
    assert resolve_device("auto") == torch.device(expected)


@pytest.mark.parametrize("name", ["cpu", "cpu:0"])
def test_a_device_of_this_machine_is_returned(name: str) -> None:
    assert resolve_device(name) == torch.device(name)


@pytest.mark.parametrize("name", ["abacus", "cuda:99", "mps"])
def test_a_device_that_is_not_there_is_an_error(name: str) -> None:
    if name == "mps" and torch.backends.mps.is_available():
        pytest.skip("this machine has it")
    with pytest.raises(SeaError, match=f"--device {name} cannot be used: ") as raised:
        resolve_device(name)
    assert "--device cpu" in raised.value.hint
    assert "privateuseone" not in str(raised.value)


@pytest.mark.parametrize(("name", "meant"), [("gpu", "cuda"), ("GPU:1", "cuda"), ("metal", "mps")])
def test_another_name_of_a_device_gets_a_suggestion(name: str, meant: str) -> None:
    with pytest.raises(SeaError, match="torch has no such device") as raised:
        resolve_device(name)
    assert raised.value.hint == f"Did you mean --device {meant} ?"


def test_a_torch_without_cuda_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    if torch.cuda.is_available():
        pytest.skip("this machine has a GPU")
    monkeypatch.setattr(torch.version, "cuda", None)
    monkeypatch.setattr(torch.version, "hip", None)
    with pytest.raises(SeaError, match="this torch has no CUDA support") as raised:
        resolve_device("cuda")
    assert "pytorch.org" in raised.value.hint
    assert "--device cpu" in raised.value.hint


def test_the_error_names_the_setting_that_was_given() -> None:
    with pytest.raises(SeaError, match=r"-o llm\.device=abacus cannot be used: ") as raised:
        resolve_device("abacus", "llm.device")
    assert "-o llm.device=cpu" in raised.value.hint


@pytest.mark.parametrize("name", placement.DTYPES)
def test_a_named_dtype_is_returned_on_every_device(name: str) -> None:
    for device in (CPU, CUDA, MPS):
        assert placement.dtype_name(resolve_dtype(name, device)) == name


@pytest.mark.parametrize(
    ("device", "bfloat16", "expected"),
    [
        (CPU, True, torch.float32),
        (CUDA, True, torch.bfloat16),
        (torch.device("cuda:1"), True, torch.bfloat16),
        (MPS, True, torch.bfloat16),
        (MPS, False, torch.float32),
    ],
)
def test_auto_dtype_is_bfloat16_on_gpus_that_compute_in_it(
    monkeypatch: pytest.MonkeyPatch, device: torch.device, bfloat16: bool, expected: torch.dtype
) -> None:
    monkeypatch.setattr(placement, "computes_in_bfloat16", lambda _: bfloat16)
    assert resolve_dtype("auto", device) == expected


def test_bfloat16_is_tried_on_the_device_itself() -> None:
    assert placement.computes_in_bfloat16(CPU)
    assert not placement.computes_in_bfloat16(torch.device("meta"))  # has no values to compare


def test_an_unknown_dtype_is_an_error() -> None:
    with pytest.raises(SeaError, match="--dtype float8 is not known") as raised:
        resolve_dtype("float8", CPU)
    assert raised.value.hint == "Type one of: auto, float32, bfloat16, float16"


@pytest.mark.parametrize(
    ("name", "meant"), [("fp16", "float16"), ("half", "float16"), ("BF16", "bfloat16"), ("fp32", "float32")]
)
def test_another_name_of_a_dtype_gets_a_suggestion(name: str, meant: str) -> None:
    with pytest.raises(SeaError) as raised:
        resolve_dtype(name, CPU)
    assert raised.value.hint == f"Did you mean --dtype {meant} ?"


@pytest.mark.parametrize("name", placement.DTYPES)
def test_the_wide_dtype_of_every_dtype_that_a_user_can_choose_is_fp32(mllm: MLLM, name: str) -> None:
    """So nothing is computed in fp64 on mps, which does not have it."""
    assert in_dtype(mllm, getattr(torch, name)).wide_dtype == torch.float32
