"""The contract that every adapter keeps."""

from __future__ import annotations

from sea_llava.adapter import LlavaAdapter

from sea_core.testing import AdapterContract


class TestContract(AdapterContract):
    adapter = LlavaAdapter()
