"""Generators of several modalities as one: each makes the part of its own modality."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sea_core.plugin.generator import Generator


@dataclass(frozen=True)
class JointGenerator(Generator):
    """The generators of the parts of a medium, such as `drawn+espeak` of the modality `image+audio`."""

    parts: tuple[Generator, ...]

    def generate(self, text: str, seed: int) -> Mapping[str, Any]:
        return {part.modality: part.generate(text, seed) for part in self.parts}


def join_generators(parts: Sequence[Generator]) -> JointGenerator:
    """Return the generators of several modalities as one."""
    attributes = {
        "name": "+".join(part.name for part in parts),
        "modality": "+".join(part.modality for part in parts),
        "noun": " and ".join(part.noun for part in parts),
        "suffix": "",  # a medium is a folder
        "libraries": tuple(dict.fromkeys(library for part in parts for library in part.libraries)),
    }
    joint: type[JointGenerator] = type("JointGeneratorOfParts", (JointGenerator,), attributes)
    return joint(tuple(parts))


def generator_parts(generator: Generator) -> tuple[Generator, ...]:
    """Return the generators of a joint one; any other is its only part."""
    return generator.parts if isinstance(generator, JointGenerator) else (generator,)
