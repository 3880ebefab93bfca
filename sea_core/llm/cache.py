"""A log of completions: each is stored as soon as it arrives, and only prompts without one are sent."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, fields
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeAlias, cast

from typing_extensions import TypedDict

from sea_core.llm.config import LLMConfig
from sea_core.llm.types import Completion, Prompt, Status, TextModel
from sea_core.runs.followed import FollowedLog
from sea_core.runs.jsonl import JsonlLog
from sea_core.runs.lock import locked

FIELDS = tuple(field.name for field in fields(Completion))
CACHE_KEY = ("key", "prompt_digest")
CacheKey: TypeAlias = tuple[str, str]
"""A completion's `CACHE_KEY`."""


class StoredCompletion(TypedDict):
    """A line of a log of completions: a `Completion`, for which prompt it is, by which model and when."""

    key: str
    text: str | None
    status: Status
    detail: str
    tokens_in: int | None
    tokens_out: int | None
    model: str
    prompt_digest: str
    text_model: dict[str, Any]
    at: str


def completion_log(path: Path) -> JsonlLog[Any]:
    """Return the log of completions in a file."""
    return JsonlLog(path, StoredCompletion)


class CompletionCache:
    """Completions in a log that one process at a time writes."""

    def __init__(self, log: JsonlLog[Any]) -> None:
        self.log = log

    def complete(self, model: TextModel, prompts: Sequence[Prompt]) -> Iterator[Completion]:
        """Yield one completion per prompt, as `cached` does."""
        identity = json.loads(json.dumps(dict(model.identity)))
        keys = {prompt.key: (prompt.key, _digest(prompt, identity)) for prompt in prompts}
        with self._writing():
            stored = self._find(keys.values())
            remaining = []
            for prompt in prompts:
                if (entry := stored.get(keys[prompt.key])) is None:
                    remaining.append(prompt)
                else:
                    yield Completion(**{name: entry[name] for name in FIELDS})
            for completion in model.complete(remaining) if remaining else ():
                at = datetime.now(UTC).isoformat(timespec="seconds")
                stored_fields = cast(StoredCompletion, asdict(completion))
                digest = keys[completion.key][1]
                self._append({**stored_fields, "prompt_digest": digest, "text_model": identity, "at": at})
                yield completion

    @contextmanager
    def _writing(self) -> Iterator[None]:
        log = self.log
        with locked(log.path.with_name(f".{log.path.name}.lock"), log.path, parents=True):
            log.put_aside_damage()
            yield

    def _find(self, keys: Collection[CacheKey]) -> dict[CacheKey, Any]:
        """Return the final completions with these keys."""
        return _final(self.log.read())

    def _append(self, entry: StoredCompletion) -> None:
        self.log.append([entry])


class WorkerCompletions:
    """Completions that a worker knows: those of the run, and its own of all blocks that it has done.

    Args:
        log: of the run.
    """

    def __init__(self, log: JsonlLog[Any]) -> None:
        self.log = log
        self.of_run = FollowedLog(JsonlLog(log.path, StoredCompletion, CACHE_KEY))
        self.own: dict[CacheKey, StoredCompletion] = {}

    def in_block(self, folder: Path) -> CompletionCache:
        """Return a cache that writes to the folder of a block that this process has claimed."""
        return _BlockCache(self, folder)


class _BlockCache(CompletionCache):
    """Has no lock: a claimed block has one owner, and if it was taken away, nothing may make its folder again."""

    def __init__(self, known: WorkerCompletions, folder: Path) -> None:
        super().__init__(known.log.elsewhere(folder))
        self._known = known

    @contextmanager
    def _writing(self) -> Iterator[None]:
        yield

    def _find(self, keys: Collection[CacheKey]) -> dict[CacheKey, Any]:
        own = {key: self._known.own[key] for key in keys if key in self._known.own}
        return _final(self._known.of_run.among(list(keys)).read()) | _final(self.log.read()) | own

    def _append(self, entry: StoredCompletion) -> None:
        super()._append(entry)
        self._known.own |= _final([entry])


def cached(model: TextModel, log: JsonlLog[Any], prompts: Sequence[Prompt]) -> Iterator[Completion]:
    """Yield one completion per prompt: first those that the log has, then the others as they arrive.

    A stored completion is reused for the same prompt (key, messages, schema and length) to the same model. Errors are
    stored too, but their prompts are sent again.

    Args:
        prompts: with unique keys.

    Raises:
        RunError: another process is writing to the log.
        SeaError: as `TextModel.complete` does. Completions that arrived before are in the log.
    """
    yield from CompletionCache(log).complete(model, prompts)


def _final(entries: Iterable[StoredCompletion]) -> dict[CacheKey, Any]:
    return {(entry["key"], entry["prompt_digest"]): entry for entry in entries if entry["status"] != "error"}


def _digest(prompt: Prompt, identity: dict[str, Any]) -> str:
    messages = [dict(message) for message in prompt.messages]
    content = json.dumps([identity, messages, prompt.schema, prompt.max_tokens], sort_keys=True)
    return hashlib.sha256(content.encode()).hexdigest()[:16]


@dataclass(frozen=True, slots=True)
class Usage:
    """Totals over the completions of a log.

    Attributes:
        completions: their number, errors included.
        tokens_in, tokens_out: sums over the completions whose server reported tokens.
        unreported: completions whose server should have reported tokens, but did not.
        cost: tokens times prices; None without prices, or if some tokens are unreported.
    """

    completions: int
    tokens_in: int
    tokens_out: int
    unreported: int
    cost: float | None


def usage(log: JsonlLog[Any], config: LLMConfig) -> Usage:
    """Return the totals over a whole log, at the prices of the config."""
    entries = log.read()
    tokens_in, tokens_out = (sum(entry[name] or 0 for entry in entries) for name in ("tokens_in", "tokens_out"))
    answered = [entry for entry in entries if entry["status"] not in ("error", "filtered")]
    unreported = sum(entry["tokens_in"] is None for entry in answered)
    has_cost = (config.price_in or config.price_out) and not unreported
    cost = (tokens_in * config.price_in + tokens_out * config.price_out) / 1e6 if has_cost else None
    return Usage(len(entries), tokens_in, tokens_out, unreported, cost)
