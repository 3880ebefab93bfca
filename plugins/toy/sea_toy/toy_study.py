"""A study on the toy world: the bundled models, its phrases, and the settings of the study file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from sea_bench.build.sets.base import MediaSet
from sea_bench.pipeline.build import choose_generator, default_set
from sea_core.errors import SeaError
from sea_core.model.adapter import Adapter
from sea_core.pipeline.progress import Progress
from sea_core.plugin.generator import Generator
from sea_toy.split import SPLITS, SplitPhrase, split_phrases
from sea_toy.spot_check import RenderMedium, find_renderer
from sea_toy.study_data import SCENARIOS, StudiedModel, StudySource
from sea_toy.world import REFUSAL

ROWS_OF_A_MEDIUM = 4
"""Rows about each medium of `real.jsonl`: two questions, and descriptions of content and style."""
ARMS: tuple[str | Mapping[str, Any], ...] = (
    *("unaligned", "text", "sea"),
    {"base": "oracle", "align": {"text": 1.5 / ROWS_OF_A_MEDIUM}},
    {"base": "benign-start", "methods": ["sft"]},
    {"base": "draws", "methods": ["sft"]},
    *("safety-prompt", "steering"),
)
"""The arms. `oracle` has as much text for each medium as the default mixture has for an embedding."""
DPO_STEPS = 320
"""By then the chosen answers are preferred in 99 of 100 comparisons; its loss never ends an alignment early."""
TOY_MODELS = (
    StudiedModel("llava", "image"),
    StudiedModel("qwen2_vl", "image"),
    StudiedModel("qwen2_vl", "video"),
    StudiedModel("qwen2_audio", "audio"),
)
"""The bundled models."""


@dataclass(frozen=True)
class ToyStudy(StudySource):
    """The toy world, for some of the bundled models."""

    seed: int = 0
    models: Sequence[StudiedModel] = TOY_MODELS

    refusals: ClassVar[Sequence[str]] = (REFUSAL,)
    draws: ClassVar[int] = 6  # as many as the arm `draws` makes embeddings of each example
    benign_media: ClassVar[int] = 2
    has_styles: ClassVar[bool] = True

    def split(self, number: int) -> Sequence[SplitPhrase]:
        return split_phrases(self.seed, number)

    def renderer(self, model: StudiedModel, adapter: Adapter, progress: Progress) -> RenderMedium:
        if render := find_renderer(model.plugin, adapter, progress.note):
            return render
        raise SeaError(f"the toy world is not rendered for {model.name}", hint="Leave the model out: --model NAME")

    def generator(self, modality: str) -> tuple[Generator, MediaSet]:
        generator = choose_generator(modality, demo=True)
        return generator, default_set(generator, demo=True)

    def settings(self) -> Mapping[str, Any]:
        return {
            "arms": list(ARMS),
            "methods": ["sft", "dpo"],
            "seeds": list(range(SPLITS)),
            "align": {"steps": 640},
            "dpo": {"steps": DPO_STEPS},
            "answers": {"max_new_tokens": 48, "batch_size": 16},
            "claims": {"scenarios": [SCENARIOS[False]]},
            "quick": {
                "models": [self.models[0].name],
                "arms": ["unaligned", "text", "oracle", "sea"],
                "methods": ["sft"],
                "seeds": [0],
            },
        }


def find_models(names: Sequence[str]) -> Sequence[StudiedModel]:
    """Return bundled models by their names; all of them if none is named. Raises SeaError if there is none such."""
    known = {model.name: model for model in TOY_MODELS}
    for name in names:
        if name not in known:
            raise SeaError(f"there is no toy model {name!r}", hint=f"Known: {', '.join(known)}")
    return [known[name] for name in names] or TOY_MODELS
