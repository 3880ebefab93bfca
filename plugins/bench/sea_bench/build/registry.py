"""The media sets, by modality."""

from __future__ import annotations

from sea_bench.build.generators.joint import JointGenerator
from sea_bench.build.sets.audio import AudioSet
from sea_bench.build.sets.base import FileSet, MediaSet
from sea_bench.build.sets.custom import CustomSet
from sea_bench.build.sets.image import ImageSet
from sea_bench.build.sets.joint import join_sets
from sea_bench.build.sets.video import VideoSet
from sea_core.plugin.generator import Generator

SETS: dict[str, type[FileSet]] = {"image": ImageSet, "video": VideoSet, "audio": AudioSet}


def get_set(modality: str, generator: Generator | None = None) -> MediaSet:
    """Return the set of a modality with its default settings; of a plugin's modality, the generator's set."""
    if isinstance(generator, JointGenerator):
        return join_sets([_get_file_set(part.modality, part) for part in generator.parts])
    return _get_file_set(modality, generator)


def _get_file_set(modality: str, generator: Generator | None) -> FileSet:
    if modality in SETS:
        return SETS[modality]()
    assert generator is not None  # only a generator brings another modality
    return CustomSet.for_generator(generator)
