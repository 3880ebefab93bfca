"""A plugin's model on this machine, which answers cases through its ordinary inputs and its own encoder."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import groupby

import torch

from sea_bench.case import Case
from sea_bench.medium import read_digest
from sea_bench.run.answering import CasePrompt, GeneratedAnswer, Medium, ReadCase
from sea_core.errors import SeaError
from sea_core.model.embedding import Embedding
from sea_core.model.mllm import MLLM
from sea_core.model.prompts import held_out_questions

log = logging.getLogger(__name__)


@dataclass
class LocalAnsweringModel:
    """A plugin's model as an `AnsweringModel`. Its media are embeddings: the encoder's output.

    Attributes:
        batch_size: how many prompts are answered at a time; halved where they do not fit into memory.
    """

    mllm: MLLM
    batch_size: int = 8
    _by_system: dict[str, MLLM] = field(default_factory=dict, init=False, repr=False)

    @property
    def comprehension_question(self) -> str:
        return held_out_questions(self.mllm.adapter, "activity")[0]

    def read(self, case: Case) -> ReadCase:
        """Encode the medium of a case.

        Raises:
            SeaError: the medium cannot be read, or is not the one that was built; or a part of the text would become a
                special token.
        """
        self.mllm.require_question(case.text or "")
        if case.condition == "blank":
            return ReadCase(case, self.blank)
        if case.media is None:
            return ReadCase(case)
        digest = read_digest(case)
        medium = self.mllm.adapter.read_media(case.media, self.mllm.processor)
        (embedding,) = self.mllm.encode([medium])
        return ReadCase(case, embedding, digest)

    @cached_property
    def blank(self) -> Embedding:
        """The encoder's output for the blank input."""
        (blank,) = self.mllm.encode([self.mllm.adapter.blank_input(self.mllm.processor)])
        return blank

    def answer(self, prompts: Sequence[CasePrompt]) -> Iterator[GeneratedAnswer]:
        """Yield the answers in the order of the prompts.

        Raises:
            SeaError: a single prompt does not fit into memory.
            ModelError: the model's chat template leaves out a system prompt.
        """
        for (length, system), group in groupby(prompts, key=lambda prompt: (prompt.max_new_tokens, prompt.system)):
            mllm, remaining = self._with_system(system), list(group)
            while remaining:
                batch = remaining[: self.batch_size]
                texts, media = [prompt.text for prompt in batch], [_embedding(prompt.medium) for prompt in batch]
                try:
                    answers = mllm.generate(texts, [each for each in media if each is not None] or None, length)
                except torch.OutOfMemoryError as error:
                    self._halve_batch(len(batch), error)
                    continue
                remaining = remaining[len(batch) :]
                for prompt, ids in zip(batch, answers, strict=True):
                    yield _generated(mllm, prompt, ids)

    def _with_system(self, system: str) -> MLLM:
        """Return the model with a system prompt."""
        if not system:
            return self.mllm
        if system not in self._by_system:
            self._by_system[system] = self.mllm.with_system(system)
        return self._by_system[system]

    def _halve_batch(self, size: int, error: torch.OutOfMemoryError) -> None:
        """Answer fewer prompts at a time from now on. Raises SeaError if it was a single one."""
        if size == 1:
            hint = "Type for example: --dtype bfloat16   Stored answers are kept."
            raise SeaError("a single case does not fit into memory", hint=hint) from error
        self.batch_size = size // 2
        log.warning("%d cases at a time do not fit into memory: going on with %d", size, self.batch_size)
        if torch.cuda.is_available():
            torch.cuda.empty_cache()  # what is left of the batch that failed, in pieces


def _generated(mllm: MLLM, prompt: CasePrompt, ids: Sequence[int]) -> GeneratedAnswer:
    return GeneratedAnswer(
        key=prompt.key,
        text=mllm.detokenize(ids),
        tokens=len(ids),
        prompt_tokens=len(mllm.prompt_ids(prompt.text, _embedding(prompt.medium))),
        truncated=len(ids) >= prompt.max_new_tokens,  # `generate` removes the end token
    )


def _embedding(medium: Medium | None) -> Embedding | None:
    assert medium is None or isinstance(medium, Embedding)  # `read` makes no other
    return medium
