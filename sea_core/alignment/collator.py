"""The collator for every modality and every mix of synthetic embeddings, real embeddings and plain text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from sea_core.alignment.embedding_source import EmbeddingSource
from sea_core.errors import ModelError
from sea_core.model.embedding import Embedding, stack
from sea_core.model.mllm import MLLM
from sea_core.model.padding import IGNORE_INDEX, right_padded

REFERENCE_COLUMNS = ("ref_chosen_logps", "ref_rejected_logps")
"""What TRL precomputes with `precompute_ref_log_probs`."""


class Collator:
    """Makes a batch, for use inside `mllm.inject()`, from examples of `make_dataset`.

    An SFT batch has input_ids, attention_mask and labels. A DPO batch has the chosen rows first, then the rejected
    rows, as TRL expects, with completion_mask; every embedding occurs twice, in the same order. If examples are about
    media, the batch also has sea_embeds, sea_lengths and sea_grids (see `embedding.stack`).
    """

    def __init__(self, mllm: MLLM, embeddings: EmbeddingSource) -> None:
        self.mllm, self.embeddings = mllm, embeddings

    def __call__(self, examples: Sequence[Mapping[str, Any]]) -> dict[str, Tensor]:
        """Return the padded batch. `input_ids` is the first key: trainers take its length for the batch size.

        Raises:
            ModelError: a prompt's placeholders do not match its embedding. transformers only compares the totals of a
                batch, so a shift between two examples would go unnoticed.
        """
        is_dpo = "rejected_ids" in examples[0]
        answer_columns = ("chosen_ids", "rejected_ids") if is_dpo else ("answer_ids",)
        prompts = [example["prompt_ids"] for _ in answer_columns for example in examples]
        answers = [example[column] for column in answer_columns for example in examples]
        padded = right_padded(prompts, answers, self.mllm.pad_id, torch.device("cpu"))
        batch = {"input_ids": padded.input_ids, "attention_mask": padded.attention_mask}
        if is_dpo:
            batch["completion_mask"] = (padded.labels != IGNORE_INDEX).long()
        else:
            batch["labels"] = padded.labels
        for column in REFERENCE_COLUMNS:
            if column in examples[0]:
                batch[column] = torch.tensor([example[column] for example in examples])
        embeddings = [e for example in examples if (e := self._load_embedding(example)) is not None]
        return batch | (stack(embeddings * len(answer_columns)) if embeddings else {})

    def _load_embedding(self, example: Mapping[str, Any]) -> Embedding | None:
        """Return the embedding of an example, None for plain text."""
        embedding = self.embeddings.load(example["sea_key"], example["sea_sha256"]) if example["sea_key"] else None
        found = list(example["prompt_ids"]).count(self.mllm.placeholder_id)
        expected = 0 if embedding is None else self.mllm.count_placeholders(embedding)
        if found != expected:
            raise ModelError(
                f"the prompt of example {example['sea_id']!r} has {found} placeholders, its embedding needs {expected}",
                hint="Make the training set again from the run: sea align RUN --out NEW",
            )
        return embedding
