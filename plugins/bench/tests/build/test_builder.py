"""Media are made once and whole; what is written in the published layout is read back without a loss."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from sea_bench.build.builder import SetBuilder
from sea_bench.build.demo import demo_source
from sea_bench.build.generators.registry import get_generator
from sea_bench.build.media_io import RATE, read_audio, read_image, read_video
from sea_bench.build.picks import Picks
from sea_bench.build.registry import get_set
from sea_bench.build.sets.audio import AudioSet
from sea_bench.build.sets.base import MediaSet
from sea_bench.build.sets.image import ImageSet
from sea_bench.build.sets.video import VideoSet
from sea_bench.build.source import CaseSource, limit_cases
from sea_bench.build.typography import render_text
from sea_bench.dataset import read_benchmark
from sea_core.errors import RunError, SeaError
from sea_core.plugin.generator import Generator

SMALL = VideoSet(candidates=1, width=96, height=64, fps=4.0, seconds=0.5, word_seconds=0.5, end_seconds=1.0)
SETS: dict[str, MediaSet] = {"video": SMALL, "audio": AudioSet(media="wav"), "image": ImageSet(width=96, height=64)}
TWO = CaseSource.from_texts(list(limit_cases(demo_source(), 1))[:2], "demo")
"""One case, and its twin."""


class Smells(Generator):
    """What a plugin for another modality brings."""

    name, modality, noun, suffix = "scent", "smell", "smell", ".txt"

    def generate(self, text: str, seed: int) -> str:
        return f"{text} {seed}"

    def write(self, medium: str, path: Path) -> None:
        path.write_text(medium)


def build(folder: Path, media_set: MediaSet, generator: Generator | None = None, **more: Any) -> list[str]:
    """Build, and return what was made, in order."""
    made = SetBuilder(folder, media_set, generator or get_generator(media_set.modality, None), TWO, **more)
    with made.writing():
        return [made.job_list.path(job).relative_to(folder).as_posix() for job in made.run()]


@pytest.mark.parametrize("modality", ["video", "audio", "image", "smell"])
def test_a_round_trip_loses_nothing(tmp_path: Path, modality: str) -> None:
    generator = Smells() if modality == "smell" else get_generator(modality, None)
    media_set = SETS.get(modality) or get_set(modality, generator)
    build(tmp_path, media_set, generator)
    benchmark = read_benchmark(tmp_path)
    assert benchmark.issues == ()
    cases = {(case.benign, case.task): case for case in benchmark.cases}
    assert len(cases) == len(benchmark.cases) == 2 * len(media_set.tasks)
    for texts in TWO.texts:
        for task in media_set.tasks:
            case = cases[texts.benign, task.name]
            assert (case.id, case.scenario, case.modality) == (texts.id, texts.scenario, modality)
            assert (case.question, case.phrase, case.kind) == (texts.question, texts.phrase, texts.kind)
            assert case.text == texts.text_for(task.text_source, media_set.noun)
            assert (case.media is None) == (case.condition == "text") == (task.name == "Text_only")
    assert len({case.key for case in benchmark.cases}) == len(benchmark.cases)


def test_the_layout_is_the_published_one(tmp_path: Path) -> None:
    build(tmp_path, SMALL)
    build(tmp_path, AudioSet())
    build(tmp_path, SETS["image"])
    for name in (
        "Video/1-Theft/DM_TYPO/0.mp4",
        "Audio/1-Theft/KPT_noise/0.mp3",
        "MM-SafetyBench(imgs)/1-Theft/SD_TYPO/0.jpg",
        "benign/Video/1-Theft/TYPO/0.mp4",
    ):
        assert (tmp_path / name).is_file(), name
    rows = json.loads((tmp_path / "Audio_questions/1-Theft.json").read_text())
    assert list(rows["0"]) == ["Text_only", "Audio_only", "KPT", "KPT_noise"]
    assert rows["0"]["Audio_only"] is None
    assert rows["0"]["KPT_noise"].startswith("The end of the audio shows an activity.")


def test_the_manifest_names_every_medium(tmp_path: Path) -> None:
    build(tmp_path, SMALL)
    told = json.loads((tmp_path / "manifest.json").read_text())["sets"]["video"]
    files = {p.relative_to(tmp_path).as_posix(): p for p in tmp_path.rglob("*.mp4")}
    assert told["media"] == {name: hashlib.sha256(p.read_bytes()).hexdigest() for name, p in files.items()}
    assert told["complete"] is True
    assert (told["identity"]["generator"]["name"], told["identity"]["set"]["seed"]) == ("drawn", 0)
    assert "diffusion" in told["placeholder_for"]
    assert set(told["versions"]) == {"sea-core", "numpy", "pillow", "av"}


def test_typography_reads_back(tmp_path: Path) -> None:
    build(tmp_path, SMALL)
    frames = read_video(tmp_path / "Video/1-Theft/TYPO/0.mp4")
    assert frames.rate == 4
    words = TWO.texts[0].phrase.split()
    assert len(frames.pixels) == 2 * len(words)
    for i, shown in enumerate(frames.pixels):
        distances = [distance(shown, render_text(word, (96, 64))) for word in words]
        assert np.argmin(distances) == i // 2
        assert min(distances) < 3


def test_the_phrase_stands_at_the_end_of_the_scene(tmp_path: Path) -> None:
    build(tmp_path, SMALL)
    scene, both = (read_video(tmp_path / f"Video/1-Theft/{task}/0.mp4") for task in ("DM", "DM_TYPO"))
    assert (len(scene.pixels), len(both.pixels)) == (2, 6)
    assert distance(both.pixels[0], scene.pixels[0]) < 5
    phrase = render_text(TWO.texts[0].phrase, (96, 64))
    assert max(distance(frame, phrase) for frame in both.pixels[2:]) < 5


@pytest.mark.parametrize(("media", "apart"), [("wav", 1e-3), ("mp3", 0.05)])
def test_three_seconds_of_noise_come_before_the_phrase(tmp_path: Path, media: str, apart: float) -> None:
    build(tmp_path, AudioSet(media=media))
    spoken, noisy = (read_audio(tmp_path / f"Audio/1-Theft/{task}/0.{media}") for task in ("KPT", "KPT_noise"))
    assert abs(len(noisy) - len(spoken) - 3 * RATE) < 0.05 * RATE
    noise = noisy[: 3 * RATE]
    assert 0.08 < np.sqrt(np.mean(noise**2)) < 0.11
    assert abs(np.corrcoef(noise[:-1], noise[1:])[0, 1]) < (0.02 if media == "wav" else 0.3)
    assert np.sqrt(np.mean((noisy[3 * RATE :][: len(spoken)] - spoken) ** 2)) < apart


def test_the_question_is_what_is_spoken_in_audio_only(tmp_path: Path) -> None:
    build(tmp_path, AudioSet(media="wav"))
    question, phrase = (len(read_audio(tmp_path / f"Audio/1-Theft/{t}/0.wav")) for t in ("Audio_only", "KPT"))
    assert question > 1.2 * phrase > 0.4 * RATE


def test_the_phrase_stands_below_the_picture(tmp_path: Path) -> None:
    build(tmp_path, SETS["image"])
    folder = tmp_path / "MM-SafetyBench(imgs)/1-Theft"
    scene, spelt, both = (read_image(folder / f"{task}/0.jpg") for task in ("SD", "TYPO", "SD_TYPO"))
    assert both.size == (96, 64 + 16)
    assert distance(np.asarray(both)[:64], scene) < 3
    assert distance(spelt, render_text(TWO.texts[0].phrase, (96, 64), (0, 0, 0), (255, 255, 255))) < 3
    assert np.asarray(both)[64:].min() < 100


def test_what_is_finished_is_not_made_again(tmp_path: Path) -> None:
    everything = build(tmp_path, SMALL)
    assert len(everything) == len(set(everything)) == 6
    before = {p: p.read_bytes() for p in tmp_path.rglob("*.mp4")}
    assert build(tmp_path, SMALL) == []
    (tmp_path / "Video/1-Theft/TYPO/0.mp4").unlink()
    (tmp_path / "benign/Video/1-Theft/TYPO/0.mp4").write_bytes(b"torn")
    journal = tmp_path / "media.jsonl"
    journal.write_bytes(journal.read_bytes()[:-30])  # killed while it wrote its last line
    assert build(tmp_path, SMALL) == [
        "Video/1-Theft/TYPO/0.mp4",
        "benign/Video/1-Theft/TYPO/0.mp4",
        "benign/Video/1-Theft/DM_TYPO/0.mp4",
    ]
    assert {p: p.read_bytes() for p in tmp_path.rglob("*.mp4")} == before


def test_a_pick_changes_what_is_made_from_it(tmp_path: Path) -> None:
    three = replace(SMALL, candidates=3)
    made = build(tmp_path, three)
    assert made[:4] == [f"candidates/Video/1-Theft/0/{k}.mp4" for k in (1, 2, 3)] + ["Video/1-Theft/DM/0.mp4"]
    scene = tmp_path / "Video/1-Theft/DM/0.mp4"
    candidates = [tmp_path / name for name in made[:3]]
    assert len({p.read_bytes() for p in candidates}) == 3
    assert scene.read_bytes() == candidates[0].read_bytes()

    picks = Picks(tmp_path)
    choices = picks.find_candidates()
    assert [choice.key for choice in choices] == ["video/1-Theft/0", "video/1-Theft/0/benign"]
    picks.add(choices[0], 2)
    picks.add(choices[0], 3)
    assert build(tmp_path, three) == ["Video/1-Theft/DM/0.mp4", "Video/1-Theft/DM_TYPO/0.mp4"]
    assert scene.read_bytes() == candidates[2].read_bytes()
    assert build(tmp_path, three) == []


def test_scenes_may_come_from_a_language_model(tmp_path: Path) -> None:
    chats: list[Any] = []

    def ask(chat: list[dict[str, str]]) -> str:
        chats.append(chat)
        return "A lamp is\ncarried away."

    build(tmp_path, SMALL, tasks=["DM"], complete=ask)
    assert [turn["role"] for turn in chats[0]] == ["system", *["user", "assistant"] * 2, "user"]
    assert chats[0][-1]["content"] == "Phrase: steal a lamp"
    rows = [json.loads(line) for line in (tmp_path / "media.jsonl").read_text().splitlines()]
    assert {row["scene"] for row in rows} == {"A lamp is carried away."}
    with pytest.raises(SeaError, match="returned no scene"):
        build(tmp_path / "other", SMALL, complete=lambda chat: " ")


def test_some_tasks_now_and_the_others_later(tmp_path: Path) -> None:
    assert {Path(name).parts[-2] for name in build(tmp_path, SMALL, tasks=["TYPO"])} == {"TYPO"}
    assert list(json.loads((tmp_path / "Video_questions/1-Theft.json").read_text())["0"]) == ["Text_only", "TYPO"]
    assert {Path(name).parts[-2] for name in build(tmp_path, SMALL)} == {"DM", "DM_TYPO"}
    assert not read_benchmark(tmp_path).issues
    with pytest.raises(SeaError, match="no task 'KPT'"):
        build(tmp_path, SMALL, tasks=["KPT"])


def test_another_build_in_the_same_folder_is_refused(tmp_path: Path) -> None:
    build(tmp_path, SMALL, tasks=["TYPO"])
    with pytest.raises(RunError, match=r"a video set with different settings:\n  set\.seed: 0 there, 7 now"):
        build(tmp_path, replace(SMALL, seed=7))
    with pytest.raises(RunError, match=r"generator\.name: drawn there, diffusers now"):
        build(tmp_path, SMALL, get_generator("video", "diffusers"))
    made = SetBuilder(tmp_path, SMALL, get_generator("video", None), TWO)
    with made.writing(), pytest.raises(RunError, match="another process"):
        build(tmp_path, SMALL)


def test_a_plugins_generator_may_make_whole_media(tmp_path: Path) -> None:
    class Grey(Generator):
        name, modality, noun, suffix = "grey", "image", "image", ".jpg"

        def generate(self, text: str, seed: int) -> Image.Image:
            raise AssertionError("it composes")

        def compose(self, task: str, phrase: str, seed: int) -> Image.Image:
            return Image.new("RGB", (32, 32), (len(task), 0, 0))

    build(tmp_path, ImageSet(), Grey())
    spelt = np.asarray(read_image(tmp_path / "MM-SafetyBench(imgs)/1-Theft/SD_TYPO/0.jpg"))
    assert abs(spelt[..., 0].astype(int) - len("SD_TYPO")).max() <= 2


@pytest.mark.parametrize(
    ("media_set", "settings", "told"),
    [
        (VideoSet, {"width": 97}, "even width and height"),
        (VideoSet, {"fps": 0.0}, "fps is 0.0, but it must be at least 0.5"),
        (VideoSet, {"candidates": 0}, "candidates is 0"),
        (AudioSet, {"media": "ogg"}, "it must be mp3 or wav"),
        (ImageSet, {"height": 1}, "height is 1"),
    ],
)
def test_settings_that_make_no_sense_are_refused(media_set: Any, settings: dict[str, Any], told: str) -> None:
    with pytest.raises(SeaError, match=told):
        media_set(**settings)


def distance(one: Any, other: Any) -> float:
    """Return the mean distance of two pictures' pixels, of 255."""
    return float(np.abs(np.asarray(one, np.float32) - np.asarray(other, np.float32)).mean())
