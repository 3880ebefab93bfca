"""Let the language model attend in the way that trains faster on a CPU."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import torch

from sea_core.alignment.dataset import ANSWER_COLUMNS
from sea_core.model.mllm import MLLM

if TYPE_CHECKING:
    from datasets import Dataset

LONGEST = 256
"""Of examples, in tokens. Eager attention stores weights for each pair of tokens."""
HALVES = (torch.bfloat16, torch.float16)


@contextmanager
def eager_on_a_cpu(mllm: MLLM, data: Dataset) -> Iterator[None]:
    """Use eager attention in place of sdpa's inside the block, on a CPU in half precision, if all examples are short.

    torch has no fast sdpa there: a training step of a language model of 135 million weights takes 15 to 28 % less time
    (docs/performance.md). In fp32 there is no difference. The losses are the same up to rounding.
    """
    language_model: Any = mllm.adapter.language_model(mllm.model)
    config = language_model.config
    own = getattr(config, "_attn_implementation", None)
    is_slow = own == "sdpa" and mllm.device.type == "cpu" and mllm.dtype in HALVES
    if not is_slow or _longest(data) > LONGEST:
        yield
        return
    config._attn_implementation = "eager"  # the layers read it at each call
    try:
        yield
    finally:
        config._attn_implementation = own


def _longest(data: Dataset) -> int:
    """Return the length of the longest example, in tokens."""
    prompts = [len(ids) for ids in data["prompt_ids"]]
    answers = [[len(ids) for ids in data[name]] for name in ANSWER_COLUMNS if name in data.column_names]
    return max(prompt + answer for column in answers for prompt, answer in zip(prompts, column, strict=True))
