"""The stored embeddings that an alignment trains on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import cast

from sea_core.data.examples import Extraction, Kind
from sea_core.errors import RunError
from sea_core.model.embedding import Embedding, load_embedding
from sea_core.runs.embedding_record import EmbeddingRecord
from sea_core.runs.embedding_run import EmbeddingRun


@dataclass(frozen=True)
class StoredEmbedding:
    """An embedding of one of several runs, without its features.

    Attributes:
        key: identifies it among all runs: `1:demo-003` is an embedding of the second run.
    """

    key: str
    record: EmbeddingRecord

    @property
    def id(self) -> str:
        return self.record["id"]

    @property
    def example_id(self) -> str:
        """The id of the example that it was made for. An example may have several embeddings."""
        return self.record["example_id"]

    @property
    def harmful(self) -> bool:
        return bool(self.record["harmful"])

    @property
    def is_real(self) -> bool:
        """Whether it is a real embedding, of a medium that `sea encode` read, and not a synthetic one."""
        return self.record["source"] == "media"

    @property
    def extraction(self) -> Extraction:
        record = self.record
        return Extraction(record["phrase"], cast(Kind, record["kind"]), record["sentence"], record["detoxified"])


class EmbeddingSource:
    """The embeddings of several runs, read on demand."""

    def __init__(self, runs: Sequence[EmbeddingRun]) -> None:
        self.runs = tuple(runs)

    def embedding_name(self, embedding: StoredEmbedding) -> str:
        """Return what identifies an embedding among those of all runs: its id, if there is one run."""
        return embedding.id if len(self.runs) == 1 else embedding.key

    @cached_property
    def example_names(self) -> dict[str, str]:
        """What identifies the example of each embedding, given by its key, among those of all runs.

        Runs of one data set share examples; data sets may use the same id for different ones, whose questions differ.
        """
        instructions, names = dict[str, str](), dict[tuple[str, str], str]()
        for embedding in self.stored():
            example, instruction = embedding.example_id, embedding.record["instruction"]
            is_other = instructions.setdefault(example, instruction) != instruction
            number = embedding.key.partition(":")[0]
            names.setdefault((example, instruction), f"{number}:{example}" if is_other else example)
        return {each.key: names[each.example_id, each.record["instruction"]] for each in self.stored()}

    def load(self, key: str, sha256: str = "") -> Embedding:
        """Return one embedding.

        Args:
            key: `StoredEmbedding.key`.
            sha256: the digest that it must have; not checked if empty.

        Raises:
            RunError: it cannot be read, or has another digest.
        """
        number, _, embedding_id = key.partition(":")
        run = self.runs[int(number)]
        if sha256 and run.store.record(embedding_id)["sha256"] != sha256:
            raise RunError(
                f"the embedding {embedding_id!r} has changed since the training set was made",
                hint="Give a new folder with --out: checkpoints in the old one were trained on the old embedding.",
                where=str(run.folder),
            )
        return load_embedding(run, embedding_id)

    def stored(self) -> list[StoredEmbedding]:
        """Return all stored embeddings. Failed optimisations have none."""
        records = [(number, record) for number, run in enumerate(self.runs) for record in run.store.records()]
        return [StoredEmbedding(f"{number}:{record['id']}", record) for number, record in records if record["sha256"]]
