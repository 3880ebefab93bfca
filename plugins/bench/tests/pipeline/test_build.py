"""`build_benchmark` and `check_benchmark` from Python, and the choice of a generator."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from sea_bench.pipeline.build import build_benchmark, choose_generator, default_set
from sea_bench.pipeline.check import check_benchmark
from sea_core.errors import SeaError
from sea_core.plugin import loader
from sea_core.plugin.generator import Generator


class Scents(Generator):
    name, modality, noun, suffix = "scent", "smell", "smell", ".txt"

    def generate(self, text: str, seed: int) -> str:
        return text

    def write(self, medium: str, path: Path) -> None:
        path.write_text(medium)


class Sketches(Generator):
    name, modality, noun, suffix = "sketch", "image", "image", ".jpg"

    def generate(self, text: str, seed: int) -> None:
        raise NotImplementedError


def test_a_set_is_built_and_checked_without_printing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    result = build_benchmark("audio", tmp_path / "cases", limit=1)
    assert (result.generator, result.cases, result.media, result.unpicked) == ("espeak", 6, 18, 0)
    checked = check_benchmark(tmp_path / "cases")
    assert (checked.cases, checked.issues) == (24, ())
    (tmp_path / "cases/Audio/1-Theft/KPT/0.mp3").write_bytes(b"")
    assert [issue.kind for issue in check_benchmark(tmp_path / "cases").issues] == ["corrupt"]
    assert check_benchmark(tmp_path / "cases", open_media=False).issues == ()
    assert capsys.readouterr() == ("", "")


def test_the_demo_uses_the_generators_and_settings_for_toy_models() -> None:
    video = choose_generator("video", demo=True)
    assert (video.name, default_set(video, demo=True).fps) == ("demo", 2.0)  # type: ignore[attr-defined]
    assert choose_generator("image", demo=True).name == "demo"
    assert choose_generator("audio", demo=True).name == "espeak"


def test_other_cases_use_built_in_generators_by_default(monkeypatch: pytest.MonkeyPatch) -> None:
    assert default_set(choose_generator("video")).fps == 24.0  # type: ignore[attr-defined]
    monkeypatch.setattr(loader, "offers", lambda kind, built_in: (Sketches(), Scents()))
    assert choose_generator("image").name == "drawn"
    assert choose_generator("image", "sketch").name == "sketch"
    assert choose_generator("smell").name == "scent"


def test_a_plugin_named_by_the_user_does_not_hide_other_generators() -> None:
    assert choose_generator("image", plugin="llava", demo=True).name == "demo"


def test_without_sea_toy_the_demo_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loader, "offers", lambda kind, built_in: ())
    with pytest.raises(SeaError, match="comes with sea-toy") as caught:
        choose_generator("video", demo=True)
    assert re.search(r"pip install .*-e \S*plugins/toy|pip install sea-toy", caught.value.hint)
    assert choose_generator("audio", demo=True).name == "espeak"
