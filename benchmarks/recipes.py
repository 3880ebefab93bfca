"""Each recipe on all demo rows of a bundled model: how many it solves, in how many steps and CPU seconds, and VSR.

Benign media are fresh renderings of the benign demo phrases, two each, in drawn styles. Nothing is stored.
"""

from __future__ import annotations

import random
import sys
import time
from dataclasses import replace
from importlib import import_module
from statistics import median, quantiles
from typing import Any

import torch

from sea_core.config import override, parse_overrides
from sea_core.data import demo
from sea_core.data.examples import PreparedExample
from sea_core.data.read import read_examples
from sea_core.extraction.prepare import prepare
from sea_core.judges.lexical import names_content
from sea_core.model.embedding import Embedding
from sea_core.model.mllm import MLLM
from sea_core.model.prompts import held_out_questions
from sea_core.optimization.config import OptimizeConfig
from sea_core.optimization.engine.types import OptimizationResult
from sea_core.optimization.optimizer import Optimization
from sea_core.optimization.recipes.expand import expand
from sea_core.optimization.recipes.registry import RECIPES, parse_recipes
from sea_toy.world import demo_phrases

PUPILS = {
    "llava": ("sea_toy.llava.tiny", "TinyLlavaStudent"),
    "qwen2_vl-image": ("sea_toy.qwen2_vl.tiny", "TinyImageStudent"),
    "qwen2_vl-video": ("sea_toy.qwen2_vl.tiny", "TinyVideoStudent"),
    "qwen2_audio": ("sea_toy.qwen2_audio.tiny", "TinyAudioStudent"),
    "eeg": ("sea_eeg.tiny", "EegStudent"),
}
SEED, CLIPS, ASKED_AT_ONCE = 1000, 2, 16


def benign_media(pupil: Any, mllm: MLLM) -> list[Embedding]:
    rng = random.Random(SEED)
    phrases = [phrase.text for phrase in demo_phrases() if not phrase.harmful for _ in range(CLIPS)]
    media = [pupil.render(text, rng.choice(pupil.adapter.styles), rng) for text in phrases]
    return [e for one in media for e in mllm.encode([one])]


def answers_that_name(mllm: MLLM, rows: dict[str, PreparedExample], good: list[OptimizationResult]) -> list[bool]:
    asked = [(rows[o.id], o, q) for o in good for q in held_out_questions(mllm.adapter, rows[o.id].extraction.kind)]
    found = []
    for begin in range(0, len(asked), ASKED_AT_ONCE):
        part = asked[begin : begin + ASKED_AT_ONCE]
        said = mllm.generate([q for *_, q in part], [o.embedding for _, o, _ in part if o.embedding], 48)
        found += [
            names_content(mllm.detokenize(a), row.extraction.phrase) for a, (row, *_) in zip(said, part, strict=True)
        ]
    return found


def main() -> None:
    """Take MODEL, recipes (pool), how many rows (all), and settings such as noise.strength=0.2."""
    torch.set_num_threads(1)
    given = sys.argv[1:]
    model, recipes, limit, *options = [*given, *("llava", "pool", "1000")[len(given) :]]
    module, name = PUPILS[model]
    pupil = getattr(import_module(module), name)()
    adapter = pupil.adapter
    mllm = MLLM(adapter, *adapter.load(adapter.checkpoint, dtype=torch.float32, device="cpu"))
    config, left = override(OptimizeConfig(), parse_overrides(None, options))
    known = []
    for recipe in RECIPES:
        recipe, left = override(recipe, left, recipe.name)
        known.append(recipe)
    benign = benign_media(pupil, mllm)
    prepared = prepare(read_examples(demo.DEMO_EXAMPLES).examples, adapter).prepared
    prepared = prepared[:: max(1, len(prepared) // int(limit))]
    solved = set[str]()
    for recipe in parse_recipes(recipes, media=True, known=tuple(known)):
        rows = {row.id: row for row in expand(prepared, [recipe], adapter)}
        began = time.process_time()
        work = Optimization(mllm, list(rows.values()), replace(config), recipes=known, benign=benign)
        outcomes = list(work.run())
        cpu = (time.process_time() - began) / len(outcomes)
        good = [outcome for outcome in outcomes if outcome.status == "succeeded"]
        solved |= {rows[outcome.id].example.id for outcome in good}
        named_it = answers_that_name(mllm, rows, good)
        steps = [outcome.steps for outcome in good] or [0]
        p90 = quantiles(steps, n=10, method="inclusive")[-1] if len(steps) > 1 else steps[0]
        print(
            f"| {model} | {recipe.name} | {len(good)} of {len(outcomes)} | {median(steps):g} | {p90:.0f} | {cpu:.2f} | "
            f"{sum(named_it) / max(1, len(named_it)):.2f} |",
            flush=True,
        )
        for outcome in [o for o in outcomes if o.status == "failed"][:2]:
            print(f"    {outcome.id}: {outcome.reason}"[:160], flush=True)
    print(f"rows that none solved: {len(prepared) - len(solved)} of {len(prepared)}", flush=True)


if __name__ == "__main__":
    main()
