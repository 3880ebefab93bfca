"""Building a set: media are made once, in the published layout, and can be read back."""

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
from sea_core.errors import DataError, RunError, SeaError
from sea_core.plugin.generator import Generator
from sea_core.runs.check import check_folder

SMALL = VideoSet(candidates=1, width=96, height=64, fps=4.0, seconds=0.5, word_seconds=0.5, end_seconds=1.0)
SETS: dict[str, MediaSet] = {"video": SMALL, "audio": AudioSet(media="wav"), "image": ImageSet(width=96, height=64)}
TWO = CaseSource.from_texts(list(limit_cases(demo_source(), 1))[:2], "demo")
"""One case, and its benign twin."""


class Scents(Generator):
    """A generator of another modality, as a plugin offers it."""

    name, modality, noun, suffix = "scent", "smell", "smell", ".txt"

    def generate(self, text: str, seed: int) -> str:
        return f"{text} {seed}"

    def write(self, medium: str, path: Path) -> None:
        path.write_text(medium)


def build(folder: Path, media_set: MediaSet, generator: Generator | None = None, **more: Any) -> list[str]:
    """Build, and return the paths of the media in the order in which they were made."""
    builder = SetBuilder(folder, media_set, generator or get_generator(media_set.modality, None), TWO, **more)
    with builder.writing():
        return [builder.job_list.name(job) for job in builder.run()]


@pytest.mark.parametrize("modality", ["video", "audio", "image", "smell"])
def test_a_built_set_is_read_back_without_loss(tmp_path: Path, modality: str) -> None:
    generator = Scents() if modality == "smell" else get_generator(modality, None)
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
    records = json.loads((tmp_path / "Audio_questions/1-Theft.json").read_text())
    assert list(records["0"]) == ["Text_only", "Audio_only", "KPT", "KPT_noise"]
    assert records["0"]["Audio_only"] is None
    assert records["0"]["KPT_noise"].startswith("The end of the audio shows an activity.")


def test_the_manifest_names_every_medium(tmp_path: Path) -> None:
    build(tmp_path, SMALL)
    manifest = json.loads((tmp_path / "manifest.json").read_text())["sets"]["video"]
    files = {p.relative_to(tmp_path).as_posix(): p for p in tmp_path.rglob("*.mp4")}
    assert manifest["media"] == {name: hashlib.sha256(p.read_bytes()).hexdigest() for name, p in files.items()}
    assert manifest["complete"] is True
    assert (manifest["identity"]["generator"]["name"], manifest["identity"]["set"]["seed"]) == ("drawn", 0)
    assert "diffusion" in manifest["placeholder_for"]
    assert set(manifest["versions"]) == {"sea-core", "numpy", "pillow", "av"}


def test_typography_can_be_recognised_in_the_video(tmp_path: Path) -> None:
    build(tmp_path, SMALL)
    frames = read_video(tmp_path / "Video/1-Theft/TYPO/0.mp4")
    assert frames.rate == 4
    words = TWO.texts[0].phrase.split()
    assert len(frames.pixels) == 2 * len(words)
    for i, frame in enumerate(frames.pixels):
        distances = [distance(frame, render_text(word, (96, 64))) for word in words]
        assert np.argmin(distances) == i // 2
        assert min(distances) < 3


def test_the_scene_ends_with_the_phrase(tmp_path: Path) -> None:
    build(tmp_path, SMALL)
    scene, both = (read_video(tmp_path / f"Video/1-Theft/{task}/0.mp4") for task in ("DM", "DM_TYPO"))
    assert (len(scene.pixels), len(both.pixels)) == (2, 6)
    assert distance(both.pixels[0], scene.pixels[0]) < 5
    phrase = render_text(TWO.texts[0].phrase, (96, 64))
    assert max(distance(frame, phrase) for frame in both.pixels[2:]) < 5


@pytest.mark.parametrize(("media", "max_error"), [("wav", 1e-3), ("mp3", 0.05)])
def test_three_seconds_of_noise_come_before_the_phrase(tmp_path: Path, media: str, max_error: float) -> None:
    build(tmp_path, AudioSet(media=media))
    speech, noisy = (read_audio(tmp_path / f"Audio/1-Theft/{task}/0.{media}") for task in ("KPT", "KPT_noise"))
    assert abs(len(noisy) - len(speech) - 3 * RATE) < 0.05 * RATE
    noise = noisy[: 3 * RATE]
    assert 0.08 < np.sqrt(np.mean(noise**2)) < 0.11
    assert abs(np.corrcoef(noise[:-1], noise[1:])[0, 1]) < (0.02 if media == "wav" else 0.3)
    assert np.sqrt(np.mean((noisy[3 * RATE :][: len(speech)] - speech) ** 2)) < max_error


def test_audio_only_is_the_spoken_question(tmp_path: Path) -> None:
    build(tmp_path, AudioSet(media="wav"))
    question, phrase = (len(read_audio(tmp_path / f"Audio/1-Theft/{t}/0.wav")) for t in ("Audio_only", "KPT"))
    assert question > 1.2 * phrase > 0.4 * RATE


def test_the_caption_is_below_the_picture(tmp_path: Path) -> None:
    build(tmp_path, SETS["image"])
    folder = tmp_path / "MM-SafetyBench(imgs)/1-Theft"
    scene, typography, both = (read_image(folder / f"{task}/0.jpg") for task in ("SD", "TYPO", "SD_TYPO"))
    assert both.size == (96, 64 + 16)
    assert distance(np.asarray(both)[:64], scene) < 3
    assert distance(typography, render_text(TWO.texts[0].phrase, (96, 64), (0, 0, 0), (255, 255, 255))) < 3
    assert np.asarray(both)[64:].min() < 100


def test_finished_media_are_not_made_again(tmp_path: Path) -> None:
    made = build(tmp_path, SMALL)
    assert len(made) == len(set(made)) == 6
    before = {p: p.read_bytes() for p in tmp_path.rglob("*.mp4")}
    assert build(tmp_path, SMALL) == []
    (tmp_path / "Video/1-Theft/TYPO/0.mp4").unlink()
    (tmp_path / "benign/Video/1-Theft/TYPO/0.mp4").write_bytes(b"corrupt")
    log = tmp_path / "media.jsonl"
    log.write_bytes(log.read_bytes()[:-30])  # as if killed while writing the last line
    assert build(tmp_path, SMALL) == [
        "Video/1-Theft/TYPO/0.mp4",
        "benign/Video/1-Theft/TYPO/0.mp4",
        "benign/Video/1-Theft/DM_TYPO/0.mp4",
    ]
    assert {p: p.read_bytes() for p in tmp_path.rglob("*.mp4")} == before


@pytest.mark.parametrize(
    ("name", "named"), [("medium", "Audio/"), ("question file", "Audio_questions/"), ("journal", "media.jsonl:1")]
)
def test_damage_is_found_and_made_again(tmp_path: Path, name: str, named: str) -> None:
    build(tmp_path, SETS["audio"])
    assert check_folder(tmp_path).damage == ()
    folder = tmp_path / named.partition(":")[0]
    path = folder if folder.is_file() else next(path for path in sorted(folder.rglob("*")) if path.is_file())
    before = path.read_bytes()
    path.write_bytes(before[:20] + bytes([before[20] ^ 1]) + before[21:])  # of the same size
    (damage,) = check_folder(tmp_path).damage
    assert damage.path.startswith(named)
    if name == "question file":
        with pytest.raises(DataError, match="the question file was changed"):
            read_benchmark(tmp_path)
    build(tmp_path, SETS["audio"])
    assert check_folder(tmp_path).damage == ()
    assert path.read_bytes() == before or name != "question file"  # no two utterances of espeak are the same


def test_a_set_that_was_stopped_is_not_finished_and_its_media_are_checked(tmp_path: Path) -> None:
    builder = SetBuilder(tmp_path, get_set("smell", Scents()), Scents(), TWO)
    with builder.writing():
        made = builder.job_list.name(next(builder.run()))
    found = check_folder(tmp_path)
    assert [each.problem for each in found.unfinished] == ["has a set that is not finished: smell"]
    assert (made in found.checked, found.damage) == (True, ())
    (tmp_path / made).write_text("x" * (tmp_path / made).stat().st_size)
    assert [each.path for each in check_folder(tmp_path).damage] == [made]
    build(tmp_path, get_set("smell", Scents()), Scents())
    found = check_folder(tmp_path)
    assert (found.unfinished, found.damage, found.unchecked) == ((), (), ())


def test_media_made_from_another_pick_are_made_again(tmp_path: Path) -> None:
    media_set = replace(SMALL, candidates=3)
    made = build(tmp_path, media_set)
    assert made[:4] == [f"candidates/Video/1-Theft/0/{k}.mp4" for k in (1, 2, 3)] + ["Video/1-Theft/DM/0.mp4"]
    scene = tmp_path / "Video/1-Theft/DM/0.mp4"
    candidates = [tmp_path / name for name in made[:3]]
    assert len({p.read_bytes() for p in candidates}) == 3
    assert scene.read_bytes() == candidates[0].read_bytes()

    picks = Picks(tmp_path)
    candidate_sets = picks.find_candidates()
    assert [candidate_set.key for candidate_set in candidate_sets] == ["video/1-Theft/0", "video/1-Theft/0/benign"]
    picks.add(candidate_sets[0], 2)
    picks.add(candidate_sets[0], 3)
    assert build(tmp_path, media_set) == ["Video/1-Theft/DM/0.mp4", "Video/1-Theft/DM_TYPO/0.mp4"]
    assert scene.read_bytes() == candidates[2].read_bytes()
    assert build(tmp_path, media_set) == []


def test_a_language_model_can_describe_the_scenes(tmp_path: Path) -> None:
    requests: list[Any] = []

    def complete(messages: list[dict[str, str]]) -> str:
        requests.append(messages)
        return "A lamp is\ncarried away."

    build(tmp_path, SMALL, tasks=["DM"], complete=complete)
    assert [message["role"] for message in requests[0]] == ["system", *["user", "assistant"] * 2, "user"]
    assert requests[0][-1]["content"] == "Phrase: steal a lamp"
    records = [json.loads(line) for line in (tmp_path / "media.jsonl").read_text().splitlines()]
    assert {record["scene"] for record in records} == {"A lamp is carried away."}
    with pytest.raises(SeaError, match="returned no scene"):
        build(tmp_path / "other", SMALL, complete=lambda messages: " ")


def test_tasks_can_be_added_later(tmp_path: Path) -> None:
    assert {Path(name).parts[-2] for name in build(tmp_path, SMALL, tasks=["TYPO"])} == {"TYPO"}
    assert list(json.loads((tmp_path / "Video_questions/1-Theft.json").read_text())["0"]) == ["Text_only", "TYPO"]
    assert {Path(name).parts[-2] for name in build(tmp_path, SMALL)} == {"DM", "DM_TYPO"}
    assert not read_benchmark(tmp_path).issues
    with pytest.raises(SeaError, match="no task 'KPT'"):
        build(tmp_path, SMALL, tasks=["KPT"])


def test_a_set_with_other_settings_is_not_resumed(tmp_path: Path) -> None:
    build(tmp_path, SMALL, tasks=["TYPO"])
    with pytest.raises(RunError, match=r"a video set with different settings:\n  set\.seed: stored 0, requested 7"):
        build(tmp_path, replace(SMALL, seed=7))
    with pytest.raises(RunError, match=r"generator\.name: stored drawn, requested diffusers"):
        build(tmp_path, SMALL, get_generator("video", "diffusers"))
    builder = SetBuilder(tmp_path, SMALL, get_generator("video", None), TWO)
    with builder.writing(), pytest.raises(RunError, match="another process"):
        build(tmp_path, SMALL)


def test_a_generator_can_compose_whole_media(tmp_path: Path) -> None:
    class Grey(Generator):
        name, modality, noun, suffix = "grey", "image", "image", ".jpg"

        def generate(self, text: str, seed: int) -> Image.Image:
            raise AssertionError("compose() is used instead")

        def compose(self, task: str, phrase: str, seed: int) -> Image.Image:
            return Image.new("RGB", (32, 32), (len(task), 0, 0))

    build(tmp_path, ImageSet(), Grey())
    composed = np.asarray(read_image(tmp_path / "MM-SafetyBench(imgs)/1-Theft/SD_TYPO/0.jpg"))
    assert abs(composed[..., 0].astype(int) - len("SD_TYPO")).max() <= 2


@pytest.mark.parametrize(
    ("media_set", "settings", "message"),
    [
        (VideoSet, {"width": 97}, "even width and height"),
        (VideoSet, {"fps": 0.0}, "fps is 0.0, but it must be at least 0.5"),
        (VideoSet, {"candidates": 0}, "candidates is 0"),
        (AudioSet, {"media": "ogg"}, "it must be mp3 or wav"),
        (ImageSet, {"height": 1}, "height is 1"),
    ],
)
def test_settings_out_of_bounds_are_rejected(media_set: Any, settings: dict[str, Any], message: str) -> None:
    with pytest.raises(SeaError, match=message):
        media_set(**settings)


def distance(a: Any, b: Any) -> float:
    """Return the mean absolute difference of two pictures' pixels, from 0 to 255."""
    return float(np.abs(np.asarray(a, np.float32) - np.asarray(b, np.float32)).mean())
