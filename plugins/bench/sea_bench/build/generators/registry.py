"""The built-in generators, by modality and name. A plugin's (hook `sea_generators`) are chosen in the same way."""

from __future__ import annotations

from collections.abc import Sequence
from difflib import get_close_matches

from sea_bench.build.generators.diffusion import DiffusionImages, DiffusionVideos
from sea_bench.build.generators.drawn import DrawnImages, DrawnVideos
from sea_bench.build.generators.voices import EdgeVoice, EspeakVoice, PiperVoice
from sea_core.errors import SeaError
from sea_core.plugin.generator import Generator

BUILT_IN: tuple[Generator, ...] = (
    DrawnImages(),
    DiffusionImages(),
    DrawnVideos(),
    DiffusionVideos(),
    EspeakVoice(),
    EdgeVoice(),
    PiperVoice(),
)
"""The first of each modality is its default: it needs neither a network nor a GPU."""


def get_generator(modality: str, name: str | None, plugins: Sequence[Generator] = ()) -> Generator:
    """Return a generator of this modality, a plugin's before a built-in one; without a name, the first.

    Raises:
        SeaError: there is none for the modality, or none of this name.
    """
    fitting = {one.name: one for one in reversed((*plugins, *BUILT_IN)) if one.modality == modality}
    if not fitting:
        raise SeaError(
            f"nothing here makes media of the modality {modality!r}",
            hint="Built in: image, video, audio. Another comes with its plugin: --plugin NAME",
        )
    if name is None:
        return next(one for one in (*plugins, *BUILT_IN) if one.modality == modality)
    if name not in fitting:
        near = get_close_matches(name, fitting, n=1)
        raise SeaError(
            f"no {modality} generator is called {name!r}",
            hint=f"Did you mean --generator {near[0]}?" if near else f"There are: {', '.join(sorted(fitting))}",
        )
    return fitting[name]
