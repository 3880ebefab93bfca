"""The settings of the judges, for the commands that judge answers with any of them."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import TYPE_CHECKING

from sea_core.cli.settings import SettingGroup, llm_group

if TYPE_CHECKING:
    from sea_core.judges.base import JudgeFactory, Measure


def judge_groups() -> list[SettingGroup]:
    """Return the settings of the judges' models."""
    from sea_core.llm.config import GuardConfig

    return [
        llm_group("of --judge openai or transformers"),
        SettingGroup(GuardConfig(), "guard", "The guard model of --judge guard, here or on a server."),
    ]


def unread_judge_settings(judges: Iterable[JudgeFactory]) -> dict[str, str]:
    """Return the prefixes of the settings that none of these judges reads (see `read_settings`)."""
    from sea_core.judges.registry import settings_read

    readers = {"llm": "--judge openai or transformers", "guard": "--judge guard"}
    read = settings_read(judges)
    return {prefix: remedy for prefix, remedy in readers.items() if prefix not in read}


def find_judges(names: Iterable[str], *measures: Collection[Measure]) -> list[JudgeFactory]:
    """Return what opens the judges of these names, of the first of the measures that has one.

    Raises:
        SeaError: there is none.
    """
    from sea_core.plugin import loader

    *others, last = [loader.judges(each) for each in measures]
    known = [name for each in others for name in each.names() if name not in last]
    return [next((each for each in others if name in each), last).get(name, also=known) for name in names]
