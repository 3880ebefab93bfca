"""Write CTranslate2 model files for tests."""

from __future__ import annotations

import struct
from collections.abc import Mapping

from torch import Tensor

from sea_toy.ctranslate2 import DTYPES, VERSION


def write_file(weights: Mapping[str, Tensor], aliases: Mapping[str, str], version: int = VERSION) -> bytes:
    """Return the bytes of a model file with these variables; `aliases` maps other names to theirs."""
    parts = [struct.pack("<I", version), _text("WhisperSpec"), struct.pack("<II", 3, len(weights))]
    for name, weight in weights.items():
        data = weight.contiguous().numpy().tobytes()
        parts += [_text(name), struct.pack(f"<B{weight.dim()}I", weight.dim(), *weight.shape)]
        parts += [struct.pack("<BI", DTYPES.index(weight.dtype), len(data)), data]
    parts.append(struct.pack("<I", len(aliases)))
    parts += [_text(alias) + _text(name) for alias, name in aliases.items()]
    return b"".join(parts)


def _text(text: str) -> bytes:
    data = text.encode() + b"\0"
    return struct.pack("<H", len(data)) + data
