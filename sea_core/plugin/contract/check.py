"""The contract that every adapter fulfils, as a list of rules. `sea plugins check` and `AdapterContract` run them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from torch import nn

from sea_core.errors import SeaError
from sea_core.model.module_names import suggest_modules
from sea_core.plugin.contract import rules_checkpoint, rules_generation, rules_seam, rules_texts, rules_training
from sea_core.plugin.contract.rule import AdapterUnderTest, NotTested, Rule, RuleViolation
from sea_core.plugin.isolation import catch_any, describe

RULES: tuple[Rule, ...] = (
    *rules_texts.RULES,
    *rules_seam.RULES,
    *rules_generation.RULES,
    *rules_checkpoint.RULES,
    *rules_training.RULES,
)
"""In the order in which an author needs them."""

RuleState = Literal["pass", "fail", "not run", "not tested"]


@dataclass(frozen=True)
class RuleResult:
    """The result of checking one rule; `problem` and `advice` are empty if it passed.

    `not run`: something else must be fixed first. `not tested`: what was tested holds, but `problem` says what was not.
    """

    rule: Rule
    state: RuleState
    problem: str = ""
    advice: str = ""


def check_adapter(subject: AdapterUnderTest) -> Iterator[RuleResult]:
    """Yield a result for each rule. If the model does not load, only the first rule that needs it fails.

    The others that need it are not run. An error that several rules meet is reported once, with its advice.
    """
    model_failed = False
    reported: dict[str, str] = {}
    for rule in RULES:
        if model_failed and rule.needs_model:
            yield RuleResult(rule, "not run", "it needs the model")
            continue
        if rule.needs in reported.values():
            yield RuleResult(rule, "not run", f"it needs the rule {rule.needs}")
            continue
        result = check_rule(rule, subject)
        if result.state == "fail" and (first := reported.setdefault(result.problem, rule.name)) != rule.name:
            result = RuleResult(rule, "not run", f"it meets the same error as the rule {first}")
        model_failed |= rule is rules_seam.parts and result.state == "fail" and "mllm" not in vars(subject)
        yield result


def check_rule(rule: Rule, subject: AdapterUnderTest) -> RuleResult:
    """Check one rule. Whatever the adapter raises is a violation."""
    with subject.fit_threads():
        error = catch_any(lambda: rule.check(subject))
    if error is None:
        return RuleResult(rule, "pass")
    if isinstance(error, NotTested):
        return RuleResult(rule, "not tested", str(error))
    if isinstance(error, RuleViolation):
        return RuleResult(rule, "fail", str(error), rule.advice)
    if isinstance(error, SeaError):
        return RuleResult(rule, "fail", error.what, f"{error.hint} {rule.advice}".strip())
    return RuleResult(rule, "fail", describe(error), f"{_near_modules(error)} {rule.advice}".strip())


def _near_modules(error: BaseException) -> str:
    """Return where a model has the module that was looked for in another place."""
    if isinstance(error, AttributeError) and error.name and isinstance(error.obj, nn.Module):
        return suggest_modules(error.obj, error.name)
    return ""
