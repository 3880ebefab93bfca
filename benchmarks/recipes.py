"""Each recipe on the demo examples of a bundled model: successes, steps, CPU seconds and VSR.

Benign media are new renderings of the benign demo phrases, two each, in random styles. Nothing is stored.
"""

from __future__ import annotations

import random
import time
from argparse import ArgumentParser, Namespace
from collections.abc import Sequence
from statistics import median, quantiles
from typing import Any

import torch
from bundled import STUDENTS, demo_examples, load_bundled, load_student

from sea_core.config import override, parse_overrides
from sea_core.data.examples import PreparedExample
from sea_core.judges.lexical import names_content
from sea_core.model.embedding import Embedding
from sea_core.model.mllm import MLLM
from sea_core.model.prompts import held_out_questions
from sea_core.optimization.config import OptimizeConfig
from sea_core.optimization.engine.types import OptimizationResult
from sea_core.optimization.optimizer import Optimization
from sea_core.optimization.recipes.base import Recipe
from sea_core.optimization.recipes.expand import expand
from sea_core.optimization.recipes.registry import RECIPES, parse_recipes
from sea_toy.world import demo_phrases

SEED, RENDERINGS, BATCH_SIZE, MAX_NEW_TOKENS = 1000, 2, 16, 48


def parse_arguments() -> Namespace:
    parser = ArgumentParser(description=__doc__)
    parser.add_argument("model", nargs="?", default="llava", choices=STUDENTS)
    parser.add_argument("recipes", nargs="?", default="pool", help="names, as in plain,noise; default: pool")
    parser.add_argument("limit", nargs="?", type=int, default=1000, help="how many examples; default: all")
    parser.add_argument("options", nargs="*", metavar="KEY=VALUE", help="settings, such as noise.strength=0.2")
    return parser.parse_args()


def read_settings(options: Sequence[str]) -> tuple[OptimizeConfig, list[Recipe]]:
    config, left = override(OptimizeConfig(), parse_overrides(None, options))
    recipes = []
    for default in RECIPES:
        recipe, left = override(default, left, default.name)
        recipes.append(recipe)
    return config, recipes


def benign_embeddings(student: Any, mllm: MLLM) -> list[Embedding]:
    rng = random.Random(SEED)
    phrases = [phrase.text for phrase in demo_phrases() if not phrase.harmful for _ in range(RENDERINGS)]
    media = [student.render(text, rng.choice(student.adapter.styles), rng) for text in phrases]
    return [embedding for medium in media for embedding in mllm.encode([medium])]


def judge_answers(
    mllm: MLLM, examples: dict[str, PreparedExample], succeeded: Sequence[OptimizationResult]
) -> list[bool]:
    """Return, for each held-out question about each successful embedding, whether the answer names the content."""
    asked = [
        (examples[result.id].extraction.phrase, result.embedding, question)
        for result in succeeded
        for question in held_out_questions(mllm.adapter, examples[result.id].extraction.kind)
    ]
    verdicts = []
    for begin in range(0, len(asked), BATCH_SIZE):
        phrases, embeddings, questions = zip(*asked[begin : begin + BATCH_SIZE], strict=True)
        answers = mllm.generate(questions, embeddings, MAX_NEW_TOKENS)
        verdicts += [
            names_content(mllm.detokenize(answer), phrase) for answer, phrase in zip(answers, phrases, strict=True)
        ]
    return verdicts


def format_row(
    model: str, recipe: str, results: Sequence[OptimizationResult], verdicts: Sequence[bool], cpu: float
) -> str:
    steps = [result.steps for result in results if result.status == "succeeded"] or [0]
    p90 = quantiles(steps, n=10, method="inclusive")[-1] if len(steps) > 1 else steps[0]
    successes = sum(result.status == "succeeded" for result in results)
    vsr = sum(verdicts) / max(1, len(verdicts))
    return (
        f"| {model} | {recipe} | {successes} of {len(results)} | {median(steps):g} | {p90:.0f} | "
        f"{cpu / len(results):.2f} | {vsr:.2f} |"
    )


def main() -> None:
    arguments = parse_arguments()
    torch.set_num_threads(1)
    student = load_student(arguments.model)
    mllm = load_bundled(student.adapter)
    config, known = read_settings(arguments.options)
    benign = benign_embeddings(student, mllm)
    prepared = demo_examples(student.adapter)
    prepared = prepared[:: max(1, len(prepared) // arguments.limit)]
    solved = set[str]()
    print("| model | recipe | succeeded | median steps | p90 steps | CPU s | VSR |\n|---|---|---|---|---|---|---|")
    for recipe in parse_recipes(arguments.recipes, media=True, known=known):
        examples = {example.id: example for example in expand(prepared, [recipe], student.adapter)}
        began = time.process_time()
        results = list(Optimization(mllm, list(examples.values()), config, recipes=known, benign=benign).run())
        cpu = time.process_time() - began
        succeeded = [result for result in results if result.status == "succeeded"]
        solved |= {examples[result.id].example.id for result in succeeded}
        verdicts = judge_answers(mllm, examples, succeeded)
        print(format_row(arguments.model, recipe.name, results, verdicts, cpu), flush=True)
        for result in [result for result in results if result.status == "failed"][:2]:
            print(f"    {result.id}: {result.reason}"[:160], flush=True)
    print(f"uncovered examples: {len(prepared) - len(solved)} of {len(prepared)}", flush=True)


if __name__ == "__main__":
    main()
