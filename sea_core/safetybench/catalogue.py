"""The sets there are, by modality."""

from __future__ import annotations

from sea_core.generator import Generator
from sea_core.safetybench.other import OtherSet
from sea_core.safetybench.pictures import ImageSet
from sea_core.safetybench.sets import MediaSet
from sea_core.safetybench.sounds import AudioSet
from sea_core.safetybench.videos import VideoSet

SETS: dict[str, type[MediaSet]] = {"image": ImageSet, "video": VideoSet, "audio": AudioSet}


def get_set(modality: str, generator: Generator | None = None) -> MediaSet:
    """Return the set of a modality with its default settings; of another than the three, the generator's."""
    if modality in SETS:
        return SETS[modality]()
    assert generator is not None  # there is no other way to a set of another modality
    return OtherSet.of(generator)
