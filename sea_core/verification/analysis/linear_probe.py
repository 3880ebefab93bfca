"""A linear probe: logistic regression on what the decoder makes of a medium's tokens."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from sea_core.model.embedding import Embedding
from sea_core.model.mllm import MLLM
from sea_core.model.prompts import verify_questions

STEPS = 500


@torch.no_grad()
def feature(mllm: MLLM, embedding: Embedding, layer: int) -> Tensor:
    """Return the mean over the medium's tokens of what decoder layer `layer` receives: (d_llm,) in fp64."""
    question = verify_questions(mllm.adapter, "activity")[0]  # one for all media, whatever they show
    ids = mllm.prompt_ids(question, len(embedding))
    places = torch.tensor(ids, device=mllm.device) == mllm.placeholder_id
    return mllm.hidden_states(ids, layer, embedding)[places].cpu().double().mean(0)


class LinearProbe:
    """Multinomial logistic regression, on features standardised by the mean and spread of those it was fitted on."""

    def __init__(self, features: Tensor, labels: Sequence[str], l2: float) -> None:
        """Fit features (n, d) to n labels: the summed cross-entropy plus l2 / 2 times the squared weights."""
        self.classes = sorted(set(labels))
        spread = features.std(0, correction=0)
        self.mean, self.spread = features.mean(0), torch.where(spread > 0, spread, 1.0)
        known = (features - self.mean) / self.spread
        target = torch.tensor([self.classes.index(label) for label in labels])
        self.weight = torch.zeros(len(self.classes), features.shape[1], dtype=features.dtype, requires_grad=True)
        self.bias = torch.zeros(len(self.classes), dtype=features.dtype, requires_grad=True)
        lbfgs = torch.optim.LBFGS(
            [self.weight, self.bias], max_iter=STEPS, history_size=10, line_search_fn="strong_wolfe"
        )

        def loss() -> Tensor:
            lbfgs.zero_grad()
            entropy = torch.nn.functional.cross_entropy(known @ self.weight.T + self.bias, target, reduction="sum")
            total = (entropy + l2 / 2 * self.weight.square().sum()) / len(target)
            total.backward()  # type: ignore[no-untyped-call]
            return total

        lbfgs.step(loss)  # type: ignore[no-untyped-call]

    @torch.no_grad()
    def predict(self, features: Tensor) -> list[str]:
        """Return the likeliest label for each of (n, d) features."""
        scores = (features - self.mean) / self.spread @ self.weight.T + self.bias
        return [self.classes[i] for i in scores.argmax(1).tolist()]
