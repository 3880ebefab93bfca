"""Recipes on the bundled models: each solves rows its own way, and depends on nothing but row, seed and draw."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar

import pytest
import torch
from torch import Generator, Tensor

from helpers.cli import expect_error, sea
from sea_core import SeaError
from sea_core.data import demo
from sea_core.data.examples import PreparedExample
from sea_core.data.read import read_examples
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
from sea_core.optimization.recipes.base import Recipe, RecipeContext
from sea_core.optimization.recipes.benign import principal_directions
from sea_core.optimization.recipes.expand import expand, make_seed
from sea_core.optimization.recipes.goals import GoalsRecipe
from sea_core.optimization.recipes.hidden import HiddenRecipe
from sea_core.optimization.recipes.registry import RECIPES, parse_recipes
from sea_core.plugin import loader
from sea_core.runs.embedding_run import EmbeddingRun
from sea_core.verification.metrics import uncovered_examples

MEDIA = Path(__file__).parents[2] / "plugins/llava/tests/media"
NAMES = [recipe.name for recipe in RECIPES]
SOON = OptimizeConfig(loss=0.5, margin=0.0, steps=60)
"""Rows end after a few steps, and not all after the same number."""


@pytest.fixture(scope="module")
def benign(seeing: MLLM) -> list[Embedding]:
    return list(encode_files(seeing, media_files(MEDIA)))


@pytest.fixture(scope="module")
def rows(seeing: MLLM) -> tuple[PreparedExample, ...]:
    return prepare(read_examples(demo.DEMO_EXAMPLES).examples, seeing.adapter).prepared


def recipe(name: str) -> Recipe:
    return next(one for one in RECIPES if one.name == name)


def made(
    mllm: MLLM, rows: Sequence[PreparedExample], config: OptimizeConfig = SOON, benign: Sequence[Embedding] = ()
) -> dict[str, OptimizationResult]:
    return {outcome.id: outcome for outcome in Optimization(mllm, rows, config, benign=benign).run()}


def e(outcome: OptimizationResult) -> Tensor:
    assert outcome.embedding is not None, outcome.reason
    return outcome.embedding.features


@torch.no_grad()
def says(mllm: MLLM, row: PreparedExample, embedding: Embedding) -> bool:
    """Tell, from the bare logits, whether the model says every goal of the row."""
    task = make_task(mllm, row, len(embedding))
    logits, targets, _ = mllm.answer_logits(mllm.batch(task.prompts, task.answers), [embedding] * len(row.goals))
    return torch.equal(logits.argmax(-1), targets)


# --- each recipe ------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def whole(
    seeing: MLLM, rows: tuple[PreparedExample, ...], benign: list[Embedding]
) -> dict[str, dict[str, OptimizationResult]]:
    """Two rows by every recipe, to the end and with the settings that users get."""
    found: dict[str, dict[str, OptimizationResult]] = {}
    for one in RECIPES:
        todo = expand(rows[:2], [one], seeing.adapter)
        outcomes = made(seeing, todo, OptimizeConfig(), benign)
        found[one.name] = {row.example.id: outcomes[row.id] for row in todo}
    return found


@pytest.mark.parametrize("name", NAMES)
def test_a_recipe_solves_rows_in_a_way_of_its_own(
    seeing: MLLM, rows: tuple[PreparedExample, ...], whole: dict[str, dict[str, OptimizationResult]], name: str
) -> None:
    for row in expand(rows[:2], [recipe(name)], seeing.adapter):
        outcome = whole[name][row.example.id]
        assert outcome.status == "succeeded", outcome.reason
        assert outcome.embedding is not None
        assert says(seeing, row, outcome.embedding)
        others = [found[row.example.id] for other, found in whole.items() if other != name]
        assert not any(torch.equal(e(outcome), e(other)) for other in others)


def test_plain_is_what_the_engine_makes_without_recipes(
    seeing: MLLM, rows: tuple[PreparedExample, ...], whole: dict[str, dict[str, OptimizationResult]]
) -> None:
    start, task = seeing.blank(), make_task(seeing, rows[0], len(seeing.blank()))
    rules = EngineConfig(0.1 * start.rms, (0.9, 0.999), steps=300, loss=0.01, margin=0.5, batch_size=1)
    (outcome,) = Engine(seeing, start, rules, select_forward(seeing, start, [task])).run([task])
    assert torch.equal(e(outcome), e(whole["plain"][rows[0].id]))


@pytest.mark.parametrize(("slots", "backwards"), [(3, True), (8, False)])
def test_an_embedding_depends_on_nothing_but_row_recipe_and_seed(
    seeing: MLLM,
    rows: tuple[PreparedExample, ...],
    benign: list[Embedding],
    alone: dict[str, OptimizationResult],
    slots: int,
    backwards: bool,
) -> None:
    """To the last bit, on a CPU."""
    todo = expand(rows[:3], RECIPES, seeing.adapter)
    together = made(seeing, todo[::-1] if backwards else todo, replace(SOON, batch_size=slots), benign)
    assert together.keys() == alone.keys()
    for row_id, wanted in alone.items():
        assert (together[row_id].steps, together[row_id].loss) == (wanted.steps, wanted.loss), row_id
        assert torch.equal(e(together[row_id]), e(wanted)), row_id


@pytest.fixture(scope="module")
def alone(seeing: MLLM, rows: tuple[PreparedExample, ...], benign: list[Embedding]) -> dict[str, OptimizationResult]:
    """Three rows by every recipe, one at a time; they end after different numbers of steps."""
    todo = expand(rows[:3], RECIPES, seeing.adapter)
    outcomes = made(seeing, todo, replace(SOON, batch_size=1), benign)
    for one in RECIPES:
        assert len({outcomes[row.id].steps for row in todo if row.recipe == one.name}) > 1, one.name
    return outcomes


@pytest.mark.parametrize("name", ["noise", "dropout", "benign-start"])
def test_another_seed_gives_another_embedding(
    seeing: MLLM,
    rows: tuple[PreparedExample, ...],
    benign: list[Embedding],
    alone: dict[str, OptimizationResult],
    name: str,
) -> None:
    todo = expand(rows[:3], [recipe(name)], seeing.adapter)
    again = made(seeing, todo, replace(SOON, seed=5), benign)  # the styles are those of seed 0
    assert not all(torch.equal(e(again[row.id]), e(alone[row.id])) for row in todo)


def test_subspace_stays_in_the_subspace(
    rows: tuple[PreparedExample, ...], whole: dict[str, dict[str, OptimizationResult]], benign: list[Embedding]
) -> None:
    mean, basis = principal_directions(torch.cat([one.features for one in benign]), 64)
    assert len(basis) == 64
    assert torch.allclose(basis @ basis.T, torch.eye(64), atol=1e-5)
    inside = e(whole["subspace"][rows[0].id]) - mean
    assert (inside - inside @ basis.T @ basis).norm() < 1e-4 * inside.norm()
    outside = e(whole["plain"][rows[0].id]) - mean
    assert (outside - outside @ basis.T @ basis).norm() > 0.05 * outside.norm()


def test_hidden_states_come_nearer_to_those_of_the_text(
    seeing: MLLM, rows: tuple[PreparedExample, ...], whole: dict[str, dict[str, OptimizationResult]]
) -> None:
    measure = HiddenRecipe().parametrize(RecipeContext(seeing, seeing.blank()))(rows[0])
    distance = {name: measure.extra_loss(e(whole[name][rows[0].id])) for name in ("hidden", "plain")}
    assert distance["hidden"] < 0.8 * distance["plain"]  # type: ignore[operator]


# --- the clean look ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False, kw_only=True)
class Masked(Parametrization):
    """Shows one E whatever is trained, and keeps another."""

    mask: Tensor
    face: Tensor
    stochastic: ClassVar[bool] = True

    def forward(self, leaf: Tensor, rng: Generator) -> Tensor:
        return self.mask + 0 * leaf

    def final(self, leaf: Tensor) -> Tensor:
        return self.face


@pytest.fixture(scope="module")
def masked(seeing: MLLM, rows: tuple[PreparedExample, ...], whole: dict[str, dict[str, OptimizationResult]]) -> Any:
    """Return what becomes of a row that shows its good embedding (or the blank) and keeps the other."""
    start, good = seeing.blank(), e(whole["plain"][rows[0].id])
    task = make_task(seeing, rows[0], len(start))
    forward = select_forward(seeing, start, [task])

    def run(good_one: str) -> OptimizationResult:
        mask, face = (good, start.features) if good_one == "shown" else (start.features, good)
        rules = EngineConfig(0.01, (0.9, 0.999), steps=3, loss=0.02, margin=0.4, batch_size=1)
        engine = Engine(seeing, start, rules, forward)
        (outcome,) = engine.run([replace(task, parametrization=Masked(mask=mask, face=face))])
        return outcome

    return run


def test_what_only_the_shown_embedding_satisfies_is_no_success(masked: Any) -> None:
    outcome = masked("shown")
    assert (outcome.status, outcome.steps, outcome.embedding) == ("failed", 3, None)
    assert "the model says" in outcome.reason


def test_the_clean_embedding_is_what_is_kept(
    masked: Any, rows: tuple[PreparedExample, ...], whole: dict[str, dict[str, OptimizationResult]]
) -> None:
    """What is shown never passes here: the clean E is looked at when the budget ends, so that no success is missed."""
    outcome = masked("kept")
    assert (outcome.status, outcome.steps) == ("succeeded", 3)
    assert torch.equal(e(outcome), e(whole["plain"][rows[0].id]))


# --- rows, recipes, draws ---------------------------------------------------------------------------------------------


def test_ids_and_styles_of_draws(seeing: MLLM, rows: tuple[PreparedExample, ...]) -> None:
    todo = expand(rows[:2], parse_recipes("plain,noise", media=False), seeing.adapter, draws=3)
    first = rows[0].id
    mine = [row for row in todo if row.example.id == first]
    plain, noise = [f"{first}#plain.{n}" for n in (1, 2)], [f"{first}#noise.{n}" for n in range(3)]
    assert [row.id for row in mine] == [first, *plain, *noise]
    assert (mine[0].goals, mine[0].style) == (rows[0].goals, rows[0].style)
    assert len({row.style for row in mine[:3]}) == 3
    for row in mine:
        assert row.style in row.goals[1].answer
        assert row.goals[0] == rows[0].goals[0]
    assert len({make_seed(row, 0) for row in todo}) == len(todo)


def test_more_draws_than_styles_would_repeat(seeing: MLLM, rows: tuple[PreparedExample, ...]) -> None:
    with pytest.raises(SeaError, match="there are 6 styles") as raised:
        expand(rows[:1], tuple(RECIPES)[:1], seeing.adapter, draws=7)
    assert "-o draws=6" in raised.value.hint


def test_two_embeddings_never_share_an_id(seeing: MLLM, rows: tuple[PreparedExample, ...]) -> None:
    twin = replace(rows[1], example=replace(rows[1].example, id=f"{rows[0].id}#noise.0"))
    with pytest.raises(SeaError, match="two embeddings would have the id"):
        expand([rows[0], twin], parse_recipes("plain,noise", media=False), seeing.adapter)


@pytest.mark.parametrize("kind", ["activity", "product"])
def test_no_goal_has_the_words_of_a_held_out_question(
    seeing: MLLM, rows: tuple[PreparedExample, ...], kind: str
) -> None:
    row = next(row for row in rows if row.extraction.kind == kind and not row.example.harmful)
    asked = {goal.prompt for one in RECIPES for goal in one.goals(seeing.adapter, row)}
    assert len(asked) == 6
    assert not asked & {q for k in ("activity", "product") for q in held_out_questions(seeing.adapter, k)}


def test_a_harmful_row_is_made_to_comply_only_where_that_is_asked_for(
    seeing: MLLM, rows: tuple[PreparedExample, ...]
) -> None:
    harmful, harmless = (next(row for row in rows if row.example.harmful is harm) for harm in (True, False))
    assert harmful.example.rejected not in {goal.answer for goal in GoalsRecipe().goals(seeing.adapter, harmful)}
    assert GoalsRecipe(comply="all").goals(seeing.adapter, harmful)[-1].answer == harmful.example.rejected
    for comply in ("benign", "all"):
        last = GoalsRecipe(comply=comply).goals(seeing.adapter, harmless)[-1]
        assert last.answer == harmless.example.chosen
        assert harmless.extraction.detoxified in last.prompt
    for row in (harmful, harmless):
        assert len(GoalsRecipe(comply="none").goals(seeing.adapter, row)) == 5
    refusing = replace(harmful, example=replace(harmful.example, rejected=None))
    assert len(GoalsRecipe(comply="all").goals(seeing.adapter, refusing)) == 5
    long = replace(harmful, example=replace(harmful.example, rejected="First do it. Then rest.\nThen go."))
    assert GoalsRecipe(comply="all").goals(seeing.adapter, long)[-1].answer == "First do it."
    numbered = replace(harmful, example=replace(harmful.example, rejected="1. Do it. 2. Go."))
    assert GoalsRecipe(comply="all").goals(seeing.adapter, numbered)[-1].answer == "Do it."
    with pytest.raises(SeaError, match="comply is 'some', but it must be benign, all or none"):
        GoalsRecipe(comply="some")


def test_pool_is_every_recipe_that_the_material_allows() -> None:
    assert [one.name for one in parse_recipes("pool", media=True)] == NAMES
    assert [one.name for one in parse_recipes("pool", media=False)] == NAMES[:-2]
    assert [one.name for one in parse_recipes("noise, plain", media=False)] == ["plain", "noise"]


@pytest.mark.parametrize(
    ("text", "expected", "advice"),
    [
        ("nois", "no recipe 'nois'", "'noise'"),
        ("x,plain", "no recipe 'x'", "Known: pool, plain, goals"),
        ("benign-start", "needs benign media", "--benign-media FOLDER"),
    ],
)
def test_a_recipe_that_cannot_be_is_refused(text: str, expected: str, advice: str) -> None:
    with pytest.raises(SeaError, match=expected) as raised:
        parse_recipes(text, media=False)
    assert advice in raised.value.hint


# --- the input, through other encoders --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("plugin", "modality"), [("qwen2_audio", "audio"), ("qwen2_vl", "image"), ("qwen2_vl", "video")]
)
def test_the_input_of_other_encoders_is_trained_too(seeing: MLLM, plugin: str, modality: str) -> None:
    """Each row ends at its first good look; `seeing` keeps torch on one thread."""
    _, adapter = loader.get_adapter(plugin, modality)
    adapter = replace(adapter, seconds=0.8) if modality == "audio" else adapter
    mllm = MLLM(adapter, *adapter.load(adapter.checkpoint, dtype=torch.float32, device="cpu"))
    prepared = prepare(read_examples(demo.DEMO_EXAMPLES).examples[:1], adapter).prepared
    (row,) = expand(prepared, [recipe("input")], adapter)
    outcome = made(mllm, [row], OptimizeConfig(loss=0.5, margin=0.0))[row.id]
    assert outcome.status == "succeeded", outcome.reason
    assert outcome.steps > 0


class Cut(MLLM):
    """An encoder through which no gradient gets."""

    def encode_with_grad(self, inputs: Any, count: int = 1) -> list[Embedding]:
        with torch.no_grad():
            return super().encode_with_grad(inputs, count)


def test_rows_of_a_recipe_that_this_model_does_not_allow_say_so(
    seeing: MLLM, rows: tuple[PreparedExample, ...]
) -> None:
    cut = Cut(seeing.adapter, seeing.model, seeing.processor)
    plain, by_input = expand(rows[:1], parse_recipes("plain,input", media=False), seeing.adapter)
    outcomes = made(cut, [plain, by_input])
    assert outcomes[plain.id].status == "succeeded"
    assert (outcomes[by_input.id].status, outcomes[by_input.id].steps) == ("failed", 0)
    assert outcomes[by_input.id].reason.startswith("the recipe input cannot be used with this model: ")


# --- benign media -----------------------------------------------------------------------------------------------------


def test_media_of_another_size_are_refused(seeing: MLLM, rows: tuple[PreparedExample, ...]) -> None:
    todo = expand(rows[:1], [recipe("benign-start")], seeing.adapter)
    elsewhere = Embedding(seeing.blank().features, grid=(1, 2, 3))
    with pytest.raises(DataError, match="none of the 1 benign media"):
        list(optimize(seeing, todo, SOON, benign=[elsewhere]))


def test_shorter_and_longer_media_are_laid_over_the_blank(mllm: MLLM, prepared: tuple[PreparedExample, ...]) -> None:
    start = mllm.blank()
    for count in (3, len(start) + 5):
        medium = Embedding(torch.full((count, start.features.shape[1]), 0.5))
        (row,) = expand(prepared[:1], [recipe("benign-start")], mllm.adapter)
        work = Optimization(mllm, [row], SOON, benign=[medium])
        leaf = work.tasks[0].parametrization.parameter(start.features, torch.Generator())
        kept = min(count, len(start))
        assert leaf.shape == start.features.shape
        assert torch.equal(leaf[:kept], medium.features[:kept])
        assert torch.equal(leaf[kept:], start.features[kept:])


def test_media_files_are_found_in_order_and_notes_are_none(tmp_path: Path) -> None:
    for name in ("b.png", "a/c.png", "metadata.jsonl", ".hidden.png", ".git/x.png"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    assert [str(path.relative_to(tmp_path)) for path in media_files(tmp_path)] == ["a/c.png", "b.png"]
    with pytest.raises(DataError, match="no such file or folder"):
        media_files(tmp_path / "none")
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match="no media in this folder"):
        media_files(tmp_path / "empty")


# --- as a person types it ---------------------------------------------------------------------------------------------

QUICK = ("-o", "loss=0.5", "-o", "margin=0", "-o", "steps=60", "--no-verify")


def optimise(out: Path, *more: object) -> tuple[object, ...]:
    return ("optimize", "--plugin", "llava", "--limit", "1", "--out", out, *QUICK, *more)


def test_a_run_of_plain_goes_on_as_a_pool(seeing: MLLM, tmp_path: Path) -> None:
    out = tmp_path / "run"
    plain = sea(*optimise(out, "--benign-media", MEDIA, "--json")).json()
    assert (plain["embeddings"], plain["done"], list(plain["recipes"])) == (1, 1, ["plain"])
    before = {row_id: EmbeddingRun(out).load(row_id)[0] for row_id in EmbeddingRun(out).store.ids()}

    pool = sea(*optimise(out, "--benign-media", MEDIA, "--recipe", "pool", "-o", "draws=2", "--json"))
    figures = pool.json()
    assert (figures["embeddings"], figures["done"], list(figures["recipes"])) == (16, 16, NAMES)
    assert all(of["done"] == 2 for of in figures["recipes"].values())
    assert figures["uncovered_examples"] == []
    run = EmbeddingRun(out)
    assert all(torch.equal(run.load(row_id)[0], rows) for row_id, rows in before.items())
    record = run.store.record("demo-000#noise.1")
    assert (record["example_id"], record["recipe"], record["draw"]) == ("demo-000", "noise", 1)
    assert sea("show", out, "demo-000#noise.1", "--json").json()["recipe"] == "noise"

    again = sea(*optimise(out, "--benign-media", MEDIA, "--recipe", "pool", "-o", "draws=2", "--json")).json()
    assert again == figures
    table = sea(*optimise(out, "--benign-media", MEDIA, "--recipe", "pool", "-o", "draws=2")).out
    assert "recipe dropout" in table


def test_rows_that_no_recipe_solves_are_listed(seeing: MLLM, tmp_path: Path) -> None:
    said = sea(*optimise(tmp_path / "run", "--recipe", "plain,noise", "-o", "steps=1", "-o", "loss=0.001"))
    assert said.code == 0
    assert "no embedding succeeded for these examples: demo-000\n" in said.err
    assert uncovered_examples(EmbeddingRun(tmp_path / "run").records()) == ["demo-000"]


def test_settings_of_a_recipe(seeing: MLLM, tmp_path: Path) -> None:
    out = tmp_path / "run"
    for wrong, said in (("subspace.directions=0", "above 0"), ("hidden.layer=-1", "at least 0")):
        assert said in expect_error(*optimise(out, "-o", wrong))
    assert "dropout.strength is 1.0, but it must be below 1" in expect_error(
        *optimise(out, "-o", "dropout.strength=1.0")
    )
    assert "noise.strength is 0.0" in expect_error(*optimise(out, "--recipe", "noise", "-o", "noise.strength=0.0"))
    assert "'noise.strength'" in expect_error(*optimise(out, "-o", "noise.strenght=0.1"))
    assert "the recipe subspace needs benign media" in expect_error(*optimise(out, "--recipe", "subspace"))
    assert sea(*optimise(out, "--recipe", "noise", "-o", "noise.strength=0.1", "--json")).code == 0
    assert "recipes.noise.strength: 0.1 there, 0.3 now" in expect_error(*optimise(out, "--recipe", "noise"))


def test_plan_counts_every_embedding(seeing: MLLM) -> None:
    def planned(*more: object) -> Any:
        return sea("plan", "--plugin", "llava", "--limit", "2", "--json", *more).json()

    assert (planned()["embeddings"], planned("--recipe", "pool", "-o", "draws=2")["embeddings"]) == (2, 24)
    assert planned("--recipe", "goals")["text_tokens"] > planned()["text_tokens"]
