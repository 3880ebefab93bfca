"""Graphics cards by name, for plans on a machine that has none: memory and peak rates from `cards.toml`."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from sea_core.errors import SeaError
from sea_core.registry import Registry

FILE = Path(__file__).resolve().parent / "cards.toml"
UNITS = {"": 1e9, "g": 1e9, "gb": 1e9, "gib": 2**30, "m": 1e6, "mb": 1e6, "mib": 2**20, "t": 1e12, "tb": 1e12}


@dataclass(frozen=True)
class Card:
    """A graphics card, as its vendor describes it.

    Attributes:
        name: what `--gpu` takes.
        memory: in GB, as it is sold; the driver keeps a part of what a card has above that.
        bf16: peak of matrix products in TFLOP/s, dense, accumulating in fp32.
        bandwidth: of the memory, in GB/s.
        source: where the vendor states these.
        also: other names, as torch and clouds call the same card; the title is one too.
    """

    name: str
    title: str
    memory: float
    bf16: float
    bandwidth: float
    source: str
    also: Sequence[str] = ()

    def names(self) -> frozenset[str]:
        """Return all names that it is found by, without marks and vendors."""
        return frozenset(map(_plain, (self.name, self.title, *self.also)))

    @property
    def memory_bytes(self) -> int:
        return int(self.memory * 1e9)


@cache
def cards() -> Registry[Card]:
    """Return all cards of `cards.toml`."""
    entries = tomllib.loads(FILE.read_text(encoding="utf-8"))
    return Registry("card", (Card(name, **entry) for name, entry in entries.items()))


def get_card(name: str) -> Card:
    """Return the card of a name such as `h100`, `RTX 4090`, `A100-40GB`, or as torch calls it.

    Raises:
        SeaError: the card is not known.
    """
    if re.fullmatch(r"\d+ *[gGtT]i?[bB]", name):
        raise SeaError(f"--gpu {name} is an amount of memory, and not a card", hint=f"Type: --memory {name}")
    found = next((card for card in cards() if _plain(name) in card.names()), None)
    return found or cards().get(_plain(name))


def _plain(name: str) -> str:
    """Return a card's name in lower-case letters and digits, without its vendor and series."""
    return re.sub(r"nvidia|amd|geforce|instinct|rtx|[^a-z0-9]", "", name.lower())


def parse_memory(text: str) -> int:
    """Return the bytes of `24GB`, `24` (GB) or `23.5GiB`.

    Raises:
        SeaError: the text has another form.
    """
    match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([a-z]*)", text.strip().lower())
    if match is None or match[2] not in UNITS or not float(match[1]):
        raise SeaError(f"--memory {text} is not an amount of memory", hint="Type: --memory 24GB")
    return int(float(match[1]) * UNITS[match[2]])
