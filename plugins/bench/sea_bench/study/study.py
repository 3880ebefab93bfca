"""A study: which models, data, arms, methods and seeds. The keys of its file, and what follows from them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, TypeAlias, TypeVar

from annotated_types import Ge, Gt, MinLen

from sea_bench.run.config import AnswerConfig
from sea_bench.study.arms import ARMS, StudyArm
from sea_core.alignment.config import AlignRequest, Method, make_request
from sea_core.config import Config, flatten, override, reject_unknown, setting_names
from sea_core.optimization.config import OptimizeConfig

C = TypeVar("C", bound=Config)

STRICT: Mapping[str, Any] = {"extra": "forbid", "strict": True}
Part: TypeAlias = Literal["validation", "test"]
PARTS: tuple[Part, ...] = ("validation", "test")
SEED = "{seed}"
"""In a path: the seed. Each seed then has training data and benchmarks of its own, as in cross-validation."""


@dataclass(frozen=True)
class StudyModel:
    """A model of the study.

    Attributes:
        plugin, modality, model, dtype: as `sea optimize` takes them.
        adapter: settings of its adapter, as `-o adapter.KEY=VALUE`.
        validation, test: benchmarks, the one for choosing settings and the one for the end.
        media: examples with real media, as `sea encode` takes them, by the names that arms use.
        benign_media: a folder of benign media, for the recipes that need them.
    """

    plugin: str
    validation: str
    modality: str | None = None
    model: str | None = None
    dtype: str = "auto"
    adapter: Mapping[str, Any] = field(default_factory=dict)
    test: str | None = None
    media: Mapping[str, str] = field(default_factory=dict)
    benign_media: str | None = None

    __pydantic_config__: ClassVar[Mapping[str, Any]] = STRICT

    def benchmark(self, part: Part) -> str | None:
        """Return the benchmark of a part; None where the study file names none."""
        return self.validation if part == "validation" else self.test

    def data_paths(self) -> dict[tuple[str, ...], str]:
        """Return the paths of its data, by their keys."""
        media: dict[tuple[str, ...], str] = {("media", name): path for name, path in self.media.items()}
        others = {("validation",): self.validation, ("test",): self.test, ("benign_media",): self.benign_media}
        return {**media, **{keys: path for keys, path in others.items() if path}}


@dataclass(frozen=True)
class Claims:
    """What the paper's claims are tested on (see sea_bench/study/claims.py).

    Attributes:
        scenarios: of the benchmarks; empty for all.
        sea, real: the arms that stand for the paper's method and for real media of the same size.
        margin: how much smaller than with real media the discrimination may be.
    """

    scenarios: tuple[str, ...] = ()
    sea: str = "sea"
    real: str = "oracle"
    margin: Annotated[float, Gt(0)] = 0.05

    __pydantic_config__: ClassVar[Mapping[str, Any]] = STRICT


@dataclass(frozen=True)
class StudyFile:
    """A study. With `{seed}` in the paths of its data, of models too, each seed has data of its own.

    Attributes:
        folder: where everything is written.
        data: the text safety set.
        models: by the names that tables use.
        arms: names of known arms, or the keys of a `StudyArm`; `base` is a known arm that has the rest but the summary.
        methods: `sft`, `dpo` or both.
        seeds: of the alignments. embedding_seeds: of the embeddings, which alignments take in turn; default: seeds.
        cases: of each scenario and task; None for all.
        optimize: settings of the optimisations of all arms, as `-o` takes them, but those of recipes (`noise.KEY`).
        align: settings of all alignments, as `-o` takes them, `trainer.KEY` and `lora.KEY` too; and `mixture`.
        sft, dpo: settings of the alignments by this method alone.
        answers: settings of `sea bench run`.
        judge: whose verdicts the figures are of.
        quick: what `--quick` changes.
    """

    folder: str
    data: str
    models: Annotated[Mapping[str, StudyModel], MinLen(1)]
    arms: Annotated[tuple[str | StudyArm, ...], MinLen(1)]
    methods: Annotated[tuple[Method, ...], MinLen(1)] = ("sft", "dpo")
    seeds: Annotated[tuple[Annotated[int, Ge(0)], ...], MinLen(1)] = (0, 1, 2)
    embedding_seeds: tuple[Annotated[int, Ge(0)], ...] = ()
    cases: Annotated[int, Gt(0)] | None = None
    optimize: Mapping[str, Any] = field(default_factory=dict)
    align: Mapping[str, Any] = field(default_factory=dict)
    sft: Mapping[str, Any] = field(default_factory=dict)
    dpo: Mapping[str, Any] = field(default_factory=dict)
    answers: Mapping[str, Any] = field(default_factory=dict)
    judge: str = "refusal"
    claims: Claims = Claims()
    quick: Mapping[str, Any] = field(default_factory=dict)

    __pydantic_config__: ClassVar[Mapping[str, Any]] = STRICT

    def align_settings(self, method: Method | None) -> dict[str, Any]:
        """Return the settings of all alignments by a method, with dotted names; None: by none."""
        own = {"sft": self.sft, "dpo": self.dpo}[method] if method else {}
        return {**flatten(self.align), **flatten(own)}


@dataclass(frozen=True)
class Study:
    """A study file that has been checked, with its place.

    Attributes:
        file: its content. root: the folder that its paths are relative to. file_name: its own name.
        arms: the arms, each with its settings.
        media: digests of media that were read, so that tasks about the same media read them once.
    """

    file: StudyFile
    root: Path
    file_name: str
    arms: tuple[StudyArm, ...]
    media: dict[str, str] = field(default_factory=dict, compare=False, repr=False)

    @property
    def folder(self) -> Path:
        return self.root / self.file.folder

    @property
    def has_splits(self) -> bool:
        """Whether each seed has training data and benchmarks of its own."""
        return SEED in self.file.data

    def path(self, name: str, seed: int = 0) -> Path:
        """Return a path that the study file names, with the seed in it."""
        return self.root / name.replace(SEED, str(seed))

    def data(self, seed: int) -> Path:
        """Return the text safety set of a seed."""
        return self.path(self.file.data, seed)

    def embedding_seed(self, seed: int) -> int:
        """Return the seed of the embeddings that an alignment with a seed is made on."""
        seeds = self.file.embedding_seeds or self.file.seeds
        return seeds[self.file.seeds.index(seed) % len(seeds)]

    def methods_of(self, arm: StudyArm) -> tuple[Method, ...]:
        """Return the methods that an arm is aligned by."""
        return tuple(method for method in self.file.methods if not arm.methods or method in arm.methods)

    def name_alignment(self, arm: StudyArm) -> str:
        """Return what an arm's alignment is called: after the arm to which it adds nothing but a defence, if any."""
        own = {each.name for each in self.arms}
        others = [*self.arms, *(each for each in ARMS if each.name not in own)] if arm.defence else []
        return next((each.name for each in others if not each.defence and each.training == arm.training), arm.name)

    def optimize_config(self, arm: StudyArm, seed: int) -> OptimizeConfig:
        """Return the settings of an arm's embeddings."""
        return _overridden(OptimizeConfig(), {**self.file.optimize, **arm.optimize, "seed": seed})

    def align_request(self, arm: StudyArm, method: Method, seed: int) -> AlignRequest:
        """Return how an arm is aligned: nothing is held out, since the benchmarks are. Its own settings come last."""
        shared, own = self.file.align_settings(method), flatten(arm.align)
        mixture = {**shared, **own}.get("mixture", "default")
        for settings in (shared, own):
            settings.pop("mixture", None)
        return make_request(
            method, {"held_out": 0, **shared}, {**own, "seed": seed}, mixture=mixture, data=arm.data or None
        )

    def answer_config(self) -> AnswerConfig:
        """Return how answers are generated."""
        return _overridden(AnswerConfig(), self.file.answers)


def _overridden(config: C, settings: Mapping[str, Any]) -> C:
    changed, unknown = override(config, settings)
    reject_unknown(unknown, setting_names(config), owner=type(config).__name__)
    return changed


def settings_of(study: Study) -> dict[str, Any]:
    """Return the content of a study, as JSON, for its folder."""
    return json.loads(json.dumps(asdict(study.file)))  # type: ignore[no-any-return]
