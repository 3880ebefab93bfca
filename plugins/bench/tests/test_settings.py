"""Settings of the benchmark: declared bounds, and the list that `sea settings bench COMMAND` prints."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from helpers.cli import expect_error, sea
from sea_bench.build.generators.registry import BUILT_IN
from sea_bench.build.sets.audio import AudioSet
from sea_bench.build.sets.image import ImageSet
from sea_bench.build.sets.video import VideoSet
from sea_bench.run.config import AnswerConfig
from sea_core.config import list_settings, override, parse_overrides
from sea_core.errors import SeaError

CONFIGS = [AnswerConfig(), ImageSet(), VideoSet(), AudioSet(), *BUILT_IN]


def groups(command: str) -> list[dict[str, Any]]:
    listed: list[dict[str, Any]] = sea("settings", "bench", command, "--json").json()
    return listed


@pytest.mark.parametrize("config", CONFIGS, ids=lambda config: type(config).__name__)
def test_every_default_may_be_typed_as_it_is(config: Any) -> None:
    typed = [f"{setting.name}={json.dumps(setting.default)}" for setting in list_settings(config)]
    assert override(config, parse_overrides(None, typed)) == (config, {})


@pytest.mark.parametrize("config", CONFIGS, ids=lambda config: type(config).__name__)
def test_every_setting_has_a_meaning(config: Any) -> None:
    assert all(setting.meaning and setting.type for setting in list_settings(config))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: AnswerConfig(batch_size=0), "batch_size is 0, but it must be above 0"),
        (lambda: ImageSet(width=15), "width is 15, but it must be at least 16"),
        (lambda: VideoSet(candidates=21), "candidates is 21, but it must be at most 20"),
        (lambda: VideoSet(width=641), "even"),
        (lambda: AudioSet(media="ogg"), "media is 'ogg', but it must be mp3 or wav"),
    ],
)
def test_value_out_of_bounds_is_an_error(make: Any, message: str) -> None:
    with pytest.raises(SeaError, match=message) as caught:
        make()
    assert caught.value.hint


def test_settings_of_the_commands_are_listed() -> None:
    assert [group["prefix"] for group in groups("judge")] == ["", "llm", "guard"]
    own, server, adapter, *defences = groups("run")
    assert (server["prefix"], server["settings"][0]["name"]) == ("server", "server.key_env")
    assert "max_new_tokens" in [setting["name"] for setting in own["settings"]]
    assert (adapter["prefix"], adapter["settings"]) == ("adapter", [])
    names = ("system-prompt", "guard", "guard-after", "self-check", "describe-first", "steering")
    assert [group["prefix"] for group in defences] == [f"defence.{name}" for name in names]
    commands = [each["command"] for each in sea("settings", "--json").json()]
    assert [name for name in commands if name.startswith("bench")] == [
        *("bench build", "bench run", "bench judge", "bench compare")
    ]


@pytest.mark.parametrize(
    ("command", "setting", "remedy"),
    [
        (("run", "cases", "--out", "out", "--plugin", "llava"), "server.frames=8", "--server URL"),
        (("run", "cases", "--out", "out", "--plugin", "llava"), "defence.guard.model=x", "--defence guard"),
        (
            ("run", "cases", "--out", "out", "--plugin", "llava", "--defence", "guard"),
            "defence.steering.layer=1",
            "--defence steering",
        ),
        (("compare", "cases", "--out", "out", "--plugin", "llava"), "llm.model=x", "--judge openai or transformers"),
        (("compare", "cases", "--out", "out", "--server", "URL"), "defence.guard.model=x", "--defence guard"),
        (("judge", "run", "--judge", "guard"), "llm.model=x", "--judge openai or transformers"),
        (("judge", "run", "--judge", "openai:va-original"), "guard.model=x", "--judge guard"),
        (("build", "image", "--out", "out"), "llm.model=x", "--scenes openai or transformers"),
    ],
)
def test_a_setting_that_nobody_reads_is_an_error(
    command: tuple[str, ...], setting: str, remedy: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("run").mkdir()
    Path("cases").mkdir()
    Path("cases/questions.json").write_text("{}")
    message = expect_error("bench", *command, "-o", setting)
    assert f"-o {setting.partition('=')[0]} changes nothing without {remedy}" in message


def test_settings_of_all_sets_and_generators_are_listed() -> None:
    listed = groups("build")
    titles = [group["title"] for group in listed]
    assert sum("The video set:" in title for title in titles) == 1
    assert sum("--generator diffusers (image):" in title for title in titles) == 1
    prefixes = [group["prefix"] for group in listed]
    assert prefixes == sorted(prefixes)
    assert set(prefixes) == {"", "generator", "llm"}


def test_help_lists_the_benchmark_before_the_plugins() -> None:
    shown = sea("--help").out
    assert shown.index("─ Align ─") < shown.index("─ Evaluate ─") < shown.index(" bench ") < shown.index("─ Extend ─")
