"""An image and an audio in one prompt, on the real class of an omni model with random weights."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
import torch
from PIL import Image

from helpers.cli import sea
from helpers.families.checkpoint import write_checkpoint
from sea_core import DataError
from sea_core.model.mllm import MLLM
from sea_core.pipeline.model_target import ModelTarget

SMALL = {"width": 56, "height": 56, "seconds": 1.0}


@pytest.fixture(scope="module")
def omni(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("omni")
    write_checkpoint("qwen2_5_omni", folder)
    return folder


def load(folder: Path, **settings: Any) -> MLLM:
    found = ModelTarget.find(
        "auto", modality="image+audio", model=str(folder), dtype="float32", device="cpu", settings=SMALL | settings
    )
    return found.load()


def crossings(mllm: MLLM) -> list[str]:
    seam = mllm.adapter.replay(mllm.model)
    assert seam is not None
    return [crossing.module for crossing in seam.crossings]


def test_one_embedding_holds_both_media(omni: Path) -> None:
    mllm = load(omni)
    assert crossings(mllm) == ["model.visual.merger", "model.audio_tower.proj"]
    (image, silence), (_, sound) = mllm.adapter.blank_input(mllm.processor), mllm.adapter.noise(mllm.processor)
    blank, with_sound = mllm.encode([(image, silence), (image, sound)])
    n_image = 16
    assert torch.equal(blank.features[:n_image], with_sound.features[:n_image])
    assert not torch.equal(blank.features[n_image:], with_sound.features[n_image:])
    prompt = mllm.prompt_ids("What is it?", blank)
    for token in (mllm.adapter.placeholder, *mllm.adapter.other_placeholders):
        assert prompt.count(mllm.tokenizer.convert_tokens_to_ids(token)) > 1


def test_a_modality_that_is_held_stays_blank(omni: Path) -> None:
    assert crossings(load(omni, hold="audio")) == ["model.visual.merger"]
    assert crossings(load(omni, hold="image")) == ["model.audio_tower.proj"]


def test_files_of_one_modality_or_of_both_are_read(omni: Path, tmp_path: Path) -> None:
    mllm = load(omni)
    Image.new("RGB", (20, 30), "red").save(tmp_path / "a.png")
    soundfile.write(tmp_path / "a.wav", np.ones(8000, np.float32) / 2, 16000)
    read = mllm.adapter.read_media
    assert [read(tmp_path / name, mllm.processor)[0].size for name in ("a.png", "a.wav")] == [(20, 30), (56, 56)]
    assert [len(read(tmp_path / name, mllm.processor)[1]) for name in ("a.png", "a.wav")] == [16000, 8000]
    image, sound = read(tmp_path, mllm.processor)
    assert (image.size, len(sound)) == ((20, 30), 8000)
    held = load(omni, hold="audio").adapter.read_media(tmp_path, mllm.processor)
    assert (held[0].size, len(held[1])) == ((20, 30), 16000)
    Image.new("RGB", (20, 30)).save(tmp_path / "b.png")
    with pytest.raises(DataError, match="2 image files"):
        read(tmp_path, mllm.processor)
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match="neither an image nor an audio"):
        read(tmp_path / "empty", mllm.processor)


@pytest.mark.usefixtures("exports_load_here")
def test_the_whole_chain_with_both(omni: Path, tmp_path: Path) -> None:
    """Warmed, optimised jointly, and verified."""
    model = ["--plugin", "auto", "--modality", "image+audio"]
    warmed, run = tmp_path / "warmed", tmp_path / "run"
    options = ("--phrases", 2, "--out", warmed, "--json")
    assert sea("plugins", "warm", *model, "--model", omni, *options).json()["wrong"] == []
    metrics = sea("optimize", *model, "--model", warmed, "--limit", 2, "--out", run, "--json").json()
    assert (metrics["osr"], metrics["vsr"]) == (1, 1)
