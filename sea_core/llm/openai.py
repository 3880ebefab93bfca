"""Any server that speaks OpenAI's chat protocol, through OpenAI's own client library, which retries and backs off."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from queue import SimpleQueue
from threading import Thread
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from sea_core.errors import SeaError
from sea_core.llm import completion
from sea_core.llm.api_errors import ApiErrors, server_message
from sea_core.llm.config import LLMConfig
from sea_core.llm.types import Completion, Prompt

if TYPE_CHECKING:
    from openai import OpenAI
    from openai.types.chat import ChatCompletion

LOOPBACK = ("localhost", "127.0.0.1", "::1")


@dataclass(frozen=True)
class OpenAIModel:
    """A model behind an OpenAI-compatible server.

    Raises:
        SeaError: the address is none, or the server needs a key and the environment holds none.
    """

    config: LLMConfig
    _left_out: set[str] = field(default_factory=set, repr=False)

    def __post_init__(self) -> None:
        try:
            url = urlsplit(self.config.base_url)
        except ValueError:  # "http://[::1/v1"
            url = urlsplit("")
        if url.scheme not in ("http", "https") or not url.hostname:
            raise SeaError(
                f"llm.base_url is {self.config.base_url!r}, which is no address of a server",
                hint="Type for example: -o llm.base_url=http://localhost:8000/v1",
            )
        if not self._key and url.hostname not in LOOPBACK:
            name = self.config.key_env
            raise SeaError(
                f"there is no API key: the environment variable {name} is not set",
                hint=f"Type: export {name}=...   or name another variable with -o llm.key_env=NAME",
            )

    @property
    def identity(self) -> Mapping[str, Any]:
        told = self.config
        return {"kind": "openai", "model": told.model, "seed": told.seed, "max_tokens": told.max_tokens}

    def complete(self, questions: Sequence[Prompt]) -> Iterator[Completion]:
        """Yield the replies as they come. The first question goes alone, so that a dead server costs one call."""
        yield from replace(self)._ask(questions)  # with a client of its own, which is closed in the end

    def _ask(self, questions: Sequence[Prompt]) -> Iterator[Completion]:
        errors, answered = 0, False
        for reply in self._replies(questions):
            if isinstance(reply, SeaError):
                raise reply
            if reply.status == "error" and not answered and (end := self._trouble.fatal_error(reply.detail)):
                raise end
            errors = errors + 1 if reply.status == "error" else 0
            answered = answered or not errors
            yield reply
            if errors >= self.config.max_consecutive_errors:
                raise self._trouble.too_many_errors(errors, reply.detail)

    def _replies(self, questions: Sequence[Prompt]) -> Iterator[Completion | SeaError]:
        """Send the first question, then the others from several threads."""
        if not questions:
            return
        waiting: SimpleQueue[Prompt | None] = SimpleQueue()
        done: SimpleQueue[Completion | SeaError] = SimpleQueue()

        def work() -> None:
            while (question := waiting.get()) is not None:
                # Whatever happens, somebody waits for an answer.
                reply: Completion | SeaError = SeaError(f"the client of {self.config.base_url} broke down; see above")
                try:
                    reply = self._reply(question)
                finally:
                    done.put(reply)

        rest, workers = questions[1:], list[Thread]()
        try:
            yield self._reply(questions[0])
            # Daemons: Ctrl-C does not wait for answers.
            workers = [Thread(target=work, daemon=True) for _ in range(min(self.config.concurrency, len(rest)))]
            for question in (*rest, *[None] * len(workers)):
                waiting.put(question)
            for worker in workers:
                worker.start()
            for _ in rest:
                yield done.get()
        finally:
            while not waiting.empty():
                waiting.get()
            for _ in workers:
                waiting.put(None)
            Thread(target=self._close, args=(workers,), daemon=True).start()

    def _close(self, workers: Sequence[Thread]) -> None:
        """Close the connections when nobody uses them any more: where asking is given up, questions are under way."""
        for worker in workers:
            worker.join()
        self._client.close()

    def _reply(self, question: Prompt) -> Completion | SeaError:
        """Ask one question. What ends all asking (a wrong key, an unknown model) is returned as a SeaError."""
        from openai import OpenAIError

        try:
            return completion.parse_response(question, self._complete(question), self._left_out)
        except (OpenAIError, ValueError) as error:  # ValueError: a body that is not JSON
            told = self._trouble.interpret(error)
            return told if isinstance(told, SeaError) else replace(told, key=question.key)

    def _complete(self, question: Prompt) -> ChatCompletion:
        """Send a question, leaving out one by one the settings that the server refuses."""
        from openai import BadRequestError, InternalServerError, UnprocessableEntityError

        left_out, first = set(self._left_out), None
        while True:
            try:
                found: ChatCompletion = self._client.chat.completions.create(
                    **completion.build_request(self.config, question, left_out)
                )
            except (BadRequestError, UnprocessableEntityError, InternalServerError) as error:
                first = first or error  # what follows may be a fault of the leaving out
                unknown = completion.find_unsupported(error, server_message(error), question, left_out)
                if unknown is None or self._trouble.is_filtered(error):
                    raise first from None
                left_out.add(unknown)
                continue
            self._left_out.update(left_out)
            return found

    @property
    def _key(self) -> str:
        return os.environ.get(self.config.key_env, "").strip()

    @cached_property
    def _trouble(self) -> ApiErrors:
        return ApiErrors(self.config, self._key, self._models)

    @cached_property
    def _client(self) -> OpenAI:
        from openai import OpenAI

        told = self.config
        key = self._key or "none"  # the client wants one; a server on this machine does not
        return OpenAI(api_key=key, base_url=told.base_url, timeout=told.timeout, max_retries=told.retries)

    def _models(self) -> list[str]:
        """Return the models that the server lists; an empty list when it does not."""
        from openai import OpenAIError

        try:
            return [model.id for model in self._client.with_options(max_retries=0, timeout=5).models.list()]
        except (OpenAIError, ValueError, AttributeError, TypeError):
            return []
