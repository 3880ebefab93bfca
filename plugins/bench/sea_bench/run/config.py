"""How a benchmark's answers are generated: always greedily, ignoring the checkpoint's own generation settings."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar

from annotated_types import Ge, Gt
from pydantic import JsonValue

from sea_core.config import Config
from sea_core.optimization.config import Auto


@dataclass(frozen=True)
class AnswerConfig(Config):
    """Settings of the generation of answers."""

    max_new_tokens: Annotated[int, Gt(0)] = 300
    """Maximum length of an answer (paper: 300). Truncated answers are marked."""
    batch_size: Annotated[int, Gt(0)] = 8
    """Cases answered at a time. It cannot change an answer; see keep_batches."""
    keep_batches: bool = False
    """Answer in batches even if the preflight found that batching changes an answer. By default each case is then
    answered alone."""

    workers: Annotated[int, Ge(0)] | Auto = 1
    """Processes that answer cases. `auto`: one for each GPU; on a CPU one. `0`: only prepare the run, for workers that
    join it (`sea worker`)."""
    comprehension: bool = True
    """Ask also what each medium shows, where the benchmark has key phrases: one short answer more. The report then
    gives its metrics among the media that the model understands, too. It changes no other answer."""

    def identity(self) -> dict[str, JsonValue]:
        """Return the settings that can change an answer."""
        batches: dict[str, JsonValue] = {}
        if self.keep_batches:
            batches = {"keep_batches": True, "batch_size": self.batch_size}
        return {"decoding": "greedy", "max_new_tokens": self.max_new_tokens, **batches}


@dataclass(frozen=True)
class ServerConfig(Config):
    """Settings of the requests to a server (--server)."""

    key_env: str = "OPENAI_API_KEY"
    """The NAME of the environment variable that holds the API key. The key itself is never written anywhere."""
    concurrency: Annotated[int, Gt(0)] = 8
    """Maximum number of cases sent to the server at the same time."""
    timeout: Annotated[float, Gt(0)] = 300.0
    """Seconds to wait for one answer."""
    retries: Annotated[int, Ge(0)] = 4
    """How often a case is sent again after HTTP 429, 5xx or a timeout, with growing delays."""
    max_consecutive_errors: Annotated[int, Gt(0)] = 8
    """Stop after this many errors in a row, as the server is probably down. Stored answers are kept."""
    seed: int = 0
    """Sent to servers that support seeds. The temperature is always 0."""
    frames: Annotated[int, Ge(0)] = 0
    """Send this many frames of a video, as images, to a server that takes no video. 0: the video itself."""

    group: ClassVar[str] = "server"

    def identity(self) -> dict[str, JsonValue]:
        """Return the settings that can change an answer."""
        return {"seed": self.seed, "frames": self.frames}
