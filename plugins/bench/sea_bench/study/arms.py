"""The arms of a study: what a model is made from, as settings of the commands that make it, and of a defence.

An arm is data, no code: whatever these commands take can be one. Plugins offer others with the hook `sea_study_arms`; a
study file can describe its own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

from sea_core.alignment.config import Method
from sea_core.optimization.recipes.registry import RECIPES
from sea_core.plugin import loader
from sea_core.registry import Registry

Role: TypeAlias = Literal["unaligned", "text", "sea", "real", "defence"]
"""What claims take an arm for: the model as it is; aligned on text alone, on synthetic embeddings or on real harmful
media; or not aligned, but defended. An aligned arm with a defence is what its alignment is."""


@dataclass(frozen=True)
class StudyArm:
    """One way to make a model safer.

    Attributes:
        name: what the study file and the tables call it.
        role: what it is in the claims.
        recipe: recipes of the synthetic embeddings, as in `--recipe`; empty: none are made.
        optimize: settings of `sea optimize` that differ from the study's.
        media: names of the study's real media that are encoded and trained on as well.
        data: the kinds that are trained on, as in `sea align --data`; empty for those of the settings.
        extra_text: whether the text safety set is trained on as plain text besides; embeddings bring it along.
        align: settings of `sea align` that differ from the study's.
        methods: only these methods; empty for all of the study.
        defence: a defence at inference time, on the aligned model, or on the model as it is, by name.
        defence_settings: its settings. Those that are paths are relative to the study file.
        summary: in one line, for `sea study arms`.
    """

    name: str
    role: Role
    recipe: str = ""
    optimize: Mapping[str, Any] = field(default_factory=dict)
    media: Sequence[str] = ()
    data: str = ""
    extra_text: bool = False
    align: Mapping[str, Any] = field(default_factory=dict)
    methods: Sequence[Method] = ()
    defence: str = ""
    defence_settings: Mapping[str, Any] = field(default_factory=dict)
    summary: str = ""

    @property
    def is_aligned(self) -> bool:
        """Whether a model is trained for it."""
        return bool(self.recipe or self.media)

    @property
    def training(self) -> tuple[object, ...]:
        """What its model is trained on, and how: two arms that have the same one share the alignment."""
        return (self.recipe, dict(self.optimize), tuple(self.media), self.data, self.extra_text, dict(self.align))


STUDY_DATA = "${data}"
"""As a setting of a defence: the study's text safety set."""
WITHOUT_MEDIA = ",".join(recipe.name for recipe in RECIPES if not recipe.needs_media)
"""The built-in recipes that need no benign media."""

ARMS: Registry[StudyArm] = Registry(
    "arm",
    (
        StudyArm("unaligned", "unaligned", summary="the model as it is"),
        StudyArm("safety-prompt", "defence", defence="system-prompt", summary="a safety prompt before every question"),
        StudyArm("self-check", "defence", defence="self-check", summary="the model judges its own answers"),
        StudyArm(
            "steering",
            "defence",
            defence="steering",
            defence_settings={"data": STUDY_DATA},
            summary="a vector of refusal, computed from the texts",
        ),
        StudyArm("text", "text", "plain", data="text", summary="text alone"),
        StudyArm(
            "text-describe-first",
            "text",
            "plain",
            data="text",
            defence="describe-first",
            summary="text alone; media are described first, and the question is answered from that",
        ),
        StudyArm("oracle", "real", media=("real",), extra_text=True, summary="real media, one for each example"),
        StudyArm(
            "oracle-draws", "real", media=("real-draws",), extra_text=True, summary="real media, several an example"
        ),
        StudyArm("sea", "sea", "plain", summary="the paper's: one synthetic embedding for each example"),
        StudyArm("draws", "sea", "plain", {"draws": 6}, summary="six embeddings an example"),
        StudyArm(
            "read-first", "sea", "plain", align={"answers": "read-first"}, summary="says what is shown, then decides"
        ),
        StudyArm("pool", "sea", WITHOUT_MEDIA, summary="one embedding an example of each recipe without media"),
        StudyArm(
            "pool-benign-media", "sea", WITHOUT_MEDIA, media=("benign",), summary="the pool, and real benign media"
        ),
        StudyArm(
            "draws-benign-media", "sea", "plain", {"draws": 6}, ("benign",), summary="six draws, real benign media"
        ),
        StudyArm(
            "benign-start",
            "sea",
            "benign-start",
            {"draws": 6},
            summary="six embeddings, each edited from a benign medium",
        ),
    ),
)
"""The built-in arms."""


def known_arms() -> Registry[StudyArm]:
    """Return the arms, built-in and of plugins. Plugins are loaded for a name that is not built in."""
    return ARMS.extended(lambda: loader.offers("study_arms", ARMS))
