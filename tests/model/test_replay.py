"""Replay: the model's own forward pass with another E, on the bundled models, which splicing carries too."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from helpers.fixtures import in_dtype
from helpers.replaying import ReplayedAudio, ReplayedImage, ReplayedLlava, ReplayedVideo
from sea_core import ModelError
from sea_core.model.adapter import Adapter
from sea_core.model.crossing import Crossing, ReplaySeam
from sea_core.model.mllm import MLLM
from sea_core.model.noise import noise_like
from sea_core.model.proof import check_seam
from sea_core.model.replay import join, part
from sea_core.model.seam import called

ADAPTERS = [ReplayedLlava(), ReplayedAudio(seconds=2), ReplayedImage(), ReplayedVideo()]


@cache
def load(adapter: Adapter) -> tuple[MLLM, MLLM]:
    """Return one model, replayed and spliced."""
    loaded = adapter.load(adapter.checkpoint, dtype=torch.float32, device="cpu")
    spliced: Any = type(adapter).__bases__[0](**vars(adapter))
    return MLLM(adapter, *loaded), MLLM(spliced, *loaded)


by_modality = pytest.mark.parametrize("adapter", ADAPTERS, ids=lambda adapter: type(adapter).__name__)


@by_modality
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16], ids=str)
def test_the_proof_holds(adapter: Adapter, dtype: torch.dtype) -> None:
    check_seam(in_dtype(load(adapter)[0], dtype))


@by_modality
def test_the_decoder_is_not_run_for_an_embedding(adapter: Adapter) -> None:
    for mllm in load(adapter):
        layers = mllm.adapter.language_model(mllm.model).get_submodule("layers")
        with called(layers) as modules:
            mllm.encode([mllm.adapter.blank_input(mllm.processor)])
        assert modules == []


@by_modality
def test_a_replayed_model_answers_and_learns_as_a_spliced_one(adapter: Adapter) -> None:
    blank = adapter.blank_input(load(adapter)[0].processor)
    question, found = f"What is the style of the {adapter.noun}?", []
    for mllm in load(adapter):
        embeddings = [e.with_features(e.features.requires_grad_()) for e in mllm.encode([noise_like(blank), blank])]
        batch = mllm.batch([mllm.prompt_ids(question, e) for e in embeddings], [mllm.answer_ids("It is loud.")] * 2)
        logits = mllm.answer_logits(batch, embeddings)[0]
        logits.square().sum().backward()
        assert all(e.features.grad is not None and e.features.grad.abs().sum(1).min() > 0 for e in embeddings)
        found.append((mllm.generate([question] * 2, embeddings, 12), logits.detach(), embeddings[0].features.grad))
    (replayed, spliced) = found
    assert replayed[0] == spliced[0]
    assert torch.allclose(replayed[1], spliced[1], atol=1e-4)
    assert torch.allclose(replayed[2], spliced[2], rtol=1e-3, atol=1e-4 * float(spliced[2].abs().max()))


def test_media_of_several_sizes_are_answered_in_batches_of_one_size() -> None:
    mllm, _ = load(ReplayedImage())
    media = [ReplayedImage().medium_of(size, mllm.processor) for size in ((112, 112), (224, 112), (112, 112))]
    embeddings = mllm.encode([noise_like(medium) for medium in media])
    assert [e.grid for e in embeddings] == [(112, 112), (224, 112), (112, 112)]
    questions = ["What is it?", "Which style is it?", "Who is there?"]
    alone = [mllm.generate([q], [e], 8)[0] for q, e in zip(questions, embeddings, strict=True)]
    assert mllm.generate(questions, embeddings, 8) == alone


def test_nothing_of_a_replay_remains_after_an_error() -> None:
    mllm, _ = load(ReplayedLlava())
    (embedding,) = mllm.encode([mllm.adapter.blank_input(mllm.processor)])
    hooks = [len(m._forward_pre_hooks) + len(m._forward_hooks) for m in mllm.model.modules()]
    with pytest.raises(KeyboardInterrupt), mllm.inject([embedding]):
        raise KeyboardInterrupt
    with pytest.raises(ModelError, match="crosses the seam"):
        mllm.generate(["What is it?"], [replace(embedding, features=embedding.features[:3])], 1)
    assert [len(m._forward_pre_hooks) + len(m._forward_hooks) for m in mllm.model.modules()] == hooks
    assert all("forward" not in vars(module) for module in mllm.model.modules())


class Elsewhere(ReplayedLlava):
    seam: ReplaySeam

    def replay(self, model: Any) -> ReplaySeam:
        return self.seam


EMBEDDINGS = "model.vision_tower.embeddings.patch_embedding"


@pytest.mark.parametrize(
    ("seam", "problem"),
    [
        (ReplaySeam((Crossing("lm_head"),), ("model.vision_tower",)), "never called the module lm_head"),
        (ReplaySeam((Crossing(EMBEDDINGS, "output"),), (EMBEDDINGS,)), "the seam lies too early"),
        (ReplaySeam((Crossing("model.multi_modal_projector"),), ()), "the seam lies too early: 0 of"),
        (ReplaySeam((Crossing("model.multi_modal_projector.linear_2"),), ("model.vision_tower",)), None),
    ],
)
def test_a_wrong_seam_is_refused(seam: ReplaySeam, problem: str | None) -> None:
    """A seam within the projector holds all that is known of the medium: it is late, and not wrong."""
    adapter = type("At", (Elsewhere,), {"seam": seam})()
    mllm = MLLM(adapter, load(ReplayedLlava())[0].model, load(ReplayedLlava())[0].processor)
    if problem is None:
        check_seam(mllm)
    else:
        with pytest.raises(ModelError, match=problem):
            check_seam(mllm)


shapes = st.lists(
    st.tuples(st.integers(1, 3), st.integers(1, 4), st.sampled_from([2, 4])).map(torch.Size), min_size=1, max_size=3
)


@given(shapes, st.booleans())
def test_tensors_of_any_shapes_are_one_embedding_and_come_back(sizes: list[torch.Size], scaled: bool) -> None:
    crossed: list[list[Tensor]] = [[torch.randn(size)] for size in sizes]
    scales = tuple(2.0**i for i in range(len(sizes))) if scaled else ()
    features = join(crossed, scales)
    assert features.ndim == 2
    layout = tuple((size,) for size in sizes)
    back = part(features, layout, scales)
    assert all(torch.equal(a[0], b[0]) for a, b in zip(back, crossed, strict=True))
    with pytest.raises(ModelError, match="crosses the seam"):
        part(features[:-1], layout, scales)
