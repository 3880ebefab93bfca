"""Training examples: a question, its answers, and the embedding that it is about."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import takewhile
from typing import TYPE_CHECKING, Any

from sea_core.errors import ModelError
from sea_core.model.embedding import Embedding, Grid
from sea_core.model.mllm import MLLM
from sea_core.model.text_check import NamedText
from sea_core.runs.embedding_record import read_grid

if TYPE_CHECKING:
    from datasets import Dataset

    from sea_core.alignment.embedding_source import StoredEmbedding
    from sea_core.alignment.questions import Question


ANSWER_COLUMNS = ("answer_ids", "chosen_ids", "rejected_ids")


@dataclass(frozen=True, slots=True)
class TrainingExample:
    """One training example.

    Attributes:
        kind: one of `config.KINDS`.
        id: the id of the record that it comes from.
        prompt: the question.
        answer: the answer to learn; in DPO, the chosen response.
        rejected: the rejected response; None in SFT.
        key: the key of the embedding that the question is about (`EmbeddingSource.load`); empty for plain text.
        n_features, grid, sha256: size, grid and digest of that embedding.
        harmful: whether the example that it was made from is harmful.
        given: with what both answers begin if that is given with the prompt, and only what follows is learnt.
    """

    kind: str
    id: str
    prompt: str
    answer: str
    rejected: str | None = None
    key: str = ""
    n_features: int = 0
    grid: Grid = ()
    sha256: str = ""
    harmful: bool = True
    given: str = ""

    @classmethod
    def about(cls, kind: str, question: Question, embedding: StoredEmbedding) -> TrainingExample:
        """Return a question about an embedding as a training example."""
        record, key = embedding.record, embedding.key
        size, digest = (record["n_features"], read_grid(record)), record["sha256"]
        return cls(kind, record["id"], *question, key, *size, digest, embedding.harmful)


def make_dataset(mllm: MLLM, examples: Sequence[TrainingExample]) -> Dataset:
    """Return the examples as token ids in a `datasets.Dataset`; for DPO if they have rejected responses, else for SFT.

    No column is called image, audio or video: TRL would treat such a dataset as raw media. The embeddings stay in
    their runs. Their digests are a column, because TRL keys what it precomputes by a dataset's columns.

    Raises:
        ModelError: only some of the examples have a rejected response.
    """
    from datasets import Dataset

    has_rejected = [example.rejected is not None for example in examples]
    if any(has_rejected) and not all(has_rejected):
        raise ModelError(
            "only some of the examples have a rejected response", hint="Give all of them one (DPO), or none (SFT)."
        )
    return Dataset.from_list([make_columns(mllm, example) for example in examples])


def make_columns(mllm: MLLM, example: TrainingExample) -> dict[str, Any]:
    """Return the dataset's columns for one example."""
    source = {"sea_key": example.key, "sea_sha256": example.sha256, "sea_kind": example.kind, "sea_id": example.id}
    size = Embedding.of_size(example.n_features, example.grid) if example.key else None
    prompt = mllm.prompt_ids(example.prompt, size)
    answers = [mllm.answer_ids(text) for text in (example.answer, example.rejected) if text is not None]
    given = _common_start(mllm.answer_ids(example.given)[:-1], *answers)
    names = ("answer_ids",) if example.rejected is None else ("chosen_ids", "rejected_ids")
    learnt = {name: answer[len(given) :] for name, answer in zip(names, answers, strict=True)}
    return {"prompt_ids": [*prompt, *given], **learnt, **source}


def _common_start(*sequences: Sequence[int]) -> list[int]:
    """Return the ids that all sequences begin with: a tokenizer may join the end of one text with what follows it."""
    return [ids[0] for ids in takewhile(lambda ids: len(set(ids)) == 1, zip(*sequences, strict=False))]


def example_texts(example: TrainingExample) -> list[NamedText]:
    """Return the question and the answers of an example, under its id."""
    answers = [("answer", example.answer), ("rejected", example.rejected)]
    return [NamedText(example.id, "question", example.prompt, asked=True)] + [
        NamedText(example.id, name, text) for name, text in answers if text is not None
    ]


def max_sequence_length(mllm: MLLM, example: TrainingExample) -> int:
    """Return the number of tokens of an example: its prompt with the longest of its answers."""
    columns = make_columns(mllm, example)
    return len(columns["prompt_ids"]) + max(len(columns.get(name, ())) for name in ANSWER_COLUMNS)
