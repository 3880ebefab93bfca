"""Settings: `-o key=value` and YAML files onto the fields of a config, and what is said when they do not fit."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sea_core import config as settings
from sea_core.errors import SeaError
from sea_core.optimization.config import OptimizeConfig


@dataclass(frozen=True)
class Config:
    rate: float = 0.1
    count: int = 3
    name: str = "plain"
    loud: bool = False
    extra: str | None = None


@dataclass(frozen=True)
class Part:
    seconds: float = 10.0
    rate: int = 8


def told(*options: str, file: Path | None = None) -> Config:
    config, left = settings.override(Config(), settings.parse_overrides(file, options))
    assert left == {}
    return config


def complaint(*options: str, file: Path | None = None) -> SeaError:
    with pytest.raises(SeaError) as caught:
        told(*options, file=file)
    assert caught.value.hint
    return caught.value


def yaml_file(folder: Path, text: str) -> Path:
    path = folder / "settings.yaml"
    path.write_text(text, encoding="utf-8")
    return path


# ------------------------------------------------------------------------------------------------------------ types


@pytest.mark.parametrize(
    ("option", "field", "value"),
    [
        ("rate=0.25", "rate", 0.25),
        ("rate=1", "rate", 1.0),
        ("rate=1e-3", "rate", 0.001),
        ("rate=1E3", "rate", 1000.0),
        ("rate= .5", "rate", 0.5),
        ("count=5", "count", 5),
        ("count=-1", "count", -1),
        (" count =5", "count", 5),
        ("name=bright", "name", "bright"),
        ("name=a=b", "name", "a=b"),
        ("name='5'", "name", "5"),
        ("name=''", "name", ""),
        ("loud=true", "loud", True),
        ("extra=7", "extra", 7),
    ],
)
def test_option_takes_the_type_of_its_field(option: str, field: str, value: Any) -> None:
    found = getattr(told(option), field)
    assert found == value
    assert type(found) is type(value)


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_any_number_as_python_writes_it_is_read(value: float) -> None:
    assert told(f"rate={value!r}").rate == value


@pytest.mark.parametrize(
    ("option", "message", "hint"),
    [
        ("rate=fast", "rate is 'fast', but it must be a number", "-o rate=0.1"),
        ("rate=true", "rate is True, but it must be a number", "-o rate=0.1"),
        ("rate=", "rate is None, but it must be a number", "-o rate=0.1"),
        ("rate=[1]", "rate is [1], but it must be a number", "-o rate=0.1"),
        ("rate=nan", "rate is nan, but it must be a number", "-o rate=0.1"),
        ("rate=.inf", "rate is inf, but it must be a number", "-o rate=0.1"),
        ("count=2.0", "count is 2.0, but it must be a whole number", "-o count=3"),
        ("count=true", "count is True, but it must be a whole number", "-o count=3"),
        ("count=many", "count is 'many', but it must be a whole number", "-o count=3"),
        ("name=5", "name is 5, but it must be text", "-o name=plain"),
        ("name=no", "name is False, but it must be text", "-o name=plain"),
        ("loud=1", "loud is 1, but it must be true or false", "-o loud=false"),
        ("loud='yes'", "loud is 'yes', but it must be true or false", "-o loud=false"),
        ("rate", "-o rate has no value", "-o lr=0.1"),
        ("name=[", "-o name=[ is not understood", "quotes"),
    ],
)
def test_wrong_value_is_told(option: str, message: str, hint: str) -> None:
    error = complaint(option)
    assert error.what == message
    assert hint in error.hint


# ------------------------------------------------------------------------------------------------------------- YAML


def test_options_override_the_file_and_the_last_one_wins(tmp_path: Path) -> None:
    file = yaml_file(tmp_path, "rate: 1e-3\ncount: 7\nname: ünï\n")
    assert told(file=file) == Config(rate=0.001, count=7, name="ünï")
    assert told("count=8", "count=9", file=file) == Config(rate=0.001, count=9, name="ünï")


def test_empty_file_says_nothing(tmp_path: Path) -> None:
    assert told(file=yaml_file(tmp_path, "# nothing yet\n")) == Config()


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("rate: 0.1\ncount: [1,\n", 3, "this is not YAML"),
        ("rate: 0.1\n\tcount: 1\n", 2, "this is not YAML"),
        ("rate: 'half\n", 2, "this is not YAML"),
        ("rate: !!python/object:os.system 1\n", 1, "this is not YAML"),
        ("rate: \x00\n", None, "this is not YAML"),
        ("- rate\n", None, "expected `key: value` lines"),
        ("rate\n", None, "expected `key: value` lines"),
        ("0\n", None, "expected `key: value` lines"),
    ],
)
def test_file_that_is_not_settings_is_told(tmp_path: Path, text: str, line: int | None, message: str) -> None:
    file = yaml_file(tmp_path, text)
    error = complaint(file=file)
    assert message in error.what
    assert error.where == (f"{file}:{line}" if line else str(file))


def test_missing_file_or_other_encoding_is_told(tmp_path: Path) -> None:
    missing = tmp_path / "none.yaml"
    assert complaint(file=missing).where == str(missing)
    assert "No such file" in complaint(file=missing).what
    latin = tmp_path / "latin.yaml"
    latin.write_bytes("name: ünï".encode("latin-1"))
    assert "UTF-8" in complaint(file=latin).what


# ----------------------------------------------------------------------------------------------------------- groups


@pytest.mark.parametrize("grouped", ["part:\n  seconds: 2\n  rate: 9\n", "part.seconds: 2\npart.rate: 9\n"])
def test_dotted_settings_belong_to_their_group(tmp_path: Path, grouped: str) -> None:
    given = settings.parse_overrides(yaml_file(tmp_path, f"rate: 0.5\n{grouped}"), ["part.rate=10"])
    config, left = settings.override(Config(), given)
    part, left = settings.override(Part(), left, "part")
    assert config == Config(rate=0.5)
    assert part == Part(seconds=2.0, rate=10)
    assert left == {}


def test_a_group_takes_nothing_without_its_name() -> None:
    part, left = settings.override(Part(), {"seconds": 2.0}, "part")
    assert (part, left) == (Part(), {"seconds": 2.0})
    with pytest.raises(SeaError, match=r"part\.rate is 'x'"):
        settings.override(Part(), {"part.rate": "x"}, "part")


@pytest.mark.parametrize(
    ("key", "hint"),
    [
        ("rte", "Did you mean 'rate'?"),
        ("part.second", "Did you mean 'part.seconds'?"),
        ("zzz", "Settings: count, extra, loud, name, part.rate, part.seconds, rate"),
        ("", "Settings: count"),
    ],
)
def test_unknown_setting_gets_a_guess_or_the_list(key: str, hint: str) -> None:
    known = settings.setting_names(Config()) + settings.setting_names(Part(), "part")
    with pytest.raises(SeaError, match=f"there is no setting '{key}'") as caught:
        settings.reject_unknown({key: 1}, known)
    assert hint in caught.value.hint
    settings.reject_unknown({}, known)


# ------------------------------------------------------------------------------------------------- the real settings


@pytest.mark.parametrize(
    "option",
    "lr=0 lr=-1 lr=nan steps=0 loss=0 batch_size=0 margin=-0.1 beta1=1 beta2=-0.1 benign=x".split(),
)
def test_value_out_of_range_is_refused(option: str) -> None:
    key, _, value = option.partition("=")
    with pytest.raises(SeaError, match=f"{key} is {value}") as caught:
        settings.override(OptimizeConfig(), settings.parse_overrides(None, [option]))
    assert f"-o {key}={getattr(OptimizeConfig(), key)}" in caught.value.hint


def test_every_default_may_be_typed_as_it_is() -> None:
    typed = [f"{name}={getattr(OptimizeConfig(), name)}" for name in settings.setting_names(OptimizeConfig())]
    assert settings.override(OptimizeConfig(), settings.parse_overrides(None, typed)) == (OptimizeConfig(), {})
