"""Ask only what a journal has no answer for, and keep each answer the moment it comes."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, fields
from datetime import UTC, datetime
from typing import Any, get_args

from sea_core.llm.config import LLMConfig
from sea_core.llm.types import Completion, Prompt, Status, TextModel
from sea_core.runs.jsonl import JsonlLog
from sea_core.runs.lock import locked

FIELDS = tuple(field.name for field in fields(Completion))


def cached(model: TextModel, log: JsonlLog, prompts: Sequence[Prompt]) -> Iterator[Completion]:
    """Yield one reply for each question: first those that the journal holds, then the others as they come.

    A stored reply counts only for the same question to the same model: key, messages, schema, length and the chat's
    name. Errors are stored too, and asked again. Keys must not repeat.

    Raises:
        RunError: another process is asking into this journal.
        SeaError: see `Chat.ask`. What was answered by then is in the journal.
    """
    about = json.loads(json.dumps(dict(model.identity)))
    digests = {question.key: _digest(question, about) for question in prompts}
    with locked(log.path.with_name(f".{log.path.name}.lock"), log.path):
        stored = {(row["key"], row["asked"]): row for row in log.read() if _final(row)}
        left = []
        for question in prompts:
            row = stored.get((question.key, digests[question.key]))
            if row is None:
                left.append(question)
            else:
                yield Completion(**{name: row[name] for name in FIELDS})
        for reply in model.complete(left) if left else ():
            at = datetime.now(UTC).isoformat(timespec="seconds")
            log.append([asdict(reply) | {"asked": digests[reply.key], "chat": about, "at": at}])
            yield reply


def _final(row: dict[str, Any]) -> bool:
    """Tell whether a row is an answer that need not be asked for again; a row of another make is none."""
    return row.keys() >= {*FIELDS, "asked"} and row["status"] in get_args(Status) and row["status"] != "error"


@dataclass(frozen=True, slots=True)
class Usage:
    """What the answers in a journal came to.

    Attributes:
        replies: how many, errors included.
        tokens_in, tokens_out: their sums, over the replies whose server told.
        untold: replies without an error whose server did not tell its tokens.
        cost: tokens times prices; None where no price was given, or where tokens are untold.
    """

    completions: int
    tokens_in: int
    tokens_out: int
    unreported: int
    cost: float | None


def usage(log: JsonlLog, config: LLMConfig) -> Usage:
    """Add up a journal, as far back as it goes."""
    rows = [row for row in log.read() if row.keys() >= {*FIELDS}]
    tokens = [sum(row[name] or 0 for row in rows) for name in ("tokens_in", "tokens_out")]
    untold = sum(row["tokens_in"] is None for row in rows if row["status"] not in ("error", "filtered"))
    priced = (config.price_in or config.price_out) and not untold
    cost = (tokens[0] * config.price_in + tokens[1] * config.price_out) / 1e6 if priced else None
    return Usage(len(rows), tokens[0], tokens[1], untold, cost)


def _digest(question: Prompt, about: dict[str, Any]) -> str:
    messages = [dict(message) for message in question.messages]
    asked = json.dumps([about, messages, question.schema, question.max_tokens], sort_keys=True)
    return hashlib.sha256(asked.encode()).hexdigest()[:16]
