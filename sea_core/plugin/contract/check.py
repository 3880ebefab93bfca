"""The contract that every adapter keeps, as a list of rules. `sea plugins check` and `AdapterContract` run them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from sea_core.errors import SeaError
from sea_core.plugin.contract import rules_answers, rules_seam, rules_step, rules_words
from sea_core.plugin.contract.rule import AdapterUnderTest, Rule, RuleViolation
from sea_core.plugin.isolation import catch_any, describe

__all__ = ["RULES", "AdapterUnderTest", "Rule", "RuleResult", "RuleViolation", "check", "check_rule"]

RULES: tuple[Rule, ...] = (*rules_words.RULES, *rules_seam.RULES, *rules_answers.RULES, *rules_step.RULES)
"""In the order in which an author meets them."""

State = Literal["pass", "fail", "not run"]


@dataclass(frozen=True)
class RuleResult:
    """What became of a rule: `seen` and `advice` are empty where it holds."""

    rule: Rule
    state: State
    seen: str = ""
    advice: str = ""


def check(subject: AdapterUnderTest) -> Iterator[RuleResult]:
    """Yield a finding for each rule. Without a model, the rules that need one are not run, but for the first."""
    model_failed = False
    for rule in RULES:
        if model_failed and rule.needs_model:
            yield RuleResult(rule, "not run", "it needs the model")
            continue
        finding = check_rule(rule, subject)
        model_failed |= rule is rules_seam.parts and finding.state == "fail" and "mllm" not in vars(subject)
        yield finding


def check_rule(rule: Rule, subject: AdapterUnderTest) -> RuleResult:
    """Look whether one rule holds. Whatever the adapter raises is a finding."""
    with subject.fit_threads():
        error = catch_any(lambda: rule.check(subject))
    if error is None:
        return RuleResult(rule, "pass")
    if isinstance(error, RuleViolation):
        return RuleResult(rule, "fail", str(error), rule.advice)
    if isinstance(error, SeaError):
        return RuleResult(rule, "fail", error.what, f"{error.hint} {rule.advice}".strip())
    return RuleResult(rule, "fail", describe(error), rule.advice)
