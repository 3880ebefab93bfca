"""The media sets, by modality."""

from __future__ import annotations

from sea_bench.build.sets.audio import AudioSet
from sea_bench.build.sets.base import MediaSet
from sea_bench.build.sets.custom import CustomSet
from sea_bench.build.sets.image import ImageSet
from sea_bench.build.sets.video import VideoSet
from sea_core.plugin.generator import Generator

SETS: dict[str, type[MediaSet]] = {"image": ImageSet, "video": VideoSet, "audio": AudioSet}


def get_set(modality: str, generator: Generator | None = None) -> MediaSet:
    """Return the set of a modality with its default settings; of a plugin's modality, the generator's set."""
    if modality in SETS:
        return SETS[modality]()
    assert generator is not None  # only a generator brings another modality
    return CustomSet.for_generator(generator)
