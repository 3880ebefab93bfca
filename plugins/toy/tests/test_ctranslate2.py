"""The reader of CTranslate2 files, on files of the same format."""

from __future__ import annotations

import pytest
import torch

from helpers.ctranslate2 import write_file
from sea_core import DataError
from sea_toy.ctranslate2 import parse_weights

WEIGHTS = {
    "encoder/weight": torch.arange(6).reshape(2, 3).half(),
    "decoder/weight": torch.ones(1, 2, 2),
    "decoder/pre_norm": torch.tensor(1, dtype=torch.int8),
}
FILE = write_file(WEIGHTS, {"decoder/projection/weight": "decoder/weight"})


def test_every_variable_and_alias_is_read() -> None:
    found = parse_weights(FILE)
    assert set(found) == {*WEIGHTS, "decoder/projection/weight"}
    for name, weight in WEIGHTS.items():
        assert found[name].dtype == weight.dtype
        assert torch.equal(found[name], weight)
    assert torch.equal(found["decoder/projection/weight"], WEIGHTS["decoder/weight"])


@pytest.mark.parametrize("size", [0, 3, 10, 60, len(FILE) - 1])
def test_truncated_file_is_an_error(size: int) -> None:
    with pytest.raises(DataError, match="damaged") as error:
        parse_weights(FILE[:size], "model.bin")
    assert error.value.where == "model.bin"


def test_other_version_is_an_error() -> None:
    with pytest.raises(DataError, match="version 6, but 5"):
        parse_weights(write_file(WEIGHTS, {}, version=5))
