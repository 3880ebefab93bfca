"""What a study consists of: each task is what one command of `sea` does, into an ordinary run folder of its own.

A folder is named after a digest of all that its task depends on, as those of `sea run` are: unchanged results are found
again, and other settings write to other folders.
"""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from functools import cache, cached_property
from pathlib import Path
from typing import Any, ClassVar

from sea_bench.case import Case
from sea_bench.dataset import read_benchmark
from sea_bench.defences.base import Defence
from sea_bench.defences.registry import known_defences
from sea_bench.pipeline.answer_work import require_shared
from sea_bench.pipeline.judge import ALWAYS, JudgeSummary, judge_run
from sea_bench.pipeline.run import RunResult, run_benchmark
from sea_bench.select import CaseFilter, select_cases, set_digest
from sea_bench.study.arms import STUDY_DATA, StudyArm
from sea_bench.study.study import Part, Study, StudyModel
from sea_core import __version__
from sea_core.alignment.config import AlignRequest, Method
from sea_core.config import override, reject_unknown
from sea_core.errors import SeaError
from sea_core.judges.base import RETRIED
from sea_core.model.media_folder import media_digest, media_files
from sea_core.optimization.recipes.registry import POOL, split_names
from sea_core.pipeline.align import align
from sea_core.pipeline.data_spec import DataSpec
from sea_core.pipeline.encode import encode_into, media_examples
from sea_core.pipeline.model_target import ModelTarget
from sea_core.pipeline.optimize import optimize_into
from sea_core.pipeline.progress import Progress
from sea_core.pipeline.synthesis import Synthesis, known_recipes
from sea_core.runs.digests import file_digest, sha256


@dataclass(frozen=True)
class StudyTask(ABC):
    """One task.

    Attributes:
        model: the name of its model in the study.

    Class attributes:
        KIND: the command that it does the work of.
    """

    study: Study
    model: str

    KIND: ClassVar[str]

    @property
    @abstractmethod
    def name(self) -> str:
        """Its name, for people: the folder begins with it."""

    @property
    def inputs(self) -> tuple[StudyTask, ...]:
        """The tasks whose results it reads."""
        return ()

    @abstractmethod
    def identity(self) -> dict[str, Any]:
        """Return what its result depends on, besides the model and the inputs."""

    @abstractmethod
    def run(self, progress: Progress) -> None:
        """Do the work, or resume it.

        Raises:
            SeaError: as the command of this kind does.
        """

    @cached_property
    def digest(self) -> str:
        """What its folder is named after."""
        inputs = [task.digest for task in self.inputs]
        state = [__version__, self.KIND, model_state(self.study, self.model), self.identity(), inputs]
        return sha256(json.dumps(state, sort_keys=True, default=str).encode())

    @property
    def folder(self) -> Path:
        return self.study.folder / self.model / self.KIND / f"{self.name}-{self.digest[:8]}"

    @property
    def label(self) -> str:
        """The task in words, for the progress line."""
        return f"{self.KIND} {self.model} {self.name}"

    @property
    def spec(self) -> StudyModel:
        return self.study.file.models[self.model]

    @property
    def target(self) -> ModelTarget:
        return find_target(self.study, self.model)


@cache
def _find(plugin: str, modality: str | None, model: str | None, dtype: str, settings: str) -> ModelTarget:
    return ModelTarget.find(plugin, modality=modality, model=model, dtype=dtype, settings=json.loads(settings))


def find_target(study: Study, name: str) -> ModelTarget:
    """Return a model of the study. A local plugin file or model folder is relative to the study file.

    Raises:
        PluginError, ModelError: it cannot be used.
        SeaError: its dtype, or a setting of its adapter, is not known.
    """
    spec = study.file.models[name]
    plugin, model = (
        str(study.path(each)) if each and study.path(each).exists() else each for each in (spec.plugin, spec.model)
    )
    return _find(plugin or "", spec.modality, model, spec.dtype, json.dumps(dict(spec.adapter), sort_keys=True))


def model_state(study: Study, name: str) -> list[Any]:
    """Return what identifies a model: the plugin's version, the checkpoint, the dtype and the adapter's settings."""
    target, settings = find_target(study, name), dict(study.file.models[name].adapter)
    state = [target.name, target.plugin.version, target.fingerprint(), target.dtype_name()]
    return [*state, settings] if settings else state


@dataclass(frozen=True)
class OptimizeTask(StudyTask):
    """`sea optimize`: the synthetic embeddings of an arm. Arms with the same recipe and settings share them."""

    arm: StudyArm
    seed: int

    KIND: ClassVar[str] = "optimize"

    @property
    def name(self) -> str:
        recipe = "pool" if self.arm.recipe.count(",") > 1 else self.arm.recipe.replace(",", "+")
        draws = self.study.optimize_config(self.arm, self.seed).draws
        return f"{recipe}-{draws}-seed{self.seed}"

    def identity(self) -> dict[str, Any]:
        config = self.study.optimize_config(self.arm, self.seed)
        media = media_digest(media_files(folder)) if (folder := self._benign_media()) else None
        return {
            "data": file_digest(self.study.data(self.seed)),
            "recipe": self.arm.recipe,
            "config": asdict(config),
            "benign_media": media,
        }

    def run(self, progress: Progress) -> None:
        config = self.study.optimize_config(self.arm, self.seed)
        synthesis = Synthesis(config=config, recipe=self.arm.recipe, benign_media=self._benign_media())
        data = DataSpec(self.study.data(self.seed))
        optimize_into(data, self.target, self.folder, synthesis, True, progress)

    def _benign_media(self) -> Path | None:
        """Return the folder of benign media, if the study names one and a recipe of the arm uses it."""
        names, folder = split_names(self.arm.recipe), self.spec.benign_media
        in_use = [recipe for recipe in known_recipes(self.arm.recipe) if recipe.name in names or POOL in names]
        return self.study.path(folder, self.seed) if folder and any(recipe.needs_media for recipe in in_use) else None


@dataclass(frozen=True)
class EncodeTask(StudyTask):
    """`sea encode`: real media of the study. Without `{seed}` in their path, all seeds share them."""

    medium: str
    seed: int

    KIND: ClassVar[str] = "encode"

    @property
    def name(self) -> str:
        return f"{self.medium}-seed{self.seed}" if self.study.has_splits else self.medium

    def identity(self) -> dict[str, Any]:
        return {"data": file_digest(self._path()), "media": self._media()}

    def run(self, progress: Progress) -> None:
        encode_into(self._path(), self.target, self.folder, progress=progress)

    def _media(self) -> str:
        known, key = self.study.media, str(self._path())
        if key not in known:
            known[key] = _digest_of(example.path for example in media_examples(self._path())[1])
        return known[key]

    def _path(self) -> Path:
        return self.study.path(self.spec.media[self.medium], self.seed)


@dataclass(frozen=True)
class AlignTask(StudyTask):
    """`sea align`: the model of an arm. Its spot check is about embeddings that it trains on."""

    arm: StudyArm
    method: Method
    seed: int

    KIND: ClassVar[str] = "align"

    @property
    def name(self) -> str:
        return f"{self.study.name_alignment(self.arm)}-{self.method}-seed{self.seed}"

    @cached_property
    def inputs(self) -> tuple[StudyTask, ...]:
        embeddings = self.study.embedding_seed(self.seed)
        made = [OptimizeTask(self.study, self.model, self.arm, embeddings)] if self.arm.recipe else []
        return (*made, *(EncodeTask(self.study, self.model, medium, self.seed) for medium in self.arm.media))

    def identity(self) -> dict[str, Any]:
        request = self._request()
        passed_on = {"trainer": request.trainer, "lora": request.lora}
        return {
            "method": self.method,
            "config": asdict(request.config),
            "text": file_digest(text) if (text := self._text()) else None,
            **{group: settings for group, settings in passed_on.items() if settings},
        }

    def run(self, progress: Progress) -> None:
        request = self._request()
        align(
            [task.folder for task in self.inputs],
            self.folder,
            request=request,
            plugin=self.target.source,
            model=self.target.checkpoint,
            extra_text=self._text(),
            spot_check=bool(self.arm.recipe and request.config.synthetic),
            merge=False,
            progress=progress,
        )

    def _request(self) -> AlignRequest:
        return self.study.align_request(self.arm, self.method, self.seed)

    def _text(self) -> Path | None:
        return self.study.data(self.seed) if self.arm.extra_text else None


@dataclass(frozen=True)
class AnswerTask(StudyTask):
    """`sea bench run` and `sea bench judge`: the answers of an arm to a benchmark, and the verdicts on them.

    Attributes:
        seed: of the benchmark, if each seed has one of its own, and of the alignment.
    """

    arm: StudyArm
    part: Part
    seed: int
    alignment: AlignTask | None = None

    KIND: ClassVar[str] = "answer"

    @property
    def name(self) -> str:
        parts = [self.arm.name, self.alignment.method] if self.alignment else [self.arm.name]
        seed = [f"seed{self.seed}"] if self.alignment or self.study.has_splits else []
        return "-".join([*parts, *seed, self.part])

    @property
    def inputs(self) -> tuple[StudyTask, ...]:
        return (self.alignment,) if self.alignment else ()

    def identity(self) -> dict[str, Any]:
        defence = self._defence()
        return {
            "part": self.part,
            "cases": set_digest(self._cases(), self.target.adapter.modality),
            "media": self._media(),
            "limit": self.study.file.cases,
            "defence": defence.identity() if defence else None,
            "answers": self.study.answer_config().identity(),
            "judge": self.study.file.judge,
        }

    def run(self, progress: Progress) -> None:
        result = run_benchmark(
            self._cases(),
            self.target,
            out=self.folder,
            lora=self.alignment.folder / "adapter" if self.alignment else None,
            defence=self._defence(),
            wanted=CaseFilter(limit=self.study.file.cases),
            config=self.study.answer_config(),
            progress=progress,
        )
        require_answers(result)
        judges = [name for name in [self.study.file.judge] if name != ALWAYS]
        require_verdicts(judge_run(result.run, judges, progress=progress))

    def _media(self) -> str:
        known, key = self.study.media, f"{self._cases()}:{self.target.adapter.modality}"
        if key not in known:
            known[key] = _digest_of(case.media for case in self.selected_cases())
        return known[key]

    def selected_cases(self) -> tuple[Case, ...]:
        """Return the cases that are answered."""
        benchmark = read_benchmark(self._cases(), self.target.adapter.modality)
        return select_cases(benchmark, CaseFilter(limit=self.study.file.cases)).cases

    def _cases(self) -> Path:
        benchmark = self.spec.benchmark(self.part)
        assert benchmark  # `plan_study` checks it
        return self.study.path(benchmark, self.seed)

    def require_shared_defence(self) -> None:
        """Raise SeaError where several processes are to answer with a defence that is for one."""
        if defence := self._defence():
            try:
                require_shared(defence, self.study.answer_config(), self.target)
            except SeaError as error:
                raise SeaError(error.what, hint="Write in the study file: answers: {workers: 1}") from error

    def _defence(self) -> Defence | None:
        """Return the defence of the arm, with its settings and the paths in them."""
        if not self.arm.defence:
            return None
        data = self.study.file.data
        given = {name: data if value == STUDY_DATA else value for name, value in self.arm.defence_settings.items()}
        known = known_defences().get(self.arm.defence)
        defence, unknown = override(known, given)
        reject_unknown(unknown, [each.name for each in fields(known)], owner=f"the defence {known.name}")
        paths = {each.name: getattr(defence, each.name) for each in fields(defence)}
        found = {
            name: str(self.study.path(str(path), self.seed)) for name, path in paths.items() if isinstance(path, Path)
        }
        return override(defence, found)[0]


def require_answers(result: RunResult) -> None:
    """Raise SeaError, with the counts, if a case has no answer: figures of the others would be of another benchmark."""
    if not result.unanswered and not result.left:
        return
    number = Counter(str(each["status"]) for each in result.unanswered) + Counter({"not asked": result.left})
    counts = ", ".join(f"{count} {name}" for name, count in number.items())
    such_as = "".join(f", such as {each['key']}: {each['detail']}" for each in result.unanswered[:1])
    raise SeaError(
        f"{number.total()} of {number.total() + len(result.answered)} cases have no answer ({counts}){such_as}",
        hint="Remove the cause, and re-run the study: sea bench check shows what is wrong with a benchmark",
        where=str(result.run.folder),
    )


def require_verdicts(summaries: Sequence[JudgeSummary]) -> None:
    """Raise SeaError, with the counts, if a judge is to be asked again."""
    for summary in summaries:
        if failed := sum(summary.verdicts.get(label, 0) for label in RETRIED):
            raise SeaError(
                f"the judge {summary.judge} has no verdict on {failed} of {sum(summary.verdicts.values())} answers: "
                f"{summary.error}",
                hint="Re-run the study: the judge is asked again.",
            )


def _digest_of(media: Iterable[Path | None]) -> str:
    """Return a digest of media in their order; one that is missing counts, and a folder counts with all its files."""
    digests = []
    for path in media:
        files = [] if path is None else sorted(path.rglob("*")) if path.is_dir() else [path]
        digests.append([file_digest(file) if file.is_file() else None for file in files])
    return sha256(json.dumps(digests).encode())


SAME_SETTING = ("name", "role", "summary")
"""What two arms with the same setting may differ in."""


def setting_digest(answer: AnswerTask) -> str:
    """Return what identifies the setting that an answer was made with, whatever its model, seed and benchmark."""
    file, alignment = answer.study.file, answer.alignment
    data = dict.fromkeys(map(answer.study.data, file.seeds))  # one for all seeds, or one a seed
    state: Mapping[str, Any] = {
        "arm": {name: value for name, value in asdict(answer.arm).items() if name not in SAME_SETTING},
        "method": alignment.method if alignment else "",
        "data": [file_digest(path) for path in data],
        "embedding_seeds": file.embedding_seeds,
        "answers": dict(file.answers),
        "cases": file.cases,
        "judge": file.judge,
        "optimize": dict(file.optimize),
        "align": file.align_settings(alignment.method if alignment else None),
    }
    return sha256(json.dumps(state, sort_keys=True, default=str).encode())[:16]
