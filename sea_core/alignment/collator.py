"""One collator for every modality and every mix of synthetic embeddings, encoded media and plain text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from sea_core.alignment.dataset import EmbeddingSource
from sea_core.errors import ModelError
from sea_core.model.embedding import Embedding, stack
from sea_core.model.mllm import MLLM
from sea_core.model.padding import IGNORED, right_padded


class Collator:
    """Rows of `examples.dataset` become a batch that the model takes inside `mllm.replaced()`.

    SFT: input_ids, attention_mask, labels. DPO: chosen rows, then rejected rows, as TRL wants them, with
    completion_mask; each embedding is there twice, in the same order. Where rows are about media, sea_embeds,
    sea_lengths and sea_grids (`embedding.stack`) come along.
    """

    def __init__(self, mllm: MLLM, embeddings: EmbeddingSource) -> None:
        self.mllm, self.embeddings = mllm, embeddings

    def __call__(self, rows: Sequence[Mapping[str, Any]]) -> dict[str, Tensor]:
        """Return the padded batch; `input_ids` comes first, whose length trainers take for the batch's.

        Raises:
            ModelError: a prompt's placeholders do not fit its embedding. The library compares the totals of a batch
                only, so a shift between two rows would pass in silence.
        """
        pairs = "rejected_ids" in rows[0]
        sides = ("chosen_ids", "rejected_ids") if pairs else ("answer_ids",)
        prompts, answers = [row["prompt_ids"] for _ in sides for row in rows], [row[s] for s in sides for row in rows]
        padded = right_padded(prompts, answers, self.mllm.pad_id, torch.device("cpu"))
        batch = {"input_ids": padded.input_ids, "attention_mask": padded.attention_mask}
        if pairs:
            batch["completion_mask"] = (padded.labels != IGNORED).long()
        else:
            batch["labels"] = padded.labels
        shown = [self._shown(row) for row in rows]
        media = [embedding for embedding in shown if embedding is not None]
        for name in ("ref_chosen_logps", "ref_rejected_logps"):
            if name in rows[0]:
                batch[name] = torch.tensor([row[name] for row in rows])
        return batch | (stack(media * len(sides)) if media else {})

    def _shown(self, row: Mapping[str, Any]) -> Embedding | None:
        places = list(row["prompt_ids"]).count(self.mllm.placeholder_id)
        embedding = self.embeddings.load(row["sea_key"], row["sea_sha256"]) if row["sea_key"] else None
        needed = 0 if embedding is None else self.mllm.adapter.placeholders(len(embedding))
        if places != needed:
            raise ModelError(
                f"the prompt of row {row['sea_id']!r} has {places} placeholders, its embedding needs {needed}",
                hint="Make the training set again from the run: sea align RUN --out NEW",
            )
        return embedding
