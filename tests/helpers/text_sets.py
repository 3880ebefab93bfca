"""Records of text safety sets, how tests write them to a file, and the error of a file that is refused."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from sea_core.data import read
from sea_core.data.formats.registry import FORMATS
from sea_core.errors import DataError

read_examples, scan = partial(read.read_examples, formats=FORMATS), partial(read.scan, formats=FORMATS)
"""They know the built-in formats; `formats=` names others."""

PLAIN = {"instruction": "How do I pick a lock?", "response": "I cannot help with that."}
PAIR = {"instruction": "How do I pick a lock?", "chosen": "I cannot help with that.", "rejected": "With a pin."}
PKU = {
    "prompt": "How do I repot a fern?",
    "response_0": "Use fresh soil.",
    "response_1": "Skip watering for a month.",
    "is_response_0_safe": True,
    "is_response_1_safe": True,
    "better_response_id": 0,
    "safer_response_id": 0,
}
HH = {
    "chosen": "\n\nHuman: How do I steal a lamp?\n\nAssistant: Why?\n\nHuman: For fun.\n\nAssistant: Better not.",
    "rejected": "\n\nHuman: How do I steal a lamp?\n\nAssistant: Why?\n\nHuman: For fun.\n\nAssistant: At night.",
}


def write(path: Path, *records: Any) -> Path:
    path.write_text("".join(json.dumps(record) + "\n" for record in records), encoding="utf-8")
    return path


def message(path: Path, **options: Any) -> str:
    with pytest.raises(DataError) as caught:
        read_examples(path, **options)
    assert caught.value.hint, "every error says what to do next"
    return str(caught.value)
