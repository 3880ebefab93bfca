"""Align on the demo examples, and spot-check the phrases of the toy world that no demo example has."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from sea_core.alignment.align import AlignResult
from sea_core.alignment.config import AlignRequest
from sea_core.alignment.spot_check import SpotCheckCase
from sea_core.errors import SeaError
from sea_core.model import prompts
from sea_core.model.adapter import Adapter
from sea_core.model.embedding import Embedding
from sea_core.model.mllm import MLLM
from sea_core.pipeline.align import align
from sea_core.pipeline.model_target import ModelTarget
from sea_core.pipeline.progress import SILENT, Progress
from sea_core.plugin import loader
from sea_core.runs.embedding_run import EmbeddingRun
from sea_toy.world import QUESTIONS, demo_phrases, phrases

RenderMedium = Callable[[str, str, random.Random], Any]
"""(phrase, style, rng) -> a medium, in the form that `Adapter.inputs` takes."""


def align_on_demo(
    runs: Sequence[Path], out: Path, request: AlignRequest, *, progress: Progress = SILENT, **options: Any
) -> AlignResult:
    """Align on runs over the demo examples.

    No example is held out: the toy world has phrases that no demo example has.

    Args:
        progress: shows the steps, and what the user should know.
        options: further keywords of `sea_core.pipeline.align.align`.

    Raises:
        RunError, ModelError: as `sea_core.pipeline.align.align` does.
    """
    request = replace(request, config=replace(request.config, held_out=0))
    run = EmbeddingRun(runs[0])
    adapter = ModelTarget.of_run(run, plugin=options.get("plugin")).adapter
    render = find_renderer(run.manifest.identity.model.plugin, adapter, progress.note)
    cases = demo_cases(adapter, render, request.config.seed)
    media = [render("steal a lamp", adapter.styles[0], random.Random(0))] if render else []
    return align(runs, out, request=request, cases=cases, example_media=media, progress=progress, **options)


def find_renderer(plugin: str, adapter: Adapter, note: Callable[[str], None]) -> RenderMedium | None:
    """Return the function that renders the toy world for a plugin; None, with a note, where there is none."""
    renderers = [b.render for b in loader.offers("blueprints") if b.render and b.plugin == plugin]
    if not renderers:
        note(f"plugin {plugin} renders no toy media: the spot check has text and synthetic embeddings only")
        return None
    render = renderers[0]
    try:
        render(adapter.modality, "steal a lamp", adapter.styles[0], random.Random(0))
    except SeaError as error:
        note(f"no toy media in the spot check: {error}")
        return None
    return lambda phrase, style, rng: render(adapter.modality, phrase, style, rng)


def demo_cases(adapter: Adapter, render: RenderMedium | None, seed: int) -> list[SpotCheckCase]:
    """Return questions about the phrases that no demo example has: in text, and with media if there is a renderer."""
    known = {phrase.text for phrase in demo_phrases()}
    rng, cases = random.Random(f"look:{seed}"), []  # this string gives the questions of the published numbers
    for phrase in (phrase for phrase in phrases() if phrase.text not in known):
        question = rng.choice(QUESTIONS[phrase.kind])
        cases.append(SpotCheckCase("text", phrase.text, phrase.harmful, question.format(phrase.text), phrase.text))
        prompt = prompts.multimodal_prompt(adapter, phrase.extraction(question))
        for style in rng.sample(adapter.styles, 2) if render else ():
            medium = render(phrase.text, style, rng) if render else None
            name = f"{phrase.text}, {style}"
            cases.append(
                SpotCheckCase("media", name, phrase.harmful, prompt, phrase.text, False, phrase.text, _encoded(medium))
            )
    return cases


def _encoded(medium: Any) -> Callable[[MLLM], Embedding]:
    return lambda mllm: mllm.encode([medium])[0]
