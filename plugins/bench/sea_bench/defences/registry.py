"""The defences by name. Plugins add others with the hook `sea_defences`."""

from __future__ import annotations

from sea_bench.defences.base import Defence
from sea_bench.defences.describe_first import DescribeFirst
from sea_bench.defences.guard import GuardAfter, GuardBefore
from sea_bench.defences.self_check import SelfCheck
from sea_bench.defences.steering import Steering
from sea_bench.defences.system_prompt import SafetyPromptDefence
from sea_core.plugin import loader
from sea_core.registry import Registry

DEFENCES: Registry[Defence] = Registry(
    "defence", (SafetyPromptDefence(), GuardBefore(), GuardAfter(), SelfCheck(), DescribeFirst(), Steering())
)
"""The built-in defences, with their default settings."""


def known_defences() -> Registry[Defence]:
    """Return the defences, built-in and of plugins. Plugins are loaded for a name that is not built in."""
    return DEFENCES.extended(lambda: loader.offers("defences", DEFENCES))
