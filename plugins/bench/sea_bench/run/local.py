"""A plugin's model on this machine, which answers cases through its ordinary inputs and its own encoder."""

from __future__ import annotations

import logging
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from itertools import groupby
from pathlib import Path
from tempfile import TemporaryDirectory

import torch

from sea_bench.case import Case
from sea_bench.medium import media_files, read_digest
from sea_bench.run.answering import CasePrompt, FailedAnswer, GeneratedAnswer, Medium, ReadCase
from sea_core.errors import SeaError
from sea_core.model.embedding import Embedding
from sea_core.model.mllm import MLLM
from sea_core.model.prompts import held_out_questions

TOO_LARGE = "it does not fit into memory, even alone"
SMALLER_HINT = "Type for example: --dtype bfloat16   Stored answers are kept."
log = logging.getLogger(__name__)


@dataclass
class LocalAnsweringModel:
    """A plugin's model as an `AnsweringModel`. Its media are embeddings: the encoder's output.

    Attributes:
        batch_size: how many prompts are answered at a time; fewer once so many did not fit into memory.
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
        return ReadCase(case, self._encode(case.media), digest)

    def read_without(self, read: ReadCase, part: str) -> ReadCase:
        """Return a case with the blank input in place of one modality of its medium.

        Raises:
            SeaError: the medium cannot be read.
        """
        assert read.case.media is not None
        others = {name: file for name, file in media_files(read.case.media, read.case.modality).items() if name != part}
        if not others:
            return replace(read, medium=self.blank)
        with TemporaryDirectory() as folder:
            for file in others.values():
                shutil.copy(file, folder)
            return replace(read, medium=self._encode(Path(folder)))

    def _encode(self, path: Path) -> Embedding:
        medium = self.mllm.adapter.read_media(path, self.mllm.processor)
        try:
            (embedding,) = self.mllm.encode([medium])
        except torch.OutOfMemoryError as error:
            raise SeaError(TOO_LARGE, hint=SMALLER_HINT) from error
        return embedding

    @cached_property
    def blank(self) -> Embedding:
        """The encoder's output for the blank input."""
        (blank,) = self.mllm.encode([self.mllm.adapter.blank_input(self.mllm.processor)])
        return blank

    def answer(self, prompts: Sequence[CasePrompt]) -> Iterator[GeneratedAnswer | FailedAnswer]:
        """Yield the answers in the order of the prompts. One that does not even fit into memory alone has none.

        Raises:
            ModelError: the model's chat template leaves out a system prompt.
        """
        for system, group in groupby(prompts, key=lambda prompt: prompt.system):
            for _, same_length in groupby(group, key=lambda prompt: prompt.max_new_tokens):
                yield from self._answer_in_batches(self._with_system(system), list(same_length))

    def _answer_in_batches(
        self, mllm: MLLM, remaining: Sequence[CasePrompt]
    ) -> Iterator[GeneratedAnswer | FailedAnswer]:
        """Answer prompts, in smaller batches where they do not fit into memory. The size that did fit is kept."""
        size = limit = self.batch_size
        fitting, halved = 1, False
        while remaining:
            batch = remaining[:size]
            answers = _generate(mllm, batch)
            if answers is None and len(batch) > 1:
                size, limit, halved = len(batch) // 2, len(batch) - 1, True
                continue
            if answers is None:
                yield FailedAnswer(batch[0].key, "failed", TOO_LARGE)
                size = limit = self.batch_size  # it was this one
            else:
                yield from map(partial(_generated, mllm), batch, answers)
                fitting, size = max(fitting, len(batch)), min(limit, 2 * size)
            remaining = remaining[len(batch) :]
        if halved:
            log.warning("%d cases at a time do not fit into memory: going on with %d", self.batch_size, fitting)
            self.batch_size = fitting

    def _with_system(self, system: str) -> MLLM:
        """Return the model with a system prompt."""
        if not system:
            return self.mllm
        if system not in self._by_system:
            self._by_system[system] = self.mllm.with_system(system)
        return self._by_system[system]


def _generate(mllm: MLLM, prompts: Sequence[CasePrompt]) -> list[list[int]] | None:
    """Return the token ids of the answers; None if the prompts do not fit into memory together."""
    media = [medium for prompt in prompts if (medium := _embedding(prompt.medium)) is not None]
    try:
        return mllm.generate([prompt.text for prompt in prompts], media or None, prompts[0].max_new_tokens)
    except torch.OutOfMemoryError:
        pass  # what the batch has left in memory is freed only after the exception is
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
    return None


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
