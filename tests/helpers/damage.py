"""Damage to files: bytes that are changed, and valid JSON with other values. A seed decides everything."""

from __future__ import annotations

import json
from collections.abc import Callable
from random import Random
from typing import Any

DEEP = "[" * 50_000
BYTES = (b"", b"\x00", b"\xff" * 9, b"\xef\xbb\xbf", b"\n", b"{}", b"[]", b"null", b"NaN", b"1" * 5000, DEEP.encode())
VALUES: tuple[Any, ...] = (
    None, True, False, 0, 1, -1, 10**18, 10**400, 0.5, -1e308, float("nan"), float("inf"), "", " ", "x", "x" * 300,
    "../../x", "/etc/passwd", "a\0b", "\ud800", "你", "<image>", "\x1b[31m", "1", "true", [], [[]], [None], {},
    {"": {}}, {"a": [1, {"b": None}]}, [0] * 50,
)  # fmt: skip


def damage_bytes(data: bytes, random: Random) -> bytes:
    """Return a file with one to three changes of its bytes."""
    for _ in range(random.choice((1, 1, 1, 2, 3))):
        data = random.choice(BYTE_CHANGES)(data, random)
    return data


def _flip(data: bytes, random: Random) -> bytes:
    changed = bytearray(data)
    for _ in range(min(len(changed), random.choice((1, 1, 2, 16)))):
        changed[random.randrange(len(changed))] ^= 1 << random.randrange(8)
    return bytes(changed)


def _slice(data: bytes, random: Random) -> slice:
    start = random.randrange(len(data) + 1)
    return slice(start, min(len(data), start + random.choice((1, 2, 10, 100, 1000))))


def _delete(data: bytes, random: Random) -> bytes:
    part = _slice(data, random)
    return data[: part.start] + data[part.stop :]


def _repeat(data: bytes, random: Random) -> bytes:
    part = _slice(data, random)
    return data[: part.stop] + data[part] * random.choice((1, 1, 3)) + data[part.stop :]


def _move(data: bytes, random: Random) -> bytes:
    part = _slice(data, random)
    rest = data[: part.start] + data[part.stop :]
    place = random.randrange(len(rest) + 1)
    return rest[:place] + data[part] + rest[place:]


def _insert(data: bytes, random: Random) -> bytes:
    place = random.randrange(len(data) + 1)
    return data[:place] + random.choice(BYTES) + data[place:]


def _truncate(data: bytes, random: Random) -> bytes:
    return data[: random.randrange(len(data) + 1)]


def _replace(data: bytes, random: Random) -> bytes:
    return random.choice((*BYTES, random.randbytes(64), data.decode("latin-1").encode("utf-16")))


BYTE_CHANGES: tuple[Callable[[bytes, Random], bytes], ...] = (
    _flip, _flip, _flip, _delete, _repeat, _move, _insert, _truncate, _replace,
)  # fmt: skip


def damage_json(value: Any, random: Random) -> Any:
    """Return a JSON value in which one place has another value, is missing, or has been added."""
    if not isinstance(value, dict | list) or not value or random.random() < 0.1:
        return random.choice(VALUES)
    copy = dict(value) if isinstance(value, dict) else list(value)
    key: Any = random.choice(list(value)) if isinstance(value, dict) else random.randrange(len(value))
    change = random.random()
    if change < 0.6 and isinstance(value[key], dict | list):
        copy[key] = damage_json(value[key], random)
    elif change < 0.8:
        copy[key] = random.choice(VALUES)
    elif change < 0.9:
        del copy[key]
    elif isinstance(copy, dict):
        copy[random.choice(("", "x", "../x", f"{key}2"))] = value[key]
    else:
        copy.insert(key, value[key])
    return copy


def damage_lines(data: bytes, random: Random) -> bytes:
    """Return JSON Lines of which one is damaged as JSON, missing, doubled or moved."""
    lines = data.splitlines(keepends=True)
    if not lines:
        return data
    number, change = random.randrange(len(lines)), random.random()
    if change < 0.1:
        del lines[number]
    elif change < 0.2:
        lines.insert(number, lines[number])
    elif change < 0.3:
        lines.insert(random.randrange(len(lines)), lines.pop(number))
    else:
        lines[number] = json.dumps(damage_json(json.loads(lines[number]), random)).encode() + b"\n"
    return b"".join(lines)


def damage_file(data: bytes, suffix: str, random: Random) -> bytes:
    """Return a file with damage that fits its type, or to its bytes."""
    if random.random() < 0.5:
        if suffix == ".json":
            return json.dumps(damage_json(json.loads(data), random), indent=random.choice((None, 2))).encode()
        if suffix == ".jsonl":
            return damage_lines(data, random)
    return damage_bytes(data, random)
