"""`sea plugins warm` from Python: a tiny random model becomes one on which an optimisation converges."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from sea_core.alignment.export import save_merged
from sea_core.errors import ModelError
from sea_core.model.checkpoint import write_card
from sea_core.model.proof import check_seam
from sea_core.model.threads import count_weights, fit_threads
from sea_core.pipeline.model_target import ModelTarget
from sea_core.pipeline.progress import SILENT, Progress
from sea_core.plugin.warm import Lessons, WrongAnswer, find_wrong, teach

MAX_WEIGHTS = 50_000_000
LIMITS = "this model was warmed to try an adapter (sea plugins warm): its results say nothing about a real model"


@dataclass(frozen=True)
class WarmedModel:
    """A warmed model.

    Attributes:
        folder: its checkpoint. weights: how many it has.
        steps: the steps that it took. loss: the mean loss of the last ones.
        lessons: how many questions about embeddings it was examined in. wrong: those that it does not answer exactly.
    """

    folder: Path
    weights: int
    steps: int
    loss: float
    lessons: int
    wrong: tuple[WrongAnswer, ...]


def warm(
    target: ModelTarget,
    folder: Path,
    *,
    steps: int = 400,
    phrases: int = 10,
    seed: int = 0,
    progress: Progress = SILENT,
) -> WarmedModel:
    """Teach a tiny model the answers for the first `phrases` demo examples, and write it as a checkpoint.

    For tests of adapters only: the model learns these answers by heart.

    Args:
        target: the model, in float32. It is not changed.
        folder: where to write; nothing is there until the model is complete.
        steps: the most steps to take.

    Raises:
        ModelError: the model is not tiny, the adapter does not fit it, or the folder has files.
    """
    _require_new(folder)
    _require_tiny(replace(target, device="meta").load().model, target.checkpoint)
    mllm = target.load()
    with fit_threads(mllm.model):
        check_seam(mllm)
        lessons, taken, loss = Lessons(mllm, phrases, seed), 0, float("nan")
        with progress.track("warm", steps) as tracker:
            for loss in teach(lessons, steps):  # the last loss is reported
                taken += 1
                tracker.advance(note=f"loss {loss:.4f}")
            tracker.advance(steps - taken)
        asked = lessons.examination()
        wrong = tuple(find_wrong(mllm, asked))
    template = target.chat_template.text if target.chat_template else ""
    save_merged(mllm, mllm.model, folder, full_finetune=True, chat_template=template)
    taught = {"phrases": phrases, "styles": list(mllm.adapter.styles)}
    write_card(folder, {"limits": LIMITS, "warmed": {"steps": taken, "seed": seed, **taught}})
    return WarmedModel(folder, count_weights(mllm.model), taken, loss, len(asked), wrong)


def _require_new(folder: Path) -> None:
    if folder.exists() and not (folder.is_dir() and not any(folder.iterdir())):
        raise ModelError(f"{folder} already exists and is not an empty folder", hint="Give a new folder with --out.")


def _require_tiny(model: object, checkpoint: str) -> None:
    if (weights := count_weights(model)) > MAX_WEIGHTS:  # type: ignore[arg-type]
        raise ModelError(
            f"{checkpoint} has {weights / 1e6:,.0f} million weights: this is for tiny models, of "
            f"{MAX_WEIGHTS / 1e6:.0f} million at most, on which adapters are tested",
            hint="Use a trained model as it is. To make a tiny one, save the model's class with a small configuration.",
        )
