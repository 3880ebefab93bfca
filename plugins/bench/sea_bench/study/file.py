"""The study file: read, and every key checked. What is not known is an error, with its line."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from sea_bench.study.arms import StudyArm, known_arms
from sea_bench.study.study import SEED, Claims, Study, StudyFile, StudyModel
from sea_core.alignment.config import AlignRequest
from sea_core.config import flatten, read_yaml
from sea_core.errors import SeaError, at, suggest
from sea_core.judges.registry import SAFETY
from sea_core.pipeline.synthesis import known_recipes
from sea_core.plugin import loader
from sea_core.registry import Registry
from sea_core.runs.containment import is_file_name
from sea_core.schema import adapter, describe_problem

T = TypeVar("T")
QUICK, ARM = "quick", "StudyArm"
SEED_SETTINGS = ("seed", "trainer.seed", "trainer.data_seed")


def read_study(path: Path, *, quick: bool = False) -> Study:
    """Read a study file.

    Args:
        quick: with what its section `quick` changes, in a folder of its own.

    Raises:
        SeaError: the file cannot be read, or has a key or a value that is not known; with its line.
    """
    tree = read_yaml(path)
    study = StudyReader(path).read(tree)
    if quick:
        changes = _quick_changes(study.file, tree, path)
        study = StudyReader(path, frozenset(changes)).read({**tree, **changes})
    _check_settings(study, path)
    return study


def _quick_changes(file: StudyFile, tree: Mapping[str, Any], path: Path) -> dict[str, Any]:
    """Return what `--quick` changes in the tree of a study file, which has been checked."""
    if not file.quick:
        hint = "Write for example: quick: {models: [NAME], arms: [unaligned, sea], seeds: [0]}"
        raise SeaError("the study file has no section `quick`", hint=hint, where=str(path))
    chosen = dict(file.quick)
    if "models" in chosen:
        names = chosen["models"]
        if not isinstance(names, list) or not all(name in list(file.models) for name in names):
            hint = f"Write a list of some of: {', '.join(file.models)}"
            raise SeaError("`quick` names a model that the study does not have", hint=hint, where=str(path))
        chosen["models"] = {name: tree["models"][name] for name in names}
    described = {arm.get("name", arm.get("base")): arm for arm in tree["arms"] if isinstance(arm, dict)}
    if isinstance(chosen.get("arms"), list):
        chosen["arms"] = [described.get(arm, arm) if isinstance(arm, str) else arm for arm in chosen["arms"]]
    return {"folder": f"{file.folder}-{QUICK}", **chosen}


@dataclass(frozen=True)
class StudyReader:
    """Checks the tree of a study file, and says on which line a problem is.

    Attributes:
        path: the file. changed: the keys that its section `quick` has changed.
    """

    path: Path
    changed: frozenset[str] = frozenset()

    def read(self, tree: Mapping[str, Any]) -> Study:
        from pydantic import ValidationError

        tree = {**tree, "arms": self._described(tree.get("arms"))}
        try:
            file: StudyFile = adapter(StudyFile).validate_json(json.dumps(tree))
        except ValidationError as error:
            place = [each for each in _first(error)["loc"] if each not in (ARM, "str")]
            raise SeaError(
                f"this is not a study file: {_describe(error)}", hint=_hint(error), where=self._where(place)
            ) from error
        for name in file.models:
            if not is_file_name(name):
                hint = "Letters, digits and hyphens are safe."
                raise SeaError(f"the model {name!r} cannot be the name of a folder", hint=hint, where=str(self.path))
        self._require_unique(file.methods, "methods")
        self._require_unique(file.seeds, "seeds")
        self._require_no_seed(file.optimize, "optimize")
        for key, settings in (("align", file.align), ("sft", file.sft), ("dpo", file.dpo)):
            self._require_no_seed(settings, key)
        self._locate(lambda: loader.judges(SAFETY).get(file.judge), "judge")
        self._require_splits(file)
        arms = tuple(self._arms(file))
        names = Registry("arm", {arm.name: arm for arm in (*known_arms(), *arms)}.values())
        for key, name in (("sea", file.claims.sea), ("real", file.claims.real)):
            self._locate(partial(names.get, name), "claims", key)
        return Study(file, self.path.parent, self.path.name, arms)

    def _locate(self, call: Callable[[], T], *place: int | str) -> T:
        """Return what a call returns. A SeaError without a place gets the line of a key."""
        try:
            return call()
        except SeaError as error:
            raise SeaError(error.what, hint=error.hint, where=error.where or self._where(place)) from error

    def _require_no_seed(self, settings: Mapping[str, Any], *place: int | str) -> None:
        for name in flatten(settings):
            if name in SEED_SETTINGS:
                hint = f"Leave {name} out, and write for example: seeds: [0, 1, 2]"
                raise SeaError("a study has `seeds`, not a seed", hint=hint, where=self._where((*place, name)))

    def _require_splits(self, file: StudyFile) -> None:
        """Require `{seed}` in all paths of data or in none: a benchmark holds out what its own data lack."""
        paths: dict[tuple[str, ...], str] = {("data",): file.data}
        for name, model in file.models.items():
            paths |= {("models", name, *keys): path for keys, path in model.data_paths().items()}
        split = [keys for keys, path in paths.items() if SEED in path]
        whole = [keys for keys in paths if keys not in split]
        if split and whole:
            raise SeaError(
                f"{'.'.join(split[0])} has {SEED}, and {'.'.join(whole[0])} has not",
                hint=f"Write {SEED} in the paths of data, benchmarks and media, of all models, or in none of them.",
                where=self._where(whole[0]),
            )
        if split and file.embedding_seeds:
            hint = f"Leave embedding_seeds out: with {SEED} each seed has embeddings of its own data."
            what = f"embedding_seeds cannot be used with {SEED} in paths"
            raise SeaError(what, hint=hint, where=self._where(("embedding_seeds",)))

    def _described(self, arms: Any) -> Any:
        """Return the entries of `arms`; those that have a `base` with the keys of that known arm, too."""
        if not isinstance(arms, list):
            return arms
        described = []
        for number, entry in enumerate(arms):
            if isinstance(entry, dict) and isinstance(base := entry.get("base"), str):
                own = {key: value for key, value in entry.items() if key != "base"}
                known = self._known(base, number)
                role = "defence" if known.role == "unaligned" and own.get("defence") else known.role
                entry = {**asdict(known), "summary": "", "role": role, **own}
            described.append(entry)
        return described

    def _known(self, name: str, number: int) -> StudyArm:
        """Return a known arm. Raises SeaError, with the line of the entry, if there is none."""
        return self._locate(lambda: known_arms().get(name), "arms", number)

    def _arms(self, file: StudyFile) -> list[StudyArm]:
        arms: list[StudyArm] = []
        for number, entry in enumerate(file.arms):
            arm = self._known(entry, number) if isinstance(entry, str) else entry
            for medium in arm.media:
                for name, model in file.models.items():
                    if medium not in model.media:
                        raise SeaError(
                            f"the arm {arm.name} needs the media {medium!r}, which the model {name} does not name",
                            hint=f"Write below the model: media: {{{medium}: FILE.jsonl}}",
                            where=self._where(("models", name)),
                        )
            if arm.role == "unaligned" and (arm.defence or arm.is_aligned):
                what = f"the arm {arm.name} is no unaligned model as it is, which all others are compared with"
                hint = "Write for a defence: role: defence. For a model that is trained: role: text, sea or real."
                raise SeaError(what, hint=hint, where=self._where(("arms", number)))
            self._require_unique(arm.methods, "arms", number, "methods")
            self._require_no_seed(arm.optimize, "arms", number, "optimize")
            self._require_no_seed(arm.align, "arms", number, "align")
            if arm.recipe:
                self._locate(partial(known_recipes, arm.recipe), "arms", number, "recipe")
            if arm.methods and not set(arm.methods) & set(file.methods):
                hint = f"Methods of the study: {', '.join(file.methods)}"
                what = f"the arm {arm.name} is for {', '.join(arm.methods)} only, which is no method of the study"
                raise SeaError(what, hint=hint, where=self._where(("arms", number)))
            if not is_file_name(arm.name) or arm.name in [each.name for each in arms]:
                hint = "Give each arm a name of its own, of letters, digits and hyphens."
                raise SeaError(f"there cannot be an arm {arm.name!r}", hint=hint, where=self._where(("arms", number)))
            arms.append(arm)
        return arms

    def _require_unique(self, values: Sequence[object], *place: int | str) -> None:
        """Raise SeaError, with the line, where a value occurs twice: its results would count twice."""
        for value, count in Counter(values).items():
            if count > 1:
                raise SeaError(f"{value} occurs twice", hint="Remove one of them.", where=self._where(place))

    def _where(self, place: Sequence[int | str]) -> str:
        """Return the file with the line of a key; of the nearest one above that the file has."""
        import yaml

        if place and place[0] in self.changed:
            place = (QUICK, place[0])
        node, line = yaml.compose(self.path.read_text("utf-8-sig"), Loader=yaml.SafeLoader), 0
        for key in place:
            if isinstance(node, yaml.MappingNode):
                pairs = [pair for pair in node.value if pair[0].value == key]
                if not pairs:
                    break
                line, node = pairs[0][0].start_mark.line + 1, pairs[0][1]
            elif isinstance(node, yaml.SequenceNode) and isinstance(key, int) and key < len(node.value):
                node = node.value[key]
                line = node.start_mark.line + 1
            else:
                break
        return at(self.path, line) if line else str(self.path)


def _first(error: Any) -> Any:
    """Return the first problem: of an entry that is a name or a description, that with the description."""
    found = error.errors(include_url=False)
    return next((each for each in found if each["loc"][:1] == ("arms",) and ARM in each["loc"]), found[0])


def _describe(error: Any) -> str:
    first = _first(error)
    if first["type"] == "unexpected_keyword_argument" or first["type"] == "extra_forbidden":
        return f"there is no key {first['loc'][-1]!r}"
    return describe_problem(first)


def _hint(error: Any) -> str:
    first = _first(error)
    owners: Mapping[str, Any] = {"models": StudyModel, "arms": StudyArm, "claims": Claims}
    owner = owners.get(str(first["loc"][0]), StudyFile) if len(first["loc"]) > 1 else StudyFile
    return suggest(str(first["loc"][-1]), [each.name for each in fields(owner)], "Keys")


def _check_settings(study: Study, path: Path) -> None:
    """Make every config once, so that a wrong setting is reported before any work."""
    try:
        _require_workers("answers", study.answer_config().workers)
        for arm in study.arms:
            _require_workers("optimize", study.optimize_config(arm, 0).workers)
            for method in study.methods_of(arm):
                _require_known(study.align_request(arm, method, 0))
    except SeaError as error:
        raise SeaError(error.what, hint=error.hint, where=error.where or str(path)) from error


def _require_known(request: AlignRequest) -> None:
    """Look up the settings of TRL and PEFT; these are imported only if there are such settings."""
    if request.trainer or request.lora:
        from sea_core.alignment.trainer_config import check_names

        check_names(request)


def _require_workers(section: str, workers: int | str) -> None:
    if workers == 0:
        what = f"with workers: 0 in `{section}` a study would go on without its results"
        raise SeaError(what, hint=f"Write for example: {section}: {{workers: auto}}")
