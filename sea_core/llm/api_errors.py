"""What the errors of a server mean, and what to type next. Secrets are removed from all messages."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from sea_core.errors import SeaError, nearest
from sea_core.llm.config import LLMConfig, ServerOptions
from sea_core.llm.secrets import Secrets, shown_address, shown_variable
from sea_core.llm.types import Completion

FILTER_WORDS = ("content_filter", "content filter", "contentfilter", "responsibleaipolicy", "content_policy", "flagged")
NO_SERVER = "no server responds"
REJECTED = ("400: ", "413: ", "422: ")
"""How the details of a prompt begin that the server does not take: it is too long, or has parts of another kind."""
RESUME_HINT = "Completions received so far are kept. Re-run the same command to resume."
LISTED = 12


@dataclass(frozen=True)
class ApiErrors:
    """Interprets the errors of one server.

    Args:
        secrets: what is removed from messages.
        list_models: returns the models that the server offers.
        options: what the user types to name the server.
    """

    config: LLMConfig
    secrets: Secrets
    list_models: Callable[[], list[str]]
    options: ServerOptions = field(default_factory=ServerOptions)

    @property
    def address(self) -> str:
        """The server's address, as it may be shown."""
        return shown_address(self.config.base_url)

    def interpret(self, error: Exception) -> Completion | SeaError:
        """Return the failed completion for an error, with an empty key, or the SeaError that ends all requests."""
        from openai import APIStatusError, AuthenticationError, NotFoundError, PermissionDeniedError

        message = self._message(error)
        if isinstance(error, APIStatusError) and self.is_filtered(error):
            return Completion("", None, "filtered", message)
        if isinstance(error, AuthenticationError | PermissionDeniedError):
            return self._access_denied(message)
        if isinstance(error, NotFoundError):
            return self._no_such_model(message)
        if getattr(error, "code", None) == "insufficient_quota":
            what = f"the server accepts no more requests: {message}"
            return SeaError(what, hint=f"Raise the account's quota. {RESUME_HINT}")
        return Completion("", None, "error", self._describe(error, message))

    def _describe(self, error: Exception, message: str) -> str:
        from openai import APIConnectionError, APIStatusError, APITimeoutError

        if isinstance(error, APITimeoutError):
            attempts = "once" if not self.config.retries else f"{self.config.retries + 1} times"
            return f"no completion within {self.config.timeout:g} s, sent {attempts}"
        if isinstance(error, APIConnectionError):
            return f"{NO_SERVER} at {self.address}: {self._message(_root_cause(error))}"
        if isinstance(error, APIStatusError):
            return f"{error.status_code}: {message}"
        return f"the response cannot be read: {message}"

    def is_filtered(self, error: Any) -> bool:
        """Return whether an APIStatusError comes from a content filter; providers report this in different fields."""
        text = f"{error.code} {error.type} {error.body}".lower()
        return error.status_code in (400, 403) and any(word in text for word in FILTER_WORDS)

    def fatal_error(self, detail: str) -> SeaError | None:
        """Return the error to raise if the first prompt failed in a way that all others would."""
        if detail.startswith(NO_SERVER):
            return SeaError(detail, hint=f"Is it running? Type its address: {self.options.address}http://HOST:PORT/v1")
        # Some servers respond with 400 to an unknown model, and mention its name.
        return self._no_such_model(detail) if detail.startswith("400: ") and self.config.model in detail else None

    def too_many_errors(self, count: int, detail: str) -> SeaError:
        """Return the error for a server that fails repeatedly."""
        return SeaError(f"{count} prompts in a row failed, the last one with: {detail}", hint=RESUME_HINT)

    def _access_denied(self, message: str) -> SeaError:
        name = shown_variable(self.config.key_env)
        return SeaError(
            f"the server at {self.address} denies access: {message}",
            hint=f"The key was read from the environment variable {name}. Type: export {name}=...",
        )

    def _no_such_model(self, message: str) -> SeaError:
        models = self.list_models()
        if close := nearest(self.config.model, models):
            hint = f"Did you mean {self.options.model}{close} ?"
        elif models:
            hint = f"It has: {', '.join(sorted(models)[:LISTED])}"
        else:
            hint = f"Check {self.options.model}..., and the address in {self.options.address}... : most end in /v1"
        what = f"the server at {self.address} has no model {self.config.model!r}: {message}"
        return SeaError(what, hint=hint)

    def _message(self, error: BaseException) -> str:
        text = " ".join(server_message(error).split())[:300] or type(error).__name__
        return self.secrets.removed(text)


def is_rejected(completion: Completion) -> bool:
    """Return whether the server does not take a prompt, while it may take others."""
    return completion.status == "error" and completion.detail.startswith(REJECTED)


def server_message(error: BaseException) -> str:
    """Return an error in the server's own words if it has any."""
    body = getattr(error, "body", None)
    if isinstance(body, dict):
        message = body.get("message") or body.get("detail") or body.get("error")
        return message if isinstance(message, str) else json.dumps(body)
    return body if isinstance(body, str) and body else str(error)


def _root_cause(error: BaseException) -> BaseException:
    while error.__cause__ is not None:
        error = error.__cause__
    return error
