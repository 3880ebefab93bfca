"""The folder of a built benchmark: the manifest of each set, and the lock of its builder.

docs/reference/run-folder.md describes every file and key.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from pydantic import JsonValue

from sea_bench import layout
from sea_bench.build.question_text import CaseTexts
from sea_core.runs.containment import require_contained
from sea_core.runs.folder import LOCK
from sea_core.runs.lock import locked
from sea_core.runs.manifest import normalise, read_manifest, require_same_identity, write_manifest

PURPOSE = "safety benchmark of multimodal models (VA-SafetyBench's layout)"


@dataclass(frozen=True)
class SetIdentity:
    """All that must be the same for the build of a set to be resumed.

    Attributes:
        texts: the digest of the source's texts.
        set: the settings of the set. generator: the name and the settings of the generator.
    """

    texts: str
    set: Mapping[str, JsonValue]
    generator: Mapping[str, JsonValue]


@dataclass(frozen=True)
class SetManifest:
    """What describes a built set.

    Attributes:
        source: the name of the texts' source. tasks: those that have media.
        placeholder_for: what the generator stands in for; None for a real one.
        scenes: who describes the scenes: `by rule` or `a language model`.
        versions: of the libraries that took part.
        complete: whether every medium is made.
        cases: the texts of each case, by `SCENARIO/ID`, with `benign/` before it for a benign twin.
        media: the SHA-256 of each file of a medium, by its path; written when the set is complete.
    """

    identity: SetIdentity
    source: str
    tasks: tuple[str, ...]
    placeholder_for: str | None
    scenes: str
    versions: Mapping[str, str]
    cases: Mapping[str, CaseTexts]
    complete: bool = False
    media: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class BenchmarkManifest:
    """The manifest of a built benchmark, `manifest.json`: its purpose, and its sets by modality."""

    purpose: str = PURPOSE
    sets: Mapping[str, SetManifest] = field(default_factory=dict)


@dataclass(frozen=True)
class BuildFolder:
    """A folder that `sea bench build` writes; it may contain the sets of several modalities."""

    folder: Path

    @property
    def path(self) -> Path:
        """The path of the manifest."""
        return self.folder / layout.MANIFEST

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Lock the folder for this process. Raises RunError when another process has locked it."""
        require_contained(self.folder)
        with locked(self.folder / LOCK, self.folder, parents=True):
            yield

    def read(self) -> BenchmarkManifest:
        """Return the manifest; an empty one if there is none. Raises RunError for a file that is not one."""
        if not self.path.is_file():
            return BenchmarkManifest()
        hint = "Pass a new folder with --out."
        return read_manifest(self.path, BenchmarkManifest, noun="built benchmark", hint=hint)

    def read_set(self, modality: str, identity: SetIdentity) -> SetManifest | None:
        """Return the manifest of a set, to resume its build; None if there is no such set yet.

        Raises:
            RunError: the set was built from other texts or with other settings.
        """
        stored = self.read().sets.get(modality)
        if stored:
            require_same_identity(self.folder, stored.identity, normalise(identity), noun=f"{modality} set")
        return stored

    def write_set(self, modality: str, manifest: SetManifest) -> None:
        """Store the manifest of a set; those of other sets stay."""
        stored = self.read()
        write_manifest(self.path, replace(stored, sets={**stored.sets, modality: manifest}))
