"""Read the weights of a CTranslate2 model file (`model.bin`, version 6), without CTranslate2."""

from __future__ import annotations

import struct
from pathlib import Path

import torch
from torch import Tensor

from sea_core.errors import DataError

VERSION = 6
DTYPES = (torch.float32, torch.int8, torch.int16, torch.int32, torch.float16, torch.bfloat16)
"""In the order of CTranslate2's own numbers."""


def parse_weights(data: bytes, where: Path | str = "model.bin") -> dict[str, Tensor]:
    """Return every variable of a model file, by its name ("encoder/conv1/weight"); aliases are resolved.

    Args:
        where: what the bytes were read from, for errors.

    Raises:
        DataError: the bytes are no such file, of another version, or incomplete.
    """
    reader = _Reader(data)
    try:
        if (version := reader.number("I")) != VERSION:
            raise DataError(f"this is no CTranslate2 file of version {VERSION}, but {version}", where=str(where))
        reader.text()  # the class of the model
        reader.number("I")  # its revision
        weights = dict(reader.variable() for _ in range(reader.number("I")))
        weights |= {reader.text(): weights[reader.text()] for _ in range(reader.number("I"))}
    except (struct.error, UnicodeDecodeError, IndexError, KeyError, ValueError) as error:
        raise DataError(f"the CTranslate2 file is damaged: {error}", where=str(where)) from error
    return weights


class _Reader:
    """Little-endian numbers, strings and tensors, one after the other."""

    def __init__(self, data: bytes) -> None:
        self.data, self.position = data, 0

    def number(self, code: str) -> int:
        (value,) = struct.unpack_from(f"<{code}", self.data, self.position)
        self.position += struct.calcsize(f"<{code}")
        return int(value)

    def text(self) -> str:
        return self.take(self.number("H")).removesuffix(b"\0").decode()

    def take(self, size: int) -> bytes:
        if self.position + size > len(self.data):
            raise ValueError("it ends too early")
        self.position += size
        return self.data[self.position - size : self.position]

    def variable(self) -> tuple[str, Tensor]:
        name = self.text()
        shape = [self.number("I") for _ in range(self.number("B"))]
        dtype = DTYPES[self.number("B")]
        content = bytearray(self.take(self.number("I")))
        return name, torch.frombuffer(content, dtype=dtype).reshape(shape)
