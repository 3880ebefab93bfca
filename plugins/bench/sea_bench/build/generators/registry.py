"""The built-in generators, and the choice of a generator by modality and name."""

from __future__ import annotations

from collections.abc import Sequence

from sea_bench.build.demo import GENERATORS as DEMO_GENERATORS
from sea_bench.build.generators.diffusion import DiffusionImages, DiffusionVideos
from sea_bench.build.generators.drawn import DrawnImages, DrawnVideos
from sea_bench.build.generators.voices import EdgeVoice, EspeakVoice, PiperVoice
from sea_core.errors import SeaError
from sea_core.model.libraries import install_command
from sea_core.plugin.generator import Generator
from sea_core.registry import Registry

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


def get_generator(
    modality: str, name: str | None, named: Sequence[Generator] = (), installed: Sequence[Generator] = ()
) -> Generator:
    """Return a generator of a modality.

    Args:
        name: its name; None for the default: the first of the named plugin's, the built-in and the installed ones.
        named: the generators of the plugin that the user named; they come before built-in ones of the same name.
        installed: the generators of all installed plugins.

    Raises:
        SeaError: there is none for the modality, or none of this name.
    """
    candidates: dict[str, Generator] = {}
    for generator in (*named, *BUILT_IN, *installed):
        if generator.modality == modality:
            candidates.setdefault(generator.name, generator)
    if not candidates:
        raise SeaError(
            f"no generator makes media of the modality {modality!r}",
            hint="Built in: image, video, audio. For another, name its plugin: --plugin NAME",
        )
    if name is None:
        return next(iter(candidates.values()))
    if name == "demo" and name not in candidates and modality in DEMO_GENERATORS:
        raise SeaError(
            f"the {modality} generator demo comes with sea-toy, which is not installed",
            hint=f"Type: {install_command('sea-toy')}, or use simple drawings: --generator drawn",
        )
    return Registry(f"{modality} generator", candidates.values()).get(name)
