"""Judges by name, the built-in ones and those of plugins."""

from __future__ import annotations

from pathlib import Path

import pytest

from sea_core.errors import SeaError
from sea_core.judges.base import Judge, JudgeConfig, JudgeFactory
from sea_core.judges.lexical import LexicalJudge
from sea_core.judges.registry import CONTENT, JUDGES, SAFETY, open_judges
from sea_core.llm.config import GuardConfig, LLMConfig
from sea_core.plugin import loader

CONFIG = JudgeConfig(llm=LLMConfig(model="scripted-1", base_url="http://localhost:1/v1"))


@pytest.fixture
def mine(monkeypatch: pytest.MonkeyPatch) -> None:
    """Install a plugin with a judge of content."""

    def open_judge(config: JudgeConfig, folder: Path) -> Judge:
        return LexicalJudge(name=f"mine in {folder.name}")

    judges = (JudgeFactory("mine", "content", "a plugin's judge", open_judge),)
    plugin = loader.Plugin("mine", "sea-mine", "1", judges=judges)
    monkeypatch.setattr("sea_core.plugin.loader.installed", lambda kind: [plugin])


def test_openai_is_another_judge_of_content_than_of_safety(tmp_path: Path) -> None:
    (content,) = open_judges(["openai"], loader.judges(CONTENT), CONFIG, tmp_path)
    (safety,) = open_judges(["openai"], loader.judges(SAFETY), CONFIG, tmp_path)
    assert (content.name, content.measures) == ("openai:scripted-1 naming-2", "content")
    assert (safety.name, safety.measures) == ("openai:scripted-1 va-question-2", "safety")


def test_each_name_is_opened_once_in_the_order_given(tmp_path: Path) -> None:
    judges = open_judges(
        ["openai:va-original", "refusal", "openai:va-original"], loader.judges(SAFETY), CONFIG, tmp_path
    )
    assert [judge.name for judge in judges] == ["openai:scripted-1 va-original-2", "refusal-4"]


def test_a_factory_measures_what_its_judge_measures(tmp_path: Path) -> None:
    config = JudgeConfig(llm=CONFIG.llm, guard=GuardConfig(model="guard"))
    for factory in JUDGES:
        assert factory.open(config, tmp_path).measures == factory.measures
        assert factory.description


@pytest.mark.usefixtures("mine")
def test_a_plugin_adds_judges(tmp_path: Path) -> None:
    (judge,) = open_judges(["mine"], loader.judges(CONTENT), CONFIG, tmp_path)
    assert judge.name == f"mine in {tmp_path.name}"
    with pytest.raises(SeaError, match="there is no judge 'mine'"):
        open_judges(["mine"], loader.judges(SAFETY), CONFIG, tmp_path)


def test_plugins_are_not_loaded_for_a_built_in_judge(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sea_core.plugin.loader.installed", lambda kind: 1 / 0)
    assert open_judges(["lexical"], loader.judges(CONTENT), CONFIG, tmp_path)


@pytest.mark.usefixtures("mine")
@pytest.mark.parametrize(
    ("name", "suggestion"),
    [("opnai", "openai"), ("lexcial", "lexical"), ("minr", "mine"), ("transformer", "transformers")],
)
def test_a_wrong_name_is_rejected_with_the_nearest_one(name: str, suggestion: str, tmp_path: Path) -> None:
    with pytest.raises(SeaError) as error:
        open_judges([name], loader.judges(CONTENT), CONFIG, tmp_path)
    assert f"Did you mean {suggestion!r}" in error.value.hint
