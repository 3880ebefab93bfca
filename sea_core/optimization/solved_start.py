"""`-o start=solved`: E starts at the mean of the run's first embeddings, which start at the blank themselves.

Which embeddings these are follows from the data alone, and each of them from its own example. So the start is the same
for whoever resumes a run, and no other embedding depends on what was finished before it.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch

from sea_core.data.examples import PreparedExample
from sea_core.errors import SeaError
from sea_core.model.embedding import Embedding

EXAMPLES = 8
"""How many embeddings the mean is taken of."""


def first_examples(examples: Sequence[PreparedExample]) -> list[PreparedExample]:
    """Return the examples whose embeddings start at the blank: the first ones of the recipe `plain`, in file order.

    Args:
        examples: one for each embedding of the run, as `expand` returns them.

    Raises:
        SeaError: there are fewer than EXAMPLES.
    """
    first = [example for example in examples if example.recipe == "plain" and example.draw == 0][:EXAMPLES]
    if len(first) < EXAMPLES:
        raise SeaError(
            f"start=solved takes the mean of the first {EXAMPLES} embeddings of the recipe plain, but there are "
            f"{len(first)}",
            hint="Give more examples, add plain to --recipe, or use -o start=blank.",
        )
    return first


def mean_start(embeddings: Sequence[Embedding]) -> Embedding:
    """Return the mean of embeddings of one size, (n_features, d_encoder) in fp32 or wider, in their order.

    Raises:
        SeaError: there are none.
    """
    if not embeddings:
        raise SeaError(
            f"none of the first {EXAMPLES} examples succeeded, so there is no start for the others",
            hint="Type -o steps=1000 to allow more steps, -o lr=auto to find another rate, or use -o start=blank.",
        )
    features = torch.stack([embedding.features.cpu() for embedding in embeddings])
    wide = torch.promote_types(features.dtype, torch.float32)
    return embeddings[0].with_features(features.to(wide).mean(0))
