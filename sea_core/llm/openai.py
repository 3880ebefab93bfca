"""Servers with an OpenAI-compatible chat API, through OpenAI's client library, which retries and backs off."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from queue import SimpleQueue
from threading import Thread
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from sea_core.errors import SeaError
from sea_core.llm.api_errors import ApiErrors, is_rejected, server_message
from sea_core.llm.completion import SENT_OTHERWISE, build_request, find_unsupported, parse_response
from sea_core.llm.config import LLMConfig, ServerOptions
from sea_core.llm.secrets import Secrets, shown_address, shown_variable
from sea_core.llm.types import Completion, Prompt

if TYPE_CHECKING:
    from openai import OpenAI
    from openai.types.chat import ChatCompletion

log = logging.getLogger(__name__)
EXAMPLE_KEY = "OPENAI_API_KEY"
RETRY_COUNT = "x-stainless-retry-count"
"""The header in which OpenAI's client writes how often a request was sent before."""
LOOPBACK = ("localhost", "127.0.0.1", "::1")


@dataclass
class Experience:
    """What the requests to a server have shown.

    Attributes:
        omitted: settings that it has rejected.
        has_answered: whether it has completed a prompt.
        errors_in_row: how many of the last prompts it has not completed.
        was_retried: whether a request was sent again.
    """

    omitted: set[str] = field(default_factory=set)
    has_answered: bool = False
    errors_in_row: int = 0
    was_retried: bool = False


@dataclass(frozen=True)
class OpenAIModel:
    """A model behind an OpenAI-compatible server.

    Args:
        options: what the user types to name the server.

    Raises:
        SeaError: the address is invalid, or the server is remote and there is no API key in the environment.
    """

    config: LLMConfig
    options: ServerOptions = field(default_factory=ServerOptions)
    _experience: Experience = field(default_factory=Experience, repr=False)

    def __post_init__(self) -> None:
        try:
            url = urlsplit(self.config.base_url)
        except ValueError:  # "http://[::1/v1"
            url = urlsplit("")
        if url.scheme not in ("http", "https") or not url.hostname:
            raise SeaError(
                f"{shown_address(self.config.base_url)!r} is not the address of a server",
                hint=f"Type for example: {self.options.address}http://localhost:8000/v1",
            )
        if not self._key and url.hostname not in LOOPBACK:
            name = shown_variable(self.config.key_env)
            raise SeaError(
                f"there is no API key: the environment variable {name} is not set"
                if name == self.config.key_env
                else f"{self.options.key}NAME takes the name of an environment variable ({EXAMPLE_KEY}), not the key",
                hint=f"Type: export {name}=...   or name another variable with {self.options.key}NAME",
            )

    @property
    def identity(self) -> Mapping[str, Any]:
        config = self.config
        return {"kind": "openai", "model": config.model, "seed": config.seed, "max_tokens": config.max_tokens}

    def complete(self, prompts: Sequence[Prompt]) -> Iterator[Completion]:
        """Yield completions as they arrive.

        The first prompt to a server is sent alone, so that a dead one costs one request. Prompts that a server rejects
        are no errors in a row once it has completed another. Errors in a row are counted across calls.

        Raises:
            SeaError: no prompt can be completed, or too many errors in a row.
        """
        yield from replace(self)._complete(prompts)  # a copy has its own client, which is closed at the end

    def _complete(self, prompts: Sequence[Prompt]) -> Iterator[Completion]:
        seen = self._experience
        for result in self._results(prompts):
            if isinstance(result, SeaError):
                raise result
            failed = result.status == "error"
            if failed and not seen.has_answered and (fatal := self._api_errors.fatal_error(result.detail)):
                raise fatal
            counts = failed and not (is_rejected(result) and seen.has_answered)
            seen.errors_in_row = seen.errors_in_row + 1 if counts else 0
            seen.has_answered = seen.has_answered or not failed
            yield result
            if seen.errors_in_row >= self.config.max_consecutive_errors:
                raise self._api_errors.too_many_errors(seen.errors_in_row, result.detail)

    def _results(self, prompts: Sequence[Prompt]) -> Iterator[Completion | SeaError]:
        """Send the first prompt to a server that has not answered yet, then the others from several threads.

        The threads are daemons, so that Ctrl-C does not wait for responses.
        """
        if not prompts:
            return
        waiting: SimpleQueue[Prompt | None] = SimpleQueue()
        results: SimpleQueue[Completion | SeaError] = SimpleQueue()

        def work() -> None:
            while (prompt := waiting.get()) is not None:
                # There must be a result even if this thread dies of a bug.
                result: Completion | SeaError = SeaError(
                    f"the client of {shown_address(self.config.base_url)} failed; see above"
                )
                try:
                    result = self._result(prompt)
                finally:
                    results.put(result)

        first = 0 if self._experience.has_answered else 1
        rest, threads = prompts[first:], list[Thread]()
        try:
            yield from map(self._result, prompts[:first])
            threads = [Thread(target=work, daemon=True) for _ in range(min(self.config.concurrency, len(rest)))]
            for prompt in (*rest, *[None] * len(threads)):
                waiting.put(prompt)
            for thread in threads:
                thread.start()
            for _ in rest:
                yield results.get()
        finally:
            while not waiting.empty():
                waiting.get()
            for _ in threads:
                waiting.put(None)
            Thread(target=self._close, args=(threads,), daemon=True).start()

    def _close(self, threads: Sequence[Thread]) -> None:
        """Close the client once no thread uses it: after an interruption, requests are still in progress."""
        for thread in threads:
            thread.join()
        self._client.close()

    def _result(self, prompt: Prompt) -> Completion | SeaError:
        """Complete one prompt. An error that ends all requests (a wrong key, an unknown model) is returned."""
        from openai import OpenAIError

        try:
            completion = parse_response(prompt, self._request(prompt), self._experience.omitted)
            return self._api_errors.secrets.removed_from(completion)
        except (OpenAIError, ValueError) as error:  # ValueError: the body is not JSON
            meaning = self._api_errors.interpret(error)
            return meaning if isinstance(meaning, SeaError) else replace(meaning, key=prompt.key)

    def _request(self, prompt: Prompt) -> ChatCompletion:
        """Send a prompt; if the server rejects settings, omit them one by one."""
        from openai import BadRequestError, InternalServerError, UnprocessableEntityError

        omitted, first_error = set(self._experience.omitted), None
        while True:
            try:
                response: ChatCompletion = self._client.chat.completions.create(
                    **build_request(self.config, prompt, omitted)
                )
            except (BadRequestError, UnprocessableEntityError, InternalServerError) as error:
                first_error = first_error or error  # later errors may be caused by what was omitted
                unsupported = find_unsupported(error, server_message(error), prompt, omitted)
                if unsupported is None or self._api_errors.is_filtered(error):
                    raise first_error from None
                omitted.add(unsupported)
                continue
            self._experience.omitted.update(omitted)
            return response

    @property
    def _key(self) -> str:
        return os.environ.get(self.config.key_env, "").strip()

    @cached_property
    def _api_errors(self) -> ApiErrors:
        return ApiErrors(self.config, self._secrets, self.list_models, self.options)

    @cached_property
    def _secrets(self) -> Secrets:
        return Secrets.of(self._key, self.config.base_url)

    @cached_property
    def _client(self) -> OpenAI:
        from openai import OpenAI

        client = OpenAI(
            api_key=self._key or "none",  # required by the client, ignored by a server on this machine
            base_url=self.config.base_url,
            timeout=self.config.timeout,
            max_retries=self.config.retries,
        )
        # The library's own httpx client, which it closes when it is deleted: one of ours would stay open.
        client._client.event_hooks = {"request": [partial(_note_retry, self.config, self._experience)]}
        return client

    def description(self) -> dict[str, Any]:
        """Return what the server's list of models says of this one; nothing if it says nothing.

        Raises:
            SeaError: no server responds, or it denies access.
        """
        from openai import APIConnectionError, AuthenticationError, OpenAIError, PermissionDeniedError

        try:
            return next((each for each in self._listed() if each.get("id") == self.config.model), {})
        except (APIConnectionError, AuthenticationError, PermissionDeniedError) as error:
            meaning = self._api_errors.interpret(error)
            fatal = meaning if isinstance(meaning, SeaError) else self._api_errors.fatal_error(meaning.detail)
            if fatal:
                raise fatal from error
            return {}
        except OpenAIError:
            return {}

    @property
    def omitted(self) -> tuple[str, ...]:
        """The settings, such as the temperature, that the server has rejected and is not sent any more."""
        return tuple(sorted(self._experience.omitted - set(SENT_OTHERWISE)))

    def list_models(self) -> list[str]:
        """Return the models that the server lists; none if it does not list any."""
        from openai import OpenAIError

        try:
            return [str(each.get("id")) for each in self._listed()]
        except OpenAIError:
            return []

    def _listed(self) -> list[dict[str, Any]]:
        client = self._client.with_options(max_retries=0, timeout=5)
        try:
            return [model.model_dump() for model in client.models.list()]
        except (ValueError, AttributeError, TypeError):  # the response is something else
            return []


def _note_retry(config: LLMConfig, experience: Experience, request: Any) -> None:
    """Say once that requests are sent again, which may take minutes in which nothing else is shown."""
    if not experience.was_retried and request.headers.get(RETRY_COUNT, "0") != "0":
        experience.was_retried = True
        limits = config.retries, config.timeout
        log.warning("no answer from %s; trying again (retries=%s, timeout=%g)", shown_address(config.base_url), *limits)
