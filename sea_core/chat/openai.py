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

from sea_core.chat.config import ChatConfig
from sea_core.chat.nouns import Question, Reply
from sea_core.chat.trouble import Trouble, said
from sea_core.errors import SeaError

if TYPE_CHECKING:
    from openai import OpenAI
    from openai.types.chat import ChatCompletion

LOOPBACK = ("localhost", "127.0.0.1", "::1")
# What not every server or model knows. One that is refused is left out from then on, and the reply says so.
OPTIONAL = ("response_format", "seed", "temperature", "max_tokens")


@dataclass(frozen=True)
class OpenAIChat:
    """A model behind an OpenAI-compatible server.

    Raises:
        SeaError: the address is none, or the server needs a key and the environment holds none.
    """

    config: ChatConfig
    _left_out: set[str] = field(default_factory=set, repr=False)

    def __post_init__(self) -> None:
        url = urlsplit(self.config.base_url)
        if url.scheme not in ("http", "https") or not url.hostname:
            raise SeaError(
                f"chat.base_url is {self.config.base_url!r}, which is no address of a server",
                hint="Type for example: -o chat.base_url=http://localhost:8000/v1",
            )
        if not self._key and url.hostname not in LOOPBACK:
            name = self.config.key_env
            raise SeaError(
                f"there is no API key: the environment variable {name} is not set",
                hint=f"Type: export {name}=...   or name another variable with -o chat.key_env=NAME",
            )

    @property
    def name(self) -> Mapping[str, Any]:
        told = self.config
        return {"kind": "openai", "model": told.model, "seed": told.seed, "max_tokens": told.max_tokens}

    def ask(self, questions: Sequence[Question]) -> Iterator[Reply]:
        """Yield the replies as they come. The first question goes alone, so that a dead server costs one call."""
        yield from replace(self)._ask(questions)  # with a client of its own, which is closed in the end

    def _ask(self, questions: Sequence[Question]) -> Iterator[Reply]:
        errors, answered = 0, False
        for reply in self._replies(questions):
            if isinstance(reply, SeaError):
                raise reply
            if reply.status == "error" and not answered and (end := self._trouble.hopeless(reply.detail)):
                raise end
            errors = errors + 1 if reply.status == "error" else 0
            answered = answered or not errors
            yield reply
            if errors >= self.config.give_up:
                raise self._trouble.gave_up(errors, reply.detail)

    def _replies(self, questions: Sequence[Question]) -> Iterator[Reply | SeaError]:
        """Send the first question, then the others from several threads."""
        if not questions:
            return
        waiting: SimpleQueue[Question | None] = SimpleQueue()
        done: SimpleQueue[Reply | SeaError] = SimpleQueue()

        def work() -> None:
            while (question := waiting.get()) is not None:
                done.put(self._reply(question))

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

    def _reply(self, question: Question) -> Reply | SeaError:
        """Ask one question. What ends all asking (a wrong key, an unknown model) is returned as a SeaError."""
        from openai import OpenAIError

        try:
            return self._read(question, self._complete(question))
        except (OpenAIError, ValueError) as error:  # ValueError: a body that is not JSON
            told = self._trouble.told(error)
            return told if isinstance(told, SeaError) else replace(told, key=question.key)

    def _complete(self, question: Question) -> ChatCompletion:
        """Send a question, leaving out one by one the settings that the server refuses."""
        from openai import BadRequestError, UnprocessableEntityError

        left_out, first = set(self._left_out), None
        while True:
            try:
                found: ChatCompletion = self._client.chat.completions.create(**self._request(question, left_out))
            except (BadRequestError, UnprocessableEntityError) as error:
                unknown = self._refused(error, question, left_out)
                first = first or error  # what follows may be a fault of the leaving out
                if unknown is None:
                    raise first from None
                left_out.add(unknown)
                continue
            self._left_out.update(left_out)
            return found

    def _request(self, question: Question, left_out: set[str]) -> dict[str, Any]:
        told = self.config
        request: dict[str, Any] = {"temperature": 0, "seed": told.seed}
        if question.schema is not None:
            schema = {"name": "reply", "schema": dict(question.schema), "strict": True}
            request["response_format"] = {"type": "json_schema", "json_schema": schema}
        request = {name: value for name, value in request.items() if name not in left_out}
        # The newer name of the same setting: newer models know only that one, older servers only the other.
        length = "max_completion_tokens" if "max_tokens" in left_out else "max_tokens"
        messages = [dict(message) for message in question.messages]
        return {"model": told.model, "messages": messages, length: question.max_tokens or told.max_tokens, **request}

    def _refused(self, error: Any, question: Question, left_out: set[str]) -> str | None:
        """Return the setting that the server does not know, if it is one that can be left out."""
        if self._trouble.filtered(error):
            return None
        sent = [name for name in OPTIONAL if name not in left_out and (name != "response_format" or question.schema)]
        named = [name for name in sent if name in (error.param or "") or name in said(error)]
        return next(iter(named), "response_format" if "response_format" in sent else None)

    def _read(self, question: Question, found: ChatCompletion) -> Reply:
        choices = getattr(found, "choices", None)
        if not choices or not getattr(choices[0], "message", None):
            return Reply(question.key, None, "error", "the server's answer holds no message")
        message, reason, usage = choices[0].message, choices[0].finish_reason, found.usage
        refusal = getattr(message, "refusal", None)
        status = {"content_filter": "filtered", "length": "truncated"}.get(reason, "refused" if refusal else "ok")
        without = ", ".join(name for name in OPTIONAL if name in self._left_out and name != "max_tokens")
        return Reply(
            question.key,
            message.content if message.content is not None or status != "ok" else "",
            status,  # type: ignore[arg-type]
            refusal or (f"asked without {without}" if without else ""),
            usage.prompt_tokens if usage else None,
            usage.completion_tokens if usage else None,
            str(found.model or ""),
        )

    @property
    def _key(self) -> str:
        return os.environ.get(self.config.key_env, "").strip()

    @cached_property
    def _trouble(self) -> Trouble:
        return Trouble(self.config, self._key, self._models)

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
