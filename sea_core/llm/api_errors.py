"""What a server's errors mean, and what to type next. The API key is taken out of every word the server says."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any, ClassVar

from sea_core.errors import SeaError
from sea_core.llm.config import LLMConfig
from sea_core.llm.types import Completion

FILTER_WORDS = ("content_filter", "content filter", "contentfilter", "responsibleaipolicy", "content_policy", "flagged")
AGAIN = "Everything answered so far is kept. Type the same command again."


@dataclass(frozen=True)
class ApiErrors:
    """Reads errors.

    Args:
        key: the API key, so that it can be kept out of messages.
        models: asks the server which models it has.
    """

    NO_SERVER: ClassVar[str] = "no server answers"

    config: LLMConfig
    key: str
    models: Callable[[], list[str]]

    def interpret(self, error: Exception) -> Completion | SeaError:
        """Return the reply that an error stands for, or the SeaError that ends all asking."""
        from openai import (
            APIConnectionError,
            APIStatusError,
            APITimeoutError,
            AuthenticationError,
            NotFoundError,
            PermissionDeniedError,
        )

        says = self._clean(error)
        if isinstance(error, APIStatusError) and self.is_filtered(error):
            return Completion("", None, "filtered", says)
        if isinstance(error, AuthenticationError | PermissionDeniedError):
            return self._no_entry(says)
        if isinstance(error, NotFoundError):
            return self._not_found(says)
        if getattr(error, "code", None) == "insufficient_quota":
            return SeaError(f"the server takes no more questions: {says}", hint=f"Mend the account's quota. {AGAIN}")
        if isinstance(error, APITimeoutError):
            return Completion("", None, "error", f"no answer within {self.config.timeout:g} s, asked {self._times()}")
        if isinstance(error, APIConnectionError):
            return Completion(
                "", None, "error", f"{self.NO_SERVER} at {self.config.base_url}: {self._clean(_root(error))}"
            )
        if isinstance(error, APIStatusError):
            return Completion("", None, "error", f"{error.status_code}: {says}")
        return Completion("", None, "error", f"the answer cannot be read: {says}")

    def is_filtered(self, error: Any) -> bool:
        """Tell whether a content filter stands behind an error: providers say so in different places."""
        text = f"{error.code} {error.type} {error.body}".lower()
        return error.status_code in (400, 403) and any(word in text for word in FILTER_WORDS)

    def fatal_error(self, detail: str) -> SeaError | None:
        """Return the error that the first question's failure stands for, where no other question can do better."""
        if detail.startswith(self.NO_SERVER):
            return SeaError(detail, hint="Is it running? Type its address: -o llm.base_url=http://HOST:PORT/v1")
        # Some servers answer 400 for an unknown model, and name it.
        return self._not_found(detail) if detail.startswith("400: ") and self.config.model in detail else None

    def too_many_errors(self, errors: int, detail: str) -> SeaError:
        """Return the error for a server that answers no more."""
        return SeaError(f"{errors} questions in a row brought an error, the last one: {detail}", hint=AGAIN)

    def _no_entry(self, says: str) -> SeaError:
        name = self.config.key_env
        return SeaError(
            f"the server at {self.config.base_url} does not let us in: {says}",
            hint=f"It was sent the key in the environment variable {name}. Type: export {name}=...",
        )

    def _not_found(self, says: str) -> SeaError:
        there = self.models()
        close = get_close_matches(self.config.model, there, n=1)
        if close:
            hint = f"Did you mean -o llm.model={close[0]} ?"
        elif there:
            hint = f"It has: {', '.join(sorted(there)[:12])}"
        else:
            hint = "Check -o llm.model=..., and the address in -o llm.base_url=... : most end in /v1"
        return SeaError(f"the server at {self.config.base_url} has no model {self.config.model!r}: {says}", hint=hint)

    def _times(self) -> str:
        return "once" if not self.config.retries else f"{self.config.retries + 1} times"

    def _clean(self, error: BaseException) -> str:
        text = " ".join(server_message(error).split())[:300] or type(error).__name__
        return text.replace(self.key, "(the key)") if self.key else text


def server_message(error: BaseException) -> str:
    """Return an error in the server's own words, where it has any."""
    body = getattr(error, "body", None)
    if isinstance(body, dict):
        words = body.get("message") or body.get("detail") or body.get("error")
        return words if isinstance(words, str) else json.dumps(body)
    return body if isinstance(body, str) and body else str(error)


def _root(error: BaseException) -> BaseException:
    while error.__cause__ is not None:
        error = error.__cause__
    return error
