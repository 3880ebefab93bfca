"""What is trained on: a question, its answer (or the better and the worse one), and which embedding it is about."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sea_core.errors import ModelError, RunError
from sea_core.model.embedding import Embedding
from sea_core.model.mllm import MLLM
from sea_core.runs.embedding_run import EmbeddingRun
from sea_core.runs.store import EmbeddingRecord

if TYPE_CHECKING:
    from datasets import Dataset


@dataclass(frozen=True, slots=True)
class TrainingExample:
    """One thing to learn.

    Attributes:
        kind: one of `config.KINDS`.
        id: of the row that it comes from.
        prompt, answer: what is asked, and what to say; in DPO `answer` is the chosen one.
        rejected: what not to say; None in SFT.
        key: which embedding the question is about (`Embeddings.load`); empty for plain text.
        n_rows, sha256: of that embedding.
    """

    kind: str
    id: str
    prompt: str
    answer: str
    rejected: str | None = None
    key: str = ""
    n_tokens: int = 0
    sha256: str = ""


class EmbeddingSource:
    """The embeddings of several runs, read when they are needed. `key` names one: `1:demo-003` is of the second run."""

    def __init__(self, runs: Sequence[EmbeddingRun]) -> None:
        self.runs = tuple(runs)

    def load(self, key: str, sha256: str = "") -> Embedding:
        """Return one embedding.

        Raises:
            RunError: it cannot be read, or is not the one that the examples were made for.
        """
        number, _, row_id = key.partition(":")
        run = self.runs[int(number)]
        if sha256 and run.store.record(row_id)["sha256"] != sha256:
            raise RunError(
                f"the embedding of row {row_id!r} has changed since the training set was made",
                hint="Give a new folder with --out: what was learnt and precomputed belongs to the former embedding.",
                where=str(run.folder),
            )
        return run.embedding(row_id)

    def records(self) -> list[tuple[str, EmbeddingRecord]]:
        """Return each stored embedding's key and record."""
        stored = [(number, record) for number, run in enumerate(self.runs) for record in run.store.records()]
        return [(f"{number}:{record['id']}", record) for number, record in stored if record["sha256"]]


def dataset(mllm: MLLM, examples: Sequence[TrainingExample]) -> Dataset:
    """Return the examples as token ids in a `datasets.Dataset`: SFT where no example has a rejected answer, else DPO.

    No column is called image, audio or video: TRL would take such a set for one of raw media. The embeddings stay
    where they are, and the digest of each is a column: what TRL precomputes for the set is keyed by its columns.

    Raises:
        ModelError: some examples have a rejected answer and others have none.
    """
    from datasets import Dataset

    pairs = [example.rejected is not None for example in examples]
    if any(pairs) and not all(pairs):
        raise ModelError("some examples have a rejected answer and others have none", hint="DPO needs both in each.")
    return Dataset.from_list([columns(mllm, example) for example in examples])


def columns(mllm: MLLM, example: TrainingExample) -> dict[str, Any]:
    """Return one example as the dataset has it."""
    told = {"sea_key": example.key, "sea_sha256": example.sha256, "sea_kind": example.kind, "sea_id": example.id}
    prompt = mllm.prompt_ids(example.prompt, example.n_tokens if example.key else None)
    answer = mllm.answer_ids(example.answer)
    if example.rejected is None:
        return {"prompt_ids": prompt, "answer_ids": answer, **told}
    return {"prompt_ids": prompt, "chosen_ids": answer, "rejected_ids": mllm.answer_ids(example.rejected), **told}


def longest(mllm: MLLM, example: TrainingExample) -> int:
    """Return the tokens of the longest row that an example makes."""
    made = columns(mllm, example)
    return len(made["prompt_ids"]) + max(len(made[name]) for name in made if name.endswith("_ids") and name[0] != "p")
