"""A linear probe: logistic regression on the decoder's hidden states at the medium's tokens."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from sea_core.model.embedding import Embedding
from sea_core.model.mllm import MLLM
from sea_core.model.prompts import held_out_questions

MAX_ITERATIONS = 500


@torch.no_grad()
def compute_feature(mllm: MLLM, embedding: Embedding, layer: int) -> Tensor:
    """Return the input of decoder layer `layer`, averaged over the medium's tokens: (d_llm,) in fp64."""
    question = held_out_questions(mllm.adapter, "activity")[0]  # the same for all media, whatever they show
    ids = mllm.prompt_ids(question, embedding)
    is_medium = torch.tensor(ids, device=mllm.device) == mllm.placeholder_id
    return mllm.hidden_states(ids, layer, embedding)[is_medium].cpu().double().mean(0)


class LinearProbe:
    """Multinomial logistic regression on standardised features (mean and standard deviation of the training set)."""

    def __init__(self, features: Tensor, labels: Sequence[str], l2: float) -> None:
        """Fit to features (n, d) and n labels.

        The loss is the summed cross-entropy plus l2 / 2 times the sum of the squared weights.
        """
        self.classes = sorted(set(labels))
        std = features.std(0, correction=0)
        self.mean, self.std = features.mean(0), torch.where(std > 0, std, 1.0)
        standardised = (features - self.mean) / self.std
        target = torch.tensor([self.classes.index(label) for label in labels])
        self.weight = torch.zeros(len(self.classes), features.shape[1], dtype=features.dtype, requires_grad=True)
        self.bias = torch.zeros(len(self.classes), dtype=features.dtype, requires_grad=True)
        lbfgs = torch.optim.LBFGS(
            [self.weight, self.bias], max_iter=MAX_ITERATIONS, history_size=10, line_search_fn="strong_wolfe"
        )

        def loss() -> Tensor:
            lbfgs.zero_grad()
            logits = standardised @ self.weight.T + self.bias
            cross_entropy = torch.nn.functional.cross_entropy(logits, target, reduction="sum")
            total = (cross_entropy + l2 / 2 * self.weight.square().sum()) / len(target)
            total.backward()  # type: ignore[no-untyped-call]
            return total

        lbfgs.step(loss)  # type: ignore[no-untyped-call]

    @torch.no_grad()
    def predict(self, features: Tensor) -> list[str]:
        """Return the most likely label for each of (n, d) features."""
        logits = (features - self.mean) / self.std @ self.weight.T + self.bias
        return [self.classes[i] for i in logits.argmax(1).tolist()]
