"""The style set that a real model gives of real media, through the command line."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import soundfile

from helpers.cli import expect_error, sea
from sea_core.extraction.styles import read_styles
from sea_core.pipeline.style_survey import collect, parse_style
from sea_core.plugin import loader

MEDIA = Path(__file__).parents[2] / "plugins/qwen2_audio/tests/media"
"""Three spoken phrases: slow, whispered, deep."""


def test_a_model_is_asked_about_real_media_and_its_styles_are_used(tmp_path: Path) -> None:
    out = tmp_path / "styles.json"
    asked = ("styles", MEDIA, "--plugin", "qwen2_audio", "--out", out, "--json")
    result = sea(*asked).json()
    assert result["styles"] == {"slow": 1, "whispered": 1, "deep": 1}
    assert (result["other"], result["unreadable"], result["ratio"]) == ({}, {}, 1.0)
    (journal,) = tmp_path.glob("*.jsonl")
    before = journal.read_bytes()
    assert sea(*asked).json() == result
    assert journal.read_bytes() == before  # nothing was asked again

    (tmp_path / "mine.json").write_text('{"styles": ["deep"]}')
    prepared = tmp_path / "prepared.jsonl"
    sea("prepare", "--plugin", "qwen2_audio", "--styles", tmp_path / "mine.json", "--out", prepared)
    rows = [json.loads(line) for line in prepared.read_text().splitlines()]
    assert {row["style"] for row in rows if row["outcome"] == "prepared"} == {"deep"}


def test_unreadable_files_are_listed(tmp_path: Path) -> None:
    (tmp_path / "media").mkdir()
    (tmp_path / "media/truncated.wav").write_bytes(b"RIFF")
    soundfile.write(tmp_path / "media/hum.wav", np.zeros(16000, np.float32), 16000)
    done = sea("styles", tmp_path / "media", "--plugin", "qwen2_audio", "--out", tmp_path / "s.json", "--json")
    assert done.code == 1
    result = json.loads(done.out)
    assert list(result["unreadable"]) == [str(tmp_path / "media/truncated.wav")]
    assert sum(result["styles"].values()) + sum(result["other"].values()) == 1
    assert "truncated.wav" in done.err

    soundfile.write(tmp_path / "media/truncated.wav", np.zeros(16000, np.float32), 16000)  # repaired
    result = sea("styles", tmp_path / "media", "--plugin", "qwen2_audio", "--out", tmp_path / "s.json", "--json").json()
    assert result["unreadable"] == {}
    assert sum(result["styles"].values()) + sum(result["other"].values()) == 2


@pytest.mark.parametrize(
    ("answer", "style"),
    [
        ("The style of the audio is whispered.", "whispered"),
        ("the style of the audio is  very slow. It is dark.", "very slow"),
        ("The style of the audio is", None),
        ("A person whispers.", None),
        ("The style of the audio is a long story about seven different things.", None),
    ],
)
def test_a_style_is_what_follows_the_adapters_opening(answer: str, style: str | None) -> None:
    _, adapter = loader.get_adapter("qwen2_audio")
    assert parse_style(adapter, answer) == style


def test_answers_without_the_prefix_are_counted_separately() -> None:
    _, adapter = loader.get_adapter("qwen2_audio")
    found = collect(adapter, ["The style of the audio is deep."] * 2 + ["It is deep."] * 3)
    assert (found.counts, found.other, found.ratio) == ({"deep": 2}, {"It is deep.": 3}, 0.4)


@pytest.mark.parametrize("text", ["", "[]", '{"styles": {}}', '{"styles": [3]}', '{"styles": "deep"}', "{"])
def test_a_file_without_styles_is_an_error(tmp_path: Path, text: str) -> None:
    path = tmp_path / "styles.json"
    path.write_text(text)
    message = expect_error("prepare", "--plugin", "qwen2_audio", "--styles", path)
    assert str(path) in message
    assert '"styles"' in message


def test_a_folder_without_media_is_an_error(tmp_path: Path) -> None:
    assert "there is no file or folder" in expect_error("styles", tmp_path / "none", "--plugin", "qwen2_audio")


def test_styles_are_read_from_counts_and_from_lists(tmp_path: Path) -> None:
    path = tmp_path / "styles.json"
    path.write_text('{"styles": {"deep": 3, " slow ": 1}}')
    assert read_styles(path) == ("deep", "slow")
    path.write_text('["deep", "slow", "deep"]')
    assert read_styles(path) == ("deep", "slow")
