"""What the workers of a run need besides its manifest, and the rows of its blocks."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass

from pydantic import JsonValue

from sea_core.data.examples import PreparedExample
from sea_core.errors import RunError
from sea_core.runs.block import BlockRow
from sea_core.schema import parse_json

HINT = "Somebody has changed the run: make it again, or check it: sea check RUN"


@dataclass(frozen=True)
class WorkOrder:
    """What the workers of a run are to do, as the command that started it has stored it.

    Attributes:
        identity: the digest of the run's identity, to which all blocks belong.
        config: the settings of the optimisation, with those that change no embedding.
        recipes: the names of the recipes.
        benign_media: the folder of the benign media.
        first: with `start=solved`, the ids of the embeddings that start at the blank.
        trials: with `lr=auto`, the examples that rates are tried on, as rows of a block.
        total: how many embeddings the command requested.
        workers: how many workers it expects; 0 if nobody knows.
        verify: whether the embeddings are to be verified at the end.
        audited: the largest digest of an id whose embedding its worker audits at once (see `sample_limit`), so that
            the process that finishes the run need not load the model; empty to audit all at the end.
    """

    identity: str
    config: Mapping[str, JsonValue]
    recipes: tuple[str, ...]
    benign_media: str | None
    first: tuple[str, ...]
    trials: tuple[BlockRow, ...]
    total: int
    workers: int
    verify: bool
    audited: str = ""


def make_rows(examples: Iterable[PreparedExample]) -> list[BlockRow]:
    """Return prepared examples as the rows of a block."""
    return [{"id": example.id, "value": asdict(example)} for example in examples]


def read_rows(rows: Iterable[BlockRow], where: str) -> list[PreparedExample]:
    """Return the rows of a block as prepared examples.

    Raises:
        RunError: they have another form. `where` is the block.
    """
    return [_read_row(row, where) for row in rows]


def _read_row(row: BlockRow, where: str) -> PreparedExample:
    what = f"the prepared example {row['id']!r}"
    example = parse_json(json.dumps(row["value"]), PreparedExample, what=what, hint=HINT, where=where, error=RunError)
    if example.id != row["id"]:
        raise RunError(f"this is not {what}, but {example.id!r}", hint=HINT, where=where)
    return example
