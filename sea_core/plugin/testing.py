"""The adapter contract as tests that a plugin inherits. The only module of the core that imports pytest.

from sea_core.plugin.testing import AdapterContract

class TestContract(AdapterContract):
    adapter = MyAdapter()
"""

from __future__ import annotations

from typing import Any, ClassVar

import pytest

from sea_core.errors import PluginError
from sea_core.model.adapter import Adapter
from sea_core.model.mllm import MLLM
from sea_core.plugin.contract.check import RULES, RuleResult, check_rule
from sea_core.plugin.contract.rule import AdapterUnderTest, Rule


class AdapterContract:
    """One test for each rule of `sea_core.plugin.contract.check`, run on a tiny model in fp32.

    Set `adapter` if its default checkpoint is such a model; otherwise override `mllm`.
    """

    adapter: ClassVar[Adapter | None] = None

    def mllm(self) -> MLLM:
        """Return the model to test. By default, the adapter's checkpoint is loaded."""
        import torch

        if self.adapter is None:
            raise PluginError(f"{type(self).__name__} has no adapter: set `adapter = MyAdapter()`, or override `mllm`")
        checkpoint = self.adapter.checkpoint
        return MLLM(self.adapter, *self.adapter.load(checkpoint, dtype=torch.float32, device="cpu"))

    def sample(self) -> Any:
        """Return a medium that is not blank, or None for noise in the form of the blank input."""
        return None

    @pytest.mark.parametrize("rule", RULES, ids=[rule.name for rule in RULES])
    def test_contract(self, rule: Rule) -> None:
        result = check_rule(rule, self._adapter_under_test())
        if result.state == "not tested":
            pytest.skip(result.problem)
        assert result.state == "pass", _message(result)

    _cached: ClassVar[AdapterUnderTest]

    def _adapter_under_test(self) -> AdapterUnderTest:
        """Return one object for all the tests of a class: loading a model takes longer than most rules."""
        cls = type(self)
        if "_cached" not in vars(cls):
            if self.adapter is not None:
                cls._cached = AdapterUnderTest(self.adapter, self.mllm, self.sample)
            else:
                mllm = self.mllm()
                cls._cached = AdapterUnderTest(mllm.adapter, lambda: mllm, self.sample)
        return cls._cached


def _message(result: RuleResult) -> str:
    return f"{result.rule.sentence}\n  {result.problem}\n  {result.advice}"
