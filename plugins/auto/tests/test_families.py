"""Adapters are derived from tiny checkpoints of real families and proved, or refused with the reason."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch

from helpers.families import FAMILIES
from helpers.families.tokenizer import write_tekken
from sea_auto.adapter import AudioAutoAdapter, AutoAdapter, ImageAutoAdapter
from sea_auto.facts import Facts
from sea_auto.fit import derive_facts
from sea_core.errors import ModelError
from sea_core.model.mllm import MLLM
from sea_core.plugin.contract.check import RULES, check_rule
from sea_core.plugin.contract.rule import AdapterUnderTest, Rule

ADAPTERS: dict[str, AutoAdapter] = {"image": ImageAutoAdapter(), "audio": AudioAutoAdapter()}

DERIVED: dict[tuple[str, str], tuple[str, str, tuple[int, int], int]] = {
    ("llava", "image"): ("splice", "<image>", (16, 32), 16),
    ("qwen2_5_vl", "image"): ("replay", "<|image_pad|>", (64, 32), 16),
    ("qwen3_vl", "image"): ("replay", "<|image_pad|>", (36, 96), 9),
    ("gemma3", "image"): ("replay", "<image_soft_token>", (64, 32), 16),
    ("mllama", "image"): ("replay", "<|image|>", (68, 96), 1),
    ("qwen3_5", "image"): ("replay", "<|image_pad|>", (36, 32), 9),
    ("gemma4", "image"): ("replay", "<|image|>", (64, 32), 64),
    ("gemma4", "audio"): ("replay", "<|audio|>", (125, 32), 125),
    ("internvl", "image"): ("replay", "<IMG_CONTEXT>", (20, 128), 20),
    ("llava_next", "image"): ("replay", "<image>", (80, 32), 88),
    ("llava_onevision", "image"): ("replay", "<image>", (80, 32), 88),
    ("idefics3", "image"): ("replay", "<image>", (80, 32), 20),
    ("mistral3", "image"): ("replay", "[IMG]", (64, 32), 16),
    ("blip-2", "image"): ("replay", "<image>", (8, 32), 8),
    ("glm4v", "image"): ("replay", "<|image|>", (4, 32), 4),
    ("qwen2_5_omni", "image"): ("replay", "<|IMAGE|>", (64, 32), 16),
    ("qwen2_5_omni", "audio"): ("replay", "<|AUDIO|>", (50, 32), 50),
    ("audioflamingo3", "audio"): ("replay", "<sound>", (50, 32), 50),
    ("voxtral", "audio"): ("replay", "[AUDIO]", (25, 128), 25),
}
"""By family and modality: the mechanism, the placeholder, the shape of the blank's E, and its placeholders."""

REFUSED: dict[tuple[str, str], str] = {
    ("instructblip", "image"): "its encoder reads the question too",
    ("paligemma", "image"): "changes a prompt in other places than the medium's own",
    ("llama4", "image"): "image processor needs torchvision",
    ("granite_speech", "audio"): "audio processor needs torchaudio",
}
"""By family and modality: why no adapter is derived."""

IN_BF16 = [
    ("llava", "image"),
    ("qwen3_vl", "image"),
    ("gemma3", "image"),
    ("mllama", "image"),
    ("llava_next", "image"),
    ("blip-2", "image"),
    ("audioflamingo3", "audio"),
]
"""One of each shape: spliced, several tensors, attention in both directions, cross attention, tiles, queries, sound."""

CONTRACT = {"qwen3_vl": "image", "mllama": "image", "audioflamingo3": "audio"}
"""The families on which every rule is tried: several tensors, cross attention, sound."""


def derive(folder: Any, modality: str, dtype: torch.dtype = torch.float32) -> Facts:
    return derive_facts(ADAPTERS[modality], str(folder), dtype=dtype, device="cpu", revision=None)


def test_every_tiny_family_is_tried() -> None:
    known = {(name, modality) for name, family in FAMILIES.items() for modality in family.media if modality in ADAPTERS}
    assert known == {*DERIVED, *REFUSED}


def derived_facts(folder: Any, modality: str, dtype: torch.dtype) -> tuple[str, str, tuple[int, int], int]:
    facts = derive(folder, modality, dtype)
    return facts.mechanism, facts.placeholder, (facts.features, facts.width), facts.tokens


@pytest.mark.parametrize(("family", "modality"), DERIVED)
def test_an_adapter_is_derived_and_proved(checkpoint: Any, family: str, modality: str) -> None:
    assert derived_facts(checkpoint(family), modality, torch.float32) == DERIVED[family, modality]


@pytest.mark.parametrize(("family", "modality"), IN_BF16)
def test_an_adapter_is_derived_and_proved_in_bf16(checkpoint: Any, family: str, modality: str) -> None:
    assert derived_facts(checkpoint(family), modality, torch.bfloat16) == DERIVED[family, modality]


@pytest.mark.parametrize(("family", "modality"), REFUSED)
def test_what_cannot_be_proved_is_refused_with_the_reason(checkpoint: Any, family: str, modality: str) -> None:
    with pytest.raises(ModelError) as error:
        derive(checkpoint(family), modality)
    assert REFUSED[family, modality] in error.value.what
    assert error.value.hint


def test_a_processor_that_does_not_fit_its_model_is_named_with_both_counts(checkpoint: Any, tmp_path: Path) -> None:
    folder = tmp_path / "internvl"
    shutil.copytree(checkpoint("internvl"), folder)
    path = folder / "processor_config.json"
    settings = json.loads(path.read_text())
    del settings["image_seq_length"]  # 256 for each tile by default; the model makes 4 vectors
    path.write_text(json.dumps(settings))
    with pytest.raises(ModelError) as error:
        ADAPTERS["image"].fitted(str(folder), dtype=torch.float32, device="cpu")
    for part in ("the processor and the model of this checkpoint do not agree", "1,280 placeholders", "features: 20"):
        assert part in error.value.what
    assert "processor_config.json" in error.value.hint


def test_a_tokenizer_of_mistral_common_is_used_as_an_ordinary_one(checkpoint: Any, tmp_path: Path) -> None:
    """As the published Voxtral has it: without a padding token, and without an end token of its own."""
    folder = tmp_path / "voxtral"
    shutil.copytree(checkpoint("voxtral"), folder)
    write_tekken(
        folder, {0: "<unk>", 1: "<s>", 2: "</s>", 3: "[INST]", 4: "[/INST]", 24: "[AUDIO]", 25: "[BEGIN_AUDIO]"}
    )
    facts = derive(folder, "audio")
    assert (facts.placeholder, facts.tokens, facts.part) == ("[AUDIO]", 25, "feature_extractor")


@pytest.fixture(scope="module")
def derived(request: pytest.FixtureRequest, checkpoint: Any) -> AdapterUnderTest:
    """A derived adapter, and its model."""
    folder, adapter = checkpoint(request.param), ADAPTERS[CONTRACT[request.param]]
    fitted = adapter.fitted(str(folder), dtype=torch.float32, device="cpu")
    mllm = MLLM(fitted, *fitted.load(str(folder), dtype=torch.float32, device="cpu"))
    return AdapterUnderTest(fitted, lambda: mllm)


@pytest.mark.parametrize("derived", CONTRACT, indirect=True)
@pytest.mark.parametrize("rule", RULES, ids=[rule.name for rule in RULES])
def test_a_derived_adapter_fulfils_the_contract(derived: AdapterUnderTest, rule: Rule) -> None:
    result = check_rule(rule, derived)
    # A replayed model is aligned one example at a time, so that no batch mixes prompts with and without media.
    assert result.state == ("not tested" if rule.name == "mixed_batch" else "pass"), result


def test_a_model_with_a_generate_of_its_own_answers_about_an_embedding(checkpoint: Any) -> None:
    folder, question = str(checkpoint("blip-2")), "What is it?"
    adapter = ADAPTERS["image"].fitted(folder, dtype=torch.float32, device="cpu")
    mllm = MLLM(adapter, *adapter.load(folder, dtype=torch.float32, device="cpu"))
    medium = adapter.noise(mllm.processor)
    blank, noise = mllm.blank(), *mllm.encode([medium])
    with mllm.greedy_settings(4) as settings:
        settings.return_dict_in_generate, settings.output_logits = True, True
        inputs = mllm.media_inputs([question], [medium])
        expected = mllm.model.generate(**inputs, generation_config=settings).logits
    prompt = mllm.prompt_ids(question, blank)
    logits = {name: mllm.decode([prompt], [e], 4, logits=True)[1] for name, e in (("noise", noise), ("blank", blank))}
    assert all(torch.equal(a, b) for a, b in zip(logits["noise"], expected, strict=True))
    assert not torch.equal(logits["blank"][0], expected[0])
    with pytest.raises(ModelError, match="answers only with its own pixel_values"):
        mllm.generate([question])
