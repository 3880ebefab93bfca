"""The tests that every plugin inherits. The only file of the core that imports pytest.

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
    """The contract as tests: one for each rule of `sea_core.plugin.contract.check`, on a tiny model in fp32.

    Set `adapter` where its default checkpoint is such a model; otherwise write `mllm`.
    """

    adapter: ClassVar[Adapter | None] = None

    def mllm(self) -> MLLM:
        """Return the model to test on. By default the adapter's own checkpoint."""
        import torch

        if self.adapter is None:
            raise PluginError(f"{type(self).__name__} has no adapter: write `adapter = MyAdapter()`, or `mllm`")
        checkpoint = self.adapter.checkpoint
        return MLLM(self.adapter, *self.adapter.load(checkpoint, dtype=torch.float32, device="cpu"))

    def signal(self) -> Any:
        """Return a medium that is not blank. By default noise in the form of the blank."""
        return None

    @pytest.mark.parametrize("rule", RULES, ids=[rule.name for rule in RULES])
    def test_contract(self, rule: Rule) -> None:
        finding = check_rule(rule, self._subject())
        assert finding.state == "pass", _said(finding)

    def _subject(self) -> AdapterUnderTest:
        """Return the subject, one for all the rules of a class: loading a model takes longer than most rules."""
        kind = type(self)
        if "_kept" not in vars(kind):
            if self.adapter is not None:
                kind._kept = AdapterUnderTest(self.adapter, self.mllm, self.signal)
            else:
                made = self.mllm()
                kind._kept = AdapterUnderTest(made.adapter, lambda: made, self.signal)
        return kind._kept

    _kept: ClassVar[AdapterUnderTest]


def _said(finding: RuleResult) -> str:
    return f"{finding.rule.sentence}\n  {finding.seen}\n  {finding.advice}"
