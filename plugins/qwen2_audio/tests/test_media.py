"""Audio files: what the adapter reads and rejects, and what the bundled model answers."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile

from sea_core import DataError, SeaError
from sea_core.model.mllm import MLLM
from sea_qwen2_audio.adapter import RATE, Qwen2AudioAdapter

EXPECTED = {
    "steal-a-lamp-deep.flac": ("activity", "In the audio, a person is stealing a lamp.", "deep"),
    "polish-a-bike-whispered.flac": ("activity", "In the audio, a person is polishing a bike.", "whispered"),
    "a-wool-scarf-slow.flac": ("product", "The audio is about a wool scarf.", "slow"),
}


@pytest.mark.parametrize(("seconds", "n_features"), [(0.1, 2), (0.5, 12), (1.0, 25), (2.0, 50), (10.0, 50), (30.0, 50)])
def test_length_of_the_blank_input(mllm: MLLM, seconds: float, n_features: int) -> None:
    other = MLLM(replace(mllm.adapter, seconds=seconds), mllm.model, mllm.processor)
    assert other.blank().features.shape == (n_features, 96)
    assert not other.adapter.blank_input(mllm.processor).any()


@pytest.mark.parametrize("seconds", [0.0, 0.09, 30.5, -1.0, float("nan"), float("inf")])
def test_impossible_length_of_the_blank_is_rejected(seconds: float) -> None:
    with pytest.raises(SeaError, match=r"from 0\.1 to 30 seconds") as error:
        Qwen2AudioAdapter(seconds=seconds)
    assert "-o adapter.seconds=5" in error.value.hint


@pytest.mark.parametrize(("samples", "message"), [(0, "too short"), (399, "too short"), (2 * RATE + 1, "longer than")])
def test_audio_of_impossible_length_is_rejected(mllm: MLLM, samples: int, message: str) -> None:
    with pytest.raises(DataError, match=message):
        mllm.encode([np.zeros(samples, np.float32)])


def test_shortest_audio_has_one_vector(mllm: MLLM) -> None:
    assert [len(e) for e in mllm.encode([np.zeros(400, np.float32), np.zeros(2 * RATE, np.float32)])] == [1, 50]


@pytest.mark.parametrize("ending", ["wav", "flac", "ogg", "mp3"])
def test_audio_files_are_read_as_mono_at_16_khz(mllm: MLLM, tmp_path: Path, ending: str) -> None:
    rate, path = 44_100, tmp_path / f"tone.{ending}"
    tone = 0.5 * np.sin(2 * np.pi * 440 * np.arange(rate) / rate)
    soundfile.write(path, np.stack([tone, np.zeros_like(tone)], axis=1), rate)
    wave = mllm.adapter.read_media(path, mllm.processor)
    assert (wave.dtype, wave.ndim) == (np.float32, 1)
    assert abs(len(wave) - RATE) < 0.1 * RATE  # mp3 pads its ends
    middle = wave[RATE // 4 : 3 * RATE // 4]
    assert np.argmax(np.abs(np.fft.rfft(middle))) / 0.5 == pytest.approx(440, abs=2)
    assert np.abs(middle).max() == pytest.approx(0.25, abs=0.02)  # the mean of both channels


@pytest.mark.parametrize(
    "content", [b"", b"Dear diary, this is a text.", b"RIFF\x00\x00"], ids=["empty", "text", "truncated"]
)
def test_file_that_is_not_audio_is_rejected(mllm: MLLM, tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "diary.wav"
    path.write_bytes(content)
    with pytest.raises(DataError, match="cannot be read as audio") as error:
        mllm.adapter.read_media(path, mllm.processor)
    assert error.value.where == str(path)
    assert "flac" in error.value.hint


def test_missing_file_is_rejected(mllm: MLLM, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="cannot be read as audio"):
        mllm.adapter.read_media(tmp_path / "none.wav", mllm.processor)


@pytest.mark.parametrize("name", EXPECTED)
def test_bundled_model_answers_about_content_and_style(mllm: MLLM, media: Path, name: str) -> None:
    kind, sentence, style = EXPECTED[name]
    (embedding,) = mllm.encode([mllm.adapter.read_media(media / name, mllm.processor)])
    questions = [f"Please briefly describe the {kind} in the audio.", "What is the style of the audio?"]
    answers = [mllm.detokenize(answer) for answer in mllm.generate(questions, [embedding] * 2)]
    assert answers == [sentence, f"The style of the audio is {style}."]


def test_bundled_model_answers_that_the_blank_is_silent(mllm: MLLM) -> None:
    (answer,) = mllm.generate(["What is going on in this audio?"], [mllm.blank()])
    assert mllm.detokenize(answer) == "The audio is silent."
