"""The sets there are, by modality."""

from __future__ import annotations

from sea_bench.build.sets.audio import AudioSet
from sea_bench.build.sets.base import MediaSet
from sea_bench.build.sets.custom import CustomSet
from sea_bench.build.sets.image import ImageSet
from sea_bench.build.sets.video import VideoSet
from sea_core.plugin.generator import Generator

SETS: dict[str, type[MediaSet]] = {"image": ImageSet, "video": VideoSet, "audio": AudioSet}


def get_set(modality: str, generator: Generator | None = None) -> MediaSet:
    """Return the set of a modality with its default settings; of another than the three, the generator's."""
    if modality in SETS:
        return SETS[modality]()
    assert generator is not None  # there is no other way to a set of another modality
    return CustomSet.for_generator(generator)
