"""What is stored of one embedding."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from typing_extensions import TypedDict

from sea_core.errors import RunError
from sea_core.schema import parse_json


class ResultRecord(TypedDict):
    """What is stored of one embedding, as the caller knows it. Every key is there; text may be empty."""

    id: str
    """The embedding's id: the example's own for its first plain embedding, else `EXAMPLE#RECIPE.DRAW`."""
    example_id: str
    """The id of the example that it was made for."""
    source: str
    """`text`: found by optimisation. `media`: the encoder's output for a real medium."""
    media: str
    """The path of the real medium; empty for synthetic embeddings."""
    recipe: str
    """The recipe's name; empty for real media."""
    draw: int
    """Which of several embeddings by this recipe, from 0."""
    start: str
    """The digest of the real embedding that the optimisation started at, as `sha256`; empty for any other start."""
    line: int | None
    """Where the example is in its data file."""
    instruction: str
    """The example's instruction."""
    response: str | None
    """Its response, for SFT."""
    chosen: str | None
    """Its preferred response, for DPO."""
    rejected: str | None
    """Its dispreferred response, for DPO."""
    harmful: bool
    """False only where the data file says so."""
    phrase: str
    """The phrase that the extractor found; empty for real media, as are the next four."""
    kind: str
    """`activity` or `product`."""
    sentence: str
    """The phrase as the content goal states it."""
    detoxified: str
    """The detoxified instruction."""
    style: str
    """The style of the style goal."""
    goals: str
    """JSON: a list of {"prompt", "answer"}, the content goal first."""
    status: str
    """`succeeded` or `failed`; `encoded` or `failed` for real media."""
    reason: str
    """Why it failed; empty otherwise."""
    steps: int
    """Updates that were made."""
    loss: float
    """The last mean loss, in nats per token."""
    margin: float
    """The smallest margin of a target token, in logits."""
    seconds: float
    """The time that it took."""
    grid: str
    """JSON: how the features are arranged in the medium, [frames, height, width]; `[]` for most families."""


class TensorRecord(TypedDict):
    """What the index knows of an embedding's features; 0 and empty where there is no embedding."""

    n_features: int
    """The number of vectors."""
    d_encoder: int
    """The width of each."""
    dtype: str
    """The floating-point type, such as `bfloat16`."""
    sha256: str
    """The digest of the bytes."""


class EmbeddingRecord(ResultRecord, TensorRecord):
    """A stored record: a row of an index."""

    shard: str
    """The file that contains the features; empty while they are in `pending/`, and where there are none."""


LATER: Mapping[str, object] = {"start": ""}
"""Keys that runs of earlier versions do not have, with what they stand for there."""


class GoalRecord(TypedDict):
    """A goal, as the key `goals` of a record has it."""

    prompt: str
    answer: str


def read_goals(record: ResultRecord) -> list[GoalRecord]:
    """Return the goals of a record. Raises RunError where they are not a list of goals."""
    return parse_json(record["goals"], list[GoalRecord], **_part("goals", record))


def read_grid(record: ResultRecord) -> tuple[int, ...]:
    """Return the grid of a record. Raises RunError where it is not a list of whole numbers."""
    return tuple(parse_json(record["grid"], list[int], **_part("grid", record)))


def _part(name: str, record: ResultRecord) -> dict[str, Any]:
    hint = "Somebody has changed the run: make it again, or check it: sea check RUN"
    return {"what": f"the {name} of the embedding {record['id']}", "hint": hint, "error": RunError}
