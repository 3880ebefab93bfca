"""Train, save and check toy models: the same steps for every family and modality."""

from __future__ import annotations

from pathlib import Path

import torch

from sea_core.model.checkpoint import write_card
from sea_core.model.mllm import MLLM
from sea_core.plugin.blueprint import ReportLine, Scores
from sea_toy import language
from sea_toy.evaluation import evaluate
from sea_toy.graft import GraftConfig, GraftedStudent, graft
from sea_toy.student import Student
from sea_toy.training import train

TINY_LIMITS = (
    "This bundled model knows only the toy world, 96 activities and 8 products: its tokenizer can encode other text, "
    "but no embedding leads to it. Its answers have two forms only, a refusal and one sentence of help. For "
    "other text pass a real checkpoint of the family with --model"
)
SMALL_HINT = (
    ", or build a model around a real language model (docs/how-to/real-text-offline.md): "
    "sea toy build small --plugin {plugin} --out DIR"
)
SMALL_LIMITS = (
    "This small model's language model has 135 million weights, dequantised from 4 bits, and its encoder was trained "
    "on the toy world only."
)


def build_tiny(student: Student, out: Path, seed: int, report: ReportLine) -> None:
    """Train and save a tiny model; about five minutes on two cores."""
    mllm = train(student, seed, student.config, report)
    save(mllm, out)
    limits = TINY_LIMITS + (SMALL_HINT.format(plugin=student.plugin) if student.has_small else "")
    name = "tiny" if student.adapter.language == "en" else f"tiny-{student.adapter.language}"
    write_card(out, {"blueprint": name, "seed": seed, "limits": limits})


def build_small(student: GraftedStudent, out: Path, seed: int, report: ReportLine) -> None:
    """Download the language model, put an encoder in front of it, and save; a quarter of an hour on two cores."""
    report("downloading and unpacking SmolLM2-135M-Instruct")
    mllm = student.build_around(*language.fetch_language_model())
    graft(student, mllm, seed, student.encoder_config, GraftConfig(), report)
    save(mllm, out)
    card = {"blueprint": "small", "seed": seed, "language_model": str(language.PACKAGE), "limits": SMALL_LIMITS}
    write_card(out, card)


def check(student: Student, folder: Path, seed: int, *, dtype: torch.dtype = torch.float32, per_skill: int) -> Scores:
    """Load a saved model and evaluate it on new renderings, `per_skill` for each skill and modality.

    Returns:
        the ratio of exact answers by skill; the skill's name follows the modality's if there are several.
    """
    adapters = [each.adapter.fitted(str(folder), dtype=dtype, device="cpu") for each in student.checked]
    model, processor = adapters[0].load(str(folder), dtype=dtype, device="cpu")
    metrics: dict[str, float] = {}
    for each, adapter in zip(student.checked, adapters, strict=True):
        exact = evaluate(each, MLLM(adapter, model, processor), per_skill=per_skill, seed=seed)
        prefix = f"{each.name} " if student.other_modalities else ""
        metrics |= {f"{prefix}{skill}": ratio for skill, ratio in exact.items()}
    return metrics


def save(mllm: MLLM, folder: Path) -> None:
    """Write model and processor in bf16, readable for everybody (save_pretrained makes weights private)."""
    mllm.model.to(torch.bfloat16).save_pretrained(folder)
    mllm.processor.save_pretrained(folder)
    for path in folder.iterdir():
        path.chmod(0o644)
