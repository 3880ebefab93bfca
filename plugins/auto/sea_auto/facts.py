"""What was derived from a checkpoint, and the folder that keeps it: a model is derived once."""

from __future__ import annotations

import hashlib
from contextlib import suppress
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any, Literal

from sea_core.model.crossing import ReplaySeam
from sea_core.runs.digests import cache_folder

MechanismName = Literal["splice", "replay"]
NO_SEAM = ReplaySeam((), ())
DERIVATION = "3"
"""Changes with the way of derivation, so that facts of an earlier one are not used."""


@dataclass(frozen=True)
class Facts:
    """What an adapter for a checkpoint has to know.

    Attributes:
        architecture: the model's class. modality: the modality.
        backbone, language_model: modules, by name; an empty name is the model itself.
        seam: where E crosses.
        mechanism: how P(E) reaches the language model.
        placeholder: the token that stands for the medium's vectors; other_placeholders: those of further modalities.
        end_token: the token that ends an answer.
        media_keyword: the processor's argument for media. is_nested: whether it takes a list for each text.
        pads_text_only: whether it is asked to pad texts alone.
        part: the processor's part that reads a medium, where the processor itself takes none beside a text; else empty.
        features, tokens: the vectors of the blank's E, and the placeholders that they need.
        width: the numbers in a vector of E.
        one_shape: whether a medium of another size has an E of the same shape.
        scale, softcap: what the model does to the head's logits; 1 and 0 for nothing.
    """

    architecture: str
    modality: str
    backbone: str = ""
    language_model: str = ""
    seam: ReplaySeam = NO_SEAM
    mechanism: MechanismName = "replay"
    placeholder: str = ""
    other_placeholders: tuple[str, ...] = ()
    end_token: str = ""
    media_keyword: str = ""
    is_nested: bool = False
    pads_text_only: bool = False
    part: str = ""
    features: int = 1
    tokens: int = 1
    width: int = 1
    one_shape: bool = False
    scale: float = 1.0
    softcap: float = 0.0


def load_facts(key: str) -> Facts | None:
    """Return the facts that were kept under a key; None if there are none, or they cannot be read."""
    from pydantic import TypeAdapter, ValidationError

    with suppress(OSError, ValidationError):
        return TypeAdapter(Facts).validate_json(_path(key).read_bytes())
    return None


def keep_facts(key: str, facts: Facts) -> None:
    """Keep facts. Keeping saves time only: where it is impossible, they are derived again."""
    from sea_core.runs.atomic import write_json

    with suppress(OSError):
        _path(key).parent.mkdir(parents=True, exist_ok=True)
        write_json(_path(key), asdict(facts))


def make_key(fingerprint: str, **settings: Any) -> str:
    """Return the key of a checkpoint's facts: they also depend on settings and on the libraries' versions."""
    parts = [
        DERIVATION,
        fingerprint,
        version("transformers"),
        version("sea-core"),
        *(f"{k}={v}" for k, v in settings.items()),
    ]
    return hashlib.sha256("\n".join(map(str, parts)).encode()).hexdigest()[:24]


def _path(key: str) -> Path:
    return cache_folder() / "auto" / f"{key}.json"
