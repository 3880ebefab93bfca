"""A wrong derivation is refused, each by its own rule."""

from __future__ import annotations

from dataclasses import replace

import pytest
from families.pair import Pair
from families.pairs import find_pair

from sea_auto.decoder import find_decoder
from sea_auto.derive import Derivation, SeamSearch, derive
from sea_auto.prove import broken_rule
from sea_core.model.crossing import Crossing, ReplaySeam

TOWER, PROJECTOR = "model.vision_tower", "model.multi_modal_projector"
PATCHES = f"{TOWER}.embeddings.patch_embedding"


def derive_pair(pair: Pair) -> Derivation:
    return derive(pair.model, pair.a, pair.b, pair.token_id)


def problem_of(pair: Pair, derivation: Derivation) -> str:
    return broken_rule(pair.model, derivation, pair.a, pair.b)


def at_seam(pair: Pair, seam: ReplaySeam) -> Derivation:
    """Return a pair's derivation with another seam."""
    decoder = find_decoder(pair.model, pair.a, pair.b, (pair.token_id,))
    part = SeamSearch(pair.model, pair.a, pair.b, decoder).skipped_part(seam)
    return replace(derive_pair(pair), seam=seam, skipped_part=part)


WRONG = {
    "at the patch embedding": (
        ReplaySeam((Crossing(PATCHES, "output"),), (PATCHES,)),
        "the seam lies too early: 3% of the modules before the language model are skipped",
    ),
    "the encoder runs": (
        ReplaySeam((Crossing(PROJECTOR),), ()),
        "the seam lies too early: 0% of the modules before the language model are skipped",
    ),
    "the projector is skipped": (
        ReplaySeam((Crossing(PROJECTOR),), (TOWER, PROJECTOR)),
        "own embedding: the logits differ by",
    ),
    "past the projector": (
        ReplaySeam((Crossing("lm_head"),), (TOWER,)),
        "the forward pass never called the module lm_head",
    ),
}


@pytest.mark.parametrize("mistake", WRONG)
def test_a_wrong_seam_is_refused(mistake: str) -> None:
    pair = find_pair("llava", "image")
    seam, problem = WRONG[mistake]
    assert problem in problem_of(pair, at_seam(pair, seam))


def test_a_seam_that_misses_the_deep_features_is_refused() -> None:
    pair = find_pair("qwen3_vl", "image")
    right = derive_pair(pair)
    assert [crossing.module.rpartition("visual.")[2] for crossing in right.seam.crossings] == [
        "merger",
        "deepstack_merger_list.0",
        "deepstack_merger_list.1",
    ]
    wrong = at_seam(pair, replace(right.seam, crossings=right.seam.crossings[:1]))
    assert problem_of(pair, wrong) == "the medium reaches the language model past the seam"


def test_an_embedding_without_gradient_is_refused() -> None:
    pair = find_pair("llava", "image")
    derivation = derive_pair(pair)
    assert problem_of(pair, derivation) == ""
    projector = pair.model.get_submodule(PROJECTOR)
    with projector.register_forward_hook(lambda _module, _args, output: output.detach()):
        assert problem_of(pair, derivation) == f"no gradient reaches what crosses at {PROJECTOR}"


def test_an_embedding_of_codes_is_refused() -> None:
    pair = find_pair("chameleon", "image")
    assert problem_of(pair, derive_pair(pair)) == "E is made of codes: a small change of the medium does not change it"


SEAMS: dict[str, tuple[list[str], str]] = {
    # A projector that is deeper than the encoder of a tiny config: the seam stays before all of it.
    "idefics2": (["model.connector:input"], "model.vision_model"),
    # The modules after the first of DeepStack's crossings are the encoder's too.
    "qwen3_vl": (
        [f"model.visual.{name}:input" for name in ("merger", "deepstack_merger_list.0", "deepstack_merger_list.1")],
        "model.visual.patch_embed model.visual.blocks.0 model.visual.blocks.1 model.visual.blocks.2",
    ),
    # A norm of the encoder that runs after it.
    "kosmos-2": (["image_to_text_projection:input"], "vision_model vision_model.model.post_layernorm"),
}


@pytest.mark.parametrize("model_type", SEAMS)
def test_the_seam_is_the_encoders_output(model_type: str) -> None:
    pair = find_pair(model_type, "image")
    derivation = derive_pair(pair)
    seam = derivation.seam
    found = [f"{crossing.module}:{crossing.side}" for crossing in seam.crossings], " ".join(seam.skipped)
    assert found == SEAMS[model_type]
    assert problem_of(pair, derivation) == ""
