"""The contract that every adapter fulfils."""

from __future__ import annotations

from sea_core.plugin.testing import AdapterContract
from sea_llava.adapter import LlavaAdapter


class TestContract(AdapterContract):
    adapter = LlavaAdapter()
