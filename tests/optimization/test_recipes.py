"""Recipes on the bundled models: each succeeds in its own way, and depends only on example, seed and draw."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar

import pytest
import torch
from torch import Generator, Tensor

from sea_core import SeaError
from sea_core.data import demo
from sea_core.data.examples import PreparedExample
from sea_core.errors import DataError
from sea_core.extraction.prepare import prepare
from sea_core.model.embedding import Embedding
from sea_core.model.media_folder import encode_files, media_files
from sea_core.model.mllm import MLLM
from sea_core.model.prompts import held_out_questions
from sea_core.optimization.config import OptimizeConfig
from sea_core.optimization.engine.parametrization import Parametrization
from sea_core.optimization.engine.scheduler import Engine
from sea_core.optimization.engine.select_forward import select_forward
from sea_core.optimization.engine.types import EngineConfig, OptimizationResult
from sea_core.optimization.optimizer import Optimization, make_task, optimize
from sea_core.optimization.parametrizations.benign import principal_directions
from sea_core.optimization.recipes.base import Recipe, RecipeContext
from sea_core.optimization.recipes.expand import expand, make_seed
from sea_core.optimization.recipes.goals import GoalsRecipe
from sea_core.optimization.recipes.hidden import HiddenRecipe
from sea_core.optimization.recipes.registry import RECIPES, parse_recipes
from sea_core.pipeline.read import read_examples
from sea_core.plugin import loader

MEDIA = Path(__file__).parents[2] / "plugins/llava/tests/media"
NAMES = [recipe.name for recipe in RECIPES]
QUICK = OptimizeConfig(loss=0.5, margin=0.0, steps=60)
"""Tasks finish after a few steps, and not all after the same number."""


@pytest.fixture(scope="module")
def benign(seeing: MLLM) -> list[Embedding]:
    return list(encode_files(seeing, media_files(MEDIA)))


@pytest.fixture(scope="module")
def examples(seeing: MLLM) -> tuple[PreparedExample, ...]:
    return prepare(read_examples(demo.DEMO_EXAMPLES).examples, seeing.adapter).prepared


def find_recipe(name: str) -> Recipe:
    return RECIPES.get(name)


def optimise_all(
    mllm: MLLM, examples: Sequence[PreparedExample], config: OptimizeConfig = QUICK, benign: Sequence[Embedding] = ()
) -> dict[str, OptimizationResult]:
    return {result.id: result for result in Optimization(mllm, examples, config, benign=benign).run()}


def features(result: OptimizationResult) -> Tensor:
    assert result.embedding is not None, result.reason
    return result.embedding.features


@torch.no_grad()
def gives_target_answers(mllm: MLLM, example: PreparedExample, embedding: Embedding) -> bool:
    """Return whether the most likely token is the target token everywhere, from the logits."""
    task = make_task(mllm, example, embedding)
    logits, targets, _ = mllm.answer_logits(mllm.batch(task.prompts, task.answers), [embedding] * len(example.goals))
    return torch.equal(logits.argmax(-1), targets)


# --- each recipe ------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def default_results(
    seeing: MLLM, examples: tuple[PreparedExample, ...], benign: list[Embedding]
) -> dict[str, dict[str, OptimizationResult]]:
    """Two examples by every recipe, with the default settings."""
    found: dict[str, dict[str, OptimizationResult]] = {}
    for recipe in RECIPES:
        todo = expand(examples[:2], [recipe], seeing.adapter)
        results = optimise_all(seeing, todo, OptimizeConfig(), benign)
        found[recipe.name] = {example.example.id: results[example.id] for example in todo}
    return found


@pytest.mark.parametrize("name", NAMES)
def test_a_recipe_succeeds_in_its_own_way(
    seeing: MLLM,
    examples: tuple[PreparedExample, ...],
    default_results: dict[str, dict[str, OptimizationResult]],
    name: str,
) -> None:
    for example in expand(examples[:2], [find_recipe(name)], seeing.adapter):
        result = default_results[name][example.example.id]
        assert result.status == "succeeded", result.reason
        assert result.embedding is not None
        assert gives_target_answers(seeing, example, result.embedding)
        others = [found[example.example.id] for other, found in default_results.items() if other != name]
        assert not any(torch.equal(features(result), features(other)) for other in others)


def test_plain_is_what_the_engine_does_without_recipes(
    seeing: MLLM, examples: tuple[PreparedExample, ...], default_results: dict[str, dict[str, OptimizationResult]]
) -> None:
    start, task = seeing.blank(), make_task(seeing, examples[0], seeing.blank())
    config = EngineConfig(0.1 * start.rms, (0.9, 0.999), steps=300, loss=0.01, margin=0.5, batch_size=1)
    (result,) = Engine(seeing, start, config, select_forward(seeing, start, [task])).run([task])
    assert torch.equal(features(result), features(default_results["plain"][examples[0].id]))


@pytest.mark.parametrize(("batch_size", "backwards"), [(3, True), (8, False)])
def test_an_embedding_depends_only_on_example_recipe_and_seed(
    seeing: MLLM,
    examples: tuple[PreparedExample, ...],
    benign: list[Embedding],
    alone: dict[str, OptimizationResult],
    batch_size: int,
    backwards: bool,
) -> None:
    """To the last bit, on a CPU."""
    todo = expand(examples[:3], RECIPES, seeing.adapter)
    together = optimise_all(seeing, todo[::-1] if backwards else todo, replace(QUICK, batch_size=batch_size), benign)
    assert together.keys() == alone.keys()
    for embedding_id, expected in alone.items():
        result = together[embedding_id]
        assert (result.steps, result.loss) == (expected.steps, expected.loss), embedding_id
        assert torch.equal(features(result), features(expected)), embedding_id


@pytest.fixture(scope="module")
def alone(
    seeing: MLLM, examples: tuple[PreparedExample, ...], benign: list[Embedding]
) -> dict[str, OptimizationResult]:
    """Three examples by every recipe, one at a time; they finish after different numbers of steps."""
    todo = expand(examples[:3], RECIPES, seeing.adapter)
    results = optimise_all(seeing, todo, replace(QUICK, batch_size=1), benign)
    for recipe in RECIPES:
        assert len({results[example.id].steps for example in todo if example.recipe == recipe.name}) > 1, recipe.name
    return results


@pytest.mark.parametrize("name", ["noise", "dropout", "benign-start"])
def test_another_seed_gives_another_embedding(
    seeing: MLLM,
    examples: tuple[PreparedExample, ...],
    benign: list[Embedding],
    alone: dict[str, OptimizationResult],
    name: str,
) -> None:
    todo = expand(examples[:3], [find_recipe(name)], seeing.adapter)
    again = optimise_all(seeing, todo, replace(QUICK, seed=5), benign)  # the styles are those of seed 0
    assert not all(torch.equal(features(again[example.id]), features(alone[example.id])) for example in todo)


def test_subspace_stays_in_the_subspace(
    examples: tuple[PreparedExample, ...],
    default_results: dict[str, dict[str, OptimizationResult]],
    benign: list[Embedding],
) -> None:
    mean, basis = principal_directions(torch.cat([embedding.features for embedding in benign]), 64)
    assert len(basis) == 64
    assert torch.allclose(basis @ basis.T, torch.eye(64), atol=1e-5)
    inside = features(default_results["subspace"][examples[0].id]) - mean
    assert (inside - inside @ basis.T @ basis).norm() < 1e-4 * inside.norm()
    outside = features(default_results["plain"][examples[0].id]) - mean
    assert (outside - outside @ basis.T @ basis).norm() > 0.05 * outside.norm()


def test_hidden_brings_hidden_states_closer_to_those_of_the_phrase(
    seeing: MLLM, examples: tuple[PreparedExample, ...], default_results: dict[str, dict[str, OptimizationResult]]
) -> None:
    measure = HiddenRecipe().parametrize(RecipeContext(seeing, seeing.blank()))(examples[0])
    distance = {
        name: measure.extra_loss(features(default_results[name][examples[0].id])) for name in ("hidden", "plain")
    }
    assert distance["hidden"] < 0.8 * distance["plain"]  # type: ignore[operator]


# --- the final embedding of stochastic recipes ------------------------------------------------------------------------


@dataclass(frozen=True, eq=False, kw_only=True)
class TwoEmbeddings(Parametrization):
    """Evaluates one E at every step, and another at the end."""

    stepped: Tensor
    kept: Tensor
    stochastic: ClassVar[bool] = True

    def forward(self, parameter: Tensor, rng: Generator) -> Tensor:
        return self.stepped + 0 * parameter

    def final(self, parameter: Tensor) -> Tensor:
        return self.kept


@pytest.fixture(scope="module")
def run_two(
    seeing: MLLM, examples: tuple[PreparedExample, ...], default_results: dict[str, dict[str, OptimizationResult]]
) -> Any:
    """Run a task whose successful embedding is that of its steps, or the final one; the other is the blank."""
    start, good = seeing.blank(), features(default_results["plain"][examples[0].id])
    task = make_task(seeing, examples[0], start)
    forward = select_forward(seeing, start, [task])

    def run(successful: str) -> OptimizationResult:
        stepped, kept = (good, start.features) if successful == "stepped" else (start.features, good)
        config = EngineConfig(0.01, (0.9, 0.999), steps=3, loss=0.02, margin=0.4, batch_size=1)
        engine = Engine(seeing, start, config, forward)
        (result,) = engine.run([replace(task, parametrization=TwoEmbeddings(stepped=stepped, kept=kept))])
        return result

    return run


def test_it_is_no_success_if_only_the_embedding_of_the_steps_succeeds(run_two: Any) -> None:
    result = run_two("stepped")
    assert (result.status, result.steps, result.embedding) == ("failed", 3, None)
    assert "the model says" in result.reason


def test_the_final_embedding_is_evaluated_when_the_steps_are_used_up(
    run_two: Any, examples: tuple[PreparedExample, ...], default_results: dict[str, dict[str, OptimizationResult]]
) -> None:
    """Otherwise a success would be missed, since the embedding of the steps never succeeds here."""
    result = run_two("kept")
    assert (result.status, result.steps) == ("succeeded", 3)
    assert torch.equal(features(result), features(default_results["plain"][examples[0].id]))


# --- examples, recipes, draws -----------------------------------------------------------------------------------------


def test_ids_and_styles_of_draws(seeing: MLLM, examples: tuple[PreparedExample, ...]) -> None:
    todo = expand(examples[:2], parse_recipes("plain,noise", media=False), seeing.adapter, draws=3)
    first = examples[0].id
    mine = [example for example in todo if example.example.id == first]
    plain, noise = [f"{first}#plain.{n}" for n in (1, 2)], [f"{first}#noise.{n}" for n in range(3)]
    assert [example.id for example in mine] == [first, *plain, *noise]
    assert (mine[0].goals, mine[0].style) == (examples[0].goals, examples[0].style)
    assert len({example.style for example in mine[:3]}) == 3
    for example in mine:
        assert example.style in example.goals[1].answer
        assert example.goals[0] == examples[0].goals[0]
    assert len({make_seed(example, 0) for example in todo}) == len(todo)


def test_more_draws_than_styles_are_an_error(seeing: MLLM, examples: tuple[PreparedExample, ...]) -> None:
    with pytest.raises(SeaError, match="there are 6 styles") as raised:
        expand(examples[:1], tuple(RECIPES)[:1], seeing.adapter, draws=7)
    assert "-o draws=6" in raised.value.hint


def test_two_embeddings_never_share_an_id(seeing: MLLM, examples: tuple[PreparedExample, ...]) -> None:
    twin = replace(examples[1], example=replace(examples[1].example, id=f"{examples[0].id}#noise.0"))
    with pytest.raises(SeaError, match="two embeddings would have the id"):
        expand([examples[0], twin], parse_recipes("plain,noise", media=False), seeing.adapter)


@pytest.mark.parametrize("kind", ["activity", "product"])
def test_no_goal_is_a_held_out_question(seeing: MLLM, examples: tuple[PreparedExample, ...], kind: str) -> None:
    example = next(example for example in examples if example.extraction.kind == kind and not example.example.harmful)
    asked = {goal.prompt for recipe in RECIPES for goal in recipe.goals(seeing.adapter, example)}
    assert len(asked) == 6
    assert not asked & {q for k in ("activity", "product") for q in held_out_questions(seeing.adapter, k)}


def test_a_harmful_example_gets_a_goal_of_complying_only_with_comply_all(
    seeing: MLLM, examples: tuple[PreparedExample, ...]
) -> None:
    harmful, harmless = (
        next(example for example in examples if example.example.harmful is harm) for harm in (True, False)
    )
    assert harmful.example.rejected not in {goal.answer for goal in GoalsRecipe().goals(seeing.adapter, harmful)}
    assert GoalsRecipe(comply="all").goals(seeing.adapter, harmful)[-1].answer == harmful.example.rejected
    for comply in ("benign", "all"):
        last = GoalsRecipe(comply=comply).goals(seeing.adapter, harmless)[-1]
        assert last.answer == harmless.example.chosen
        assert harmless.extraction.detoxified in last.prompt
    for example in (harmful, harmless):
        assert len(GoalsRecipe(comply="none").goals(seeing.adapter, example)) == 5
    refusing = replace(harmful, example=replace(harmful.example, rejected=None))
    assert len(GoalsRecipe(comply="all").goals(seeing.adapter, refusing)) == 5
    long = replace(harmful, example=replace(harmful.example, rejected="First do it. Then rest.\nThen go."))
    assert GoalsRecipe(comply="all").goals(seeing.adapter, long)[-1].answer == "First do it."
    numbered = replace(harmful, example=replace(harmful.example, rejected="1. Do it. 2. Go."))
    assert GoalsRecipe(comply="all").goals(seeing.adapter, numbered)[-1].answer == "Do it."
    with pytest.raises(SeaError, match="comply is 'some', but it must be benign, all or none"):
        GoalsRecipe(comply="some")


def test_pool_is_every_recipe_that_the_inputs_allow() -> None:
    assert [recipe.name for recipe in parse_recipes("pool", media=True)] == NAMES
    assert [recipe.name for recipe in parse_recipes("pool", media=False)] == NAMES[:-2]
    assert [recipe.name for recipe in parse_recipes("noise, plain", media=False)] == ["plain", "noise"]


@pytest.mark.parametrize(
    ("text", "expected", "advice"),
    [
        ("nois", "no recipe 'nois'", "'noise'"),
        ("x,plain", "no recipe 'x'", "Known: pool, plain, goals"),
        ("benign-start", "needs benign media", "--benign-media FOLDER"),
    ],
)
def test_a_recipe_that_cannot_be_used_is_an_error(text: str, expected: str, advice: str) -> None:
    with pytest.raises(SeaError, match=expected) as raised:
        parse_recipes(text, media=False)
    assert advice in raised.value.hint


# --- a recipe of a plugin ---------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class ShiftRecipe(Recipe):
    """Starts beside the blank embedding."""

    shift: float = 0.5

    name: ClassVar[str] = "shift"

    def parametrize(self, context: RecipeContext) -> Callable[[PreparedExample], Parametrization]:
        parametrization = ShiftParametrization(lr=self.lr, steps=self.steps, shift=self.shift * context.blank.rms)
        return lambda example: parametrization


@dataclass(frozen=True, eq=False, kw_only=True)
class ShiftParametrization(Parametrization):
    shift: float

    def parameter(self, start: Tensor, rng: Generator) -> Tensor:
        return super().parameter(start, rng) + self.shift


def test_a_known_recipe_of_a_plugin_is_found_by_name_and_in_pool() -> None:
    known = (*RECIPES, ShiftRecipe())
    assert parse_recipes("shift", media=False, known=known) == (ShiftRecipe(),)
    assert [recipe.name for recipe in parse_recipes("pool", media=True, known=known)] == [*NAMES, "shift"]


def test_a_recipe_of_a_plugin_makes_its_own_embeddings(
    seeing: MLLM, examples: tuple[PreparedExample, ...], default_results: dict[str, dict[str, OptimizationResult]]
) -> None:
    (example,) = expand(examples[:1], [ShiftRecipe()], seeing.adapter)
    (result,) = Optimization(seeing, [example], OptimizeConfig(), recipes=[ShiftRecipe()]).run()
    assert result.status == "succeeded", result.reason
    assert not torch.equal(features(result), features(default_results["plain"][examples[0].id]))


# --- the recipe input, with other encoders ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("plugin", "modality"), [("qwen2_audio", "audio"), ("qwen2_vl", "image"), ("qwen2_vl", "video")]
)
def test_the_input_of_other_encoders_is_trained_too(seeing: MLLM, plugin: str, modality: str) -> None:
    """`seeing` keeps torch on one thread."""
    _, adapter = loader.get_adapter(plugin, modality)
    adapter = replace(adapter, seconds=0.8) if modality == "audio" else adapter
    mllm = MLLM(adapter, *adapter.load(adapter.checkpoint, dtype=torch.float32, device="cpu"))
    prepared = prepare(read_examples(demo.DEMO_EXAMPLES).examples[:1], adapter).prepared
    (example,) = expand(prepared, [find_recipe("input")], adapter)
    result = optimise_all(mllm, [example], OptimizeConfig(loss=0.5, margin=0.0))[example.id]
    assert result.status == "succeeded", result.reason
    assert result.steps > 0


class WithoutEncoderGradient(MLLM):
    """Its encoder returns embeddings without a graph."""

    def encode_with_grad(self, inputs: Any, count: int = 1) -> list[Embedding]:
        with torch.no_grad():
            return super().encode_with_grad(inputs, count)


def test_examples_of_a_recipe_that_the_model_does_not_support_fail_with_a_reason(
    seeing: MLLM, examples: tuple[PreparedExample, ...]
) -> None:
    cut = WithoutEncoderGradient(seeing.adapter, seeing.model, seeing.processor)
    plain, by_input = expand(examples[:1], parse_recipes("plain,input", media=False), seeing.adapter)
    results = optimise_all(cut, [plain, by_input])
    assert results[plain.id].status == "succeeded"
    assert (results[by_input.id].status, results[by_input.id].steps) == ("failed", 0)
    assert results[by_input.id].reason.startswith("the recipe input cannot be used with this model: ")


# --- benign media -----------------------------------------------------------------------------------------------------


def test_media_of_another_size_are_an_error(seeing: MLLM, examples: tuple[PreparedExample, ...]) -> None:
    todo = expand(examples[:1], [find_recipe("benign-start")], seeing.adapter)
    elsewhere = Embedding(seeing.blank().features, grid=(1, 2, 3))
    with pytest.raises(DataError, match="none of the 1 benign media"):
        list(optimize(seeing, todo, QUICK, benign=[elsewhere]))


def test_shorter_and_longer_media_are_fitted_to_the_blank(mllm: MLLM, prepared: tuple[PreparedExample, ...]) -> None:
    start = mllm.blank()
    for count in (3, len(start) + 5):
        medium = Embedding(torch.full((count, start.features.shape[1]), 0.5))
        (example,) = expand(prepared[:1], [find_recipe("benign-start")], mllm.adapter)
        optimization = Optimization(mllm, [example], QUICK, benign=[medium])
        parameter = optimization.tasks[0].parametrization.parameter(start.features, torch.Generator())
        kept = min(count, len(start))
        assert parameter.shape == start.features.shape
        assert torch.equal(parameter[:kept], medium.features[:kept])
        assert torch.equal(parameter[kept:], start.features[kept:])
