"""Settings: declared bounds, `-o KEY=VALUE`, YAML files, error messages, and the list of settings."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

import pytest
from annotated_types import Ge, Gt, Le, Lt
from hypothesis import given
from hypothesis import strategies as st

from sea_core.alignment.config import MIXTURES, AlignConfig, AlignRequest
from sea_core.cli.align import read_request
from sea_core.config import (
    Config,
    default_values,
    list_settings,
    override,
    parse_overrides,
    reject_unknown,
    setting_names,
)
from sea_core.errors import SeaError
from sea_core.llm.config import LLMConfig
from sea_core.optimization.config import OptimizeConfig
from sea_core.optimization.recipes.registry import RECIPES
from sea_core.verification.analysis.config import AnalysisConfig

if TYPE_CHECKING:
    from collections import Counter

CONFIGS = [OptimizeConfig(), AlignConfig(), LLMConfig(), AnalysisConfig(), *RECIPES]


@dataclass(frozen=True)
class Example(Config):
    rate: float = 0.1
    count: int = 3
    name: str = "plain"
    loud: bool = False
    extra: str | None = None


@dataclass(frozen=True)
class Bounded(Config):
    """A config with bounds."""

    above: Annotated[float, Gt(0), Le(100)] | Literal["auto"] = "auto"
    """Above zero,
    or auto."""
    inside: Annotated[int, Ge(2), Lt(5)] = 2
    choice: Literal["a", "b"] = "a"
    """One of two."""

    group: ClassVar[str] = "part"
    unused: ClassVar[Counter[str] | None] = None
    """A class variable may have a type that is imported for type checkers only."""


@dataclass(frozen=True)
class Longer(Bounded):
    above: Annotated[float, Gt(1)] = 2.0
    """Above one."""
    last: int = 0


@dataclass(frozen=True)
class Part:
    seconds: float = 10.0
    rate: int = 8


def overridden(*options: str, file: Path | None = None) -> Example:
    config, unused = override(Example(), parse_overrides(file, options))
    assert unused == {}
    return config


def error_for(*options: str, file: Path | None = None) -> SeaError:
    with pytest.raises(SeaError) as caught:
        overridden(*options, file=file)
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
        ("extra=seven", "extra", "seven"),
        ("extra=null", "extra", None),
    ],
)
def test_option_takes_the_type_of_its_field(option: str, field: str, value: Any) -> None:
    found = getattr(overridden(option), field)
    assert found == value
    assert type(found) is type(value)


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_any_number_as_python_writes_it_is_read(value: float) -> None:
    assert overridden(f"rate={value!r}").rate == value


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
        ("rate", "-o rate has no value", "-o rate=VALUE"),
        ("extra=7", "extra is 7, but it must be text or null", "-o extra=null"),
        ("name=[", "-o name=[ is not valid YAML: expected the node content, but found '<stream end>'", "quotes"),
        ("name=0x_", "-o name=0x_ is not valid YAML: invalid literal for int() with base 16: ''", "quotes"),
        (
            "name=9999999999999999999",
            "-o name=9999999999999999999 is not valid YAML: a number of more than 18 digits",
            "",
        ),
    ],
)
def test_wrong_value_is_an_error(option: str, message: str, hint: str) -> None:
    error = error_for(option)
    assert error.what == message
    assert hint in error.hint


# ------------------------------------------------------------------------------------------------------------- YAML


def test_options_override_the_file_and_the_last_one_wins(tmp_path: Path) -> None:
    file = yaml_file(tmp_path, "rate: 1e-3\ncount: 7\nname: ünï\n")
    assert overridden(file=file) == Example(rate=0.001, count=7, name="ünï")
    assert overridden("count=8", "count=9", file=file) == Example(rate=0.001, count=9, name="ünï")


def test_empty_file_overrides_nothing(tmp_path: Path) -> None:
    assert overridden(file=yaml_file(tmp_path, "# nothing yet\n")) == Example()


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("rate: 0.1\ncount: [1,\n", 3, "the file is not valid YAML"),
        ("rate: 0.1\n\tcount: 1\n", 2, "the file is not valid YAML"),
        ("rate: 'half\n", 2, "the file is not valid YAML"),
        ("rate: !!python/object:os.system 1\n", 1, "the file is not valid YAML"),
        ("rate: \x00\n", None, "the file is not valid YAML"),
        ("name: &a [x]\nextra: *a\n", 2, "references (*name) are not supported"),
        ("name: &a [*a]\n", 1, "references (*name) are not supported"),
        ("".join(f"a{i}: &a{i} [*a{i - 1}, *a{i - 1}]\n" for i in range(1, 99)), 1, "references (*name) are not"),
        ("rate: 0.1\nrate: 0.2\n", 2, "the key 'rate' occurs twice"),
        ("? [rate]\n: 1\n", 1, "a key must be text"),
        ("rate: 0x" + "f" * 5000, 1, "a number of more than 18 digits"),
        ("rate: " + "9" * 5000, 1, "a number of more than 18 digits"),
        ("rate: 1" + ":59" * 500 + ".5", 1, "can be read as a number of base 60"),
        ("rate: 1\ncount: 1:30\n", 2, "1:30 can be read as a number of base 60: write a decimal number, or a text in"),
        ("count: 012\n", 1, "012 can be read as a number of base 8"),
        ("count: -0_1\n", 1, "-0_1 can be read as a number of base 8"),
        ("- [1, {count: 00}]\n", 1, "00 can be read as a number of base 8"),
        ("rate: " + "[" * 50_000, 1, "more than 20 levels"),
        ("- " * 50_000, 1, "more than 20 levels"),
        ("- rate\n", None, "expected `key: value` lines"),
        ("rate\n", None, "expected `key: value` lines"),
        ("0\n", None, "expected `key: value` lines"),
    ],
)
def test_file_that_is_not_settings_is_an_error(tmp_path: Path, text: str, line: int | None, message: str) -> None:
    file = yaml_file(tmp_path, text)
    error = error_for(file=file)
    assert message in error.what
    assert error.where == (f"{file}:{line}" if line else str(file))


def test_numbers_with_the_meaning_that_they_show_are_read(tmp_path: Path) -> None:
    text = "name: '012'\ncount: 0\nrate: 0.5\nlast: 0x10\nmore: [10_0, 1.5e+3, '1:30', 0o12, 1:x]\n"
    expected = {"name": "012", "count": 0, "rate": 0.5, "last": 16, "more": [100, 1500.0, "1:30", "0o12", "1:x"]}
    assert parse_overrides(yaml_file(tmp_path, text), []) == expected
    with pytest.raises(SeaError, match="base 8"):
        parse_overrides(None, ["count=012"])


def test_a_date_is_text_and_a_key_may_be_any_word(tmp_path: Path) -> None:
    assert overridden(file=yaml_file(tmp_path, "name: 2026-13-99\n")).name == "2026-13-99"
    assert parse_overrides(yaml_file(tmp_path, "no: {1: 2, null: 3}\n"), []) == {"no.1": 2, "no.null": 3}


def test_missing_file_or_other_encoding_is_an_error(tmp_path: Path) -> None:
    missing = tmp_path / "none.yaml"
    assert error_for(file=missing).where == str(missing)
    assert "No such file" in error_for(file=missing).what
    latin = tmp_path / "latin.yaml"
    latin.write_bytes("name: ünï".encode("latin-1"))
    assert "UTF-8" in error_for(file=latin).what


def test_option_without_a_value_gets_its_default_as_an_example() -> None:
    for option, hint in [("count", "-o count=3"), ("cuont", "Did you mean -o count=3 ?"), ("zzz", "-o zzz=VALUE")]:
        with pytest.raises(SeaError, match=f"-o {option} has no value") as caught:
            parse_overrides(None, [option], default_values(Example()))
        assert hint in caught.value.hint


def test_a_value_of_a_file_is_an_error_that_names_the_file() -> None:
    origins = {"count": "settings.yaml", "cuont": "settings.yaml"}
    with pytest.raises(SeaError, match="count is 'x'") as caught:
        override(Example(), {"count": "x"}, origins=origins)
    assert caught.value.where == "settings.yaml"
    with pytest.raises(SeaError, match="no setting 'cuont'") as caught:
        reject_unknown({"cuont": 1}, setting_names(Example()), origins=origins)
    assert caught.value.where == "settings.yaml"


# ----------------------------------------------------------------------------------------------------------- groups


@pytest.mark.parametrize("grouped", ["part:\n  seconds: 2\n  rate: 9\n", "part.seconds: 2\npart.rate: 9\n"])
def test_dotted_settings_belong_to_their_group(tmp_path: Path, grouped: str) -> None:
    given = parse_overrides(yaml_file(tmp_path, f"rate: 0.5\n{grouped}"), ["part.rate=10"])
    config, unused = override(Example(), given)
    part, unused = override(Part(), unused, "part")
    assert config == Example(rate=0.5)
    assert part == Part(seconds=2.0, rate=10)
    assert unused == {}


def test_a_group_takes_nothing_without_its_name() -> None:
    part, unused = override(Part(), {"seconds": 2.0}, "part")
    assert (part, unused) == (Part(), {"seconds": 2.0})
    with pytest.raises(SeaError, match=r"part\.rate is 'x'"):
        override(Part(), {"part.rate": "x"}, "part")


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
    known = setting_names(Example()) + setting_names(Part(), "part")
    with pytest.raises(SeaError, match=f"there is no setting '{key}'") as caught:
        reject_unknown({key: 1}, known)
    assert hint in caught.value.hint
    reject_unknown({}, known)


def test_an_owner_without_settings_is_named() -> None:
    with pytest.raises(SeaError, match=r"there is no setting 'adapter\.x'") as caught:
        reject_unknown({"adapter.x": 1}, [], owner="The adapter of llava")
    assert caught.value.hint == "The adapter of llava has no settings. Leave out -o adapter.x=..."


# ----------------------------------------------------------------------------------------------------------- bounds


@pytest.mark.parametrize(
    ("option", "message", "hint"),
    [
        ("part.above=0", "part.above is 0, but it must be above 0", "-o part.above=auto"),
        ("part.above=100.5", "part.above is 100.5, but it must be at most 100", "-o part.above=auto"),
        ("part.above=fast", "part.above is 'fast', but it must be a number or auto", "-o part.above=auto"),
        ("part.above=nan", "part.above is nan, but it must be a number or auto", "-o part.above=auto"),
        ("part.inside=1", "part.inside is 1, but it must be at least 2", "-o part.inside=2"),
        ("part.inside=5", "part.inside is 5, but it must be below 5", "-o part.inside=2"),
        ("part.choice=c", "part.choice is 'c', but it must be a or b", "-o part.choice=a"),
    ],
)
def test_value_that_breaks_its_declaration_is_an_error(option: str, message: str, hint: str) -> None:
    with pytest.raises(SeaError) as caught:
        override(Bounded(), parse_overrides(None, [option]), "part")
    assert (caught.value.what, caught.value.hint) == (message, f"Type for example: {hint}")


@given(st.floats() | st.integers())
def test_bounds_hold_for_every_number(value: float) -> None:
    try:
        Bounded(above=value)
    except SeaError:
        assert not 0 < value <= 100
    else:
        assert 0 < value <= 100


def test_config_is_validated_wherever_it_is_made() -> None:
    for make in (lambda: Bounded(inside=9), lambda: replace(Bounded(), inside=9), lambda: Longer(inside=9)):
        with pytest.raises(SeaError, match=r"part\.inside is 9, but it must be below 5"):
            make()
    with pytest.raises(SeaError, match=r"part\.above is 1, but it must be above 1"):
        Longer(above=1)


def test_whole_number_becomes_the_declared_float() -> None:
    config, _ = override(Bounded(), {"part.above": 1}, "part")
    assert type(config.above) is float


def test_lists_of_a_file_become_tuples_and_text_becomes_a_path() -> None:
    @dataclass(frozen=True)
    class Adapter:
        size: tuple[int, int] = (224, 224)
        file: Path = Path("voice.onnx")

    config, _ = override(Adapter(), {"adapter.size": [1, 2], "adapter.file": "a.onnx"}, "adapter")
    assert config == Adapter((1, 2), Path("a.onnx"))
    with pytest.raises(SeaError, match=r"adapter\.size is \[1\], but it must be tuple"):
        override(Adapter(), {"adapter.size": [1]}, "adapter")


def test_annotation_that_cannot_be_read_is_an_error() -> None:
    @dataclass(frozen=True)
    class Unreadable:
        words: Counter[str] | None = None

    with pytest.raises(SeaError, match="'Counter' is not defined") as caught:
        override(Unreadable(), {"words": None})
    assert "TYPE_CHECKING" in caught.value.hint


# ------------------------------------------------------------------------------------------------- list of settings


def test_settings_are_listed_as_they_are_declared() -> None:
    above, inside, choice = list_settings(Bounded(inside=4), "part")
    assert (above.name, above.default, above.type) == ("part.above", "auto", "number or auto")
    assert (above.bounds, above.meaning) == ("above 0, at most 100", "Above zero, or auto.")
    assert (inside.default, inside.type, inside.bounds) == (4, "whole number", "at least 2, below 5")
    assert (choice.type, choice.bounds, choice.meaning) == ("a or b", "", "One of two.")


def test_inherited_settings_come_first_and_may_be_declared_anew() -> None:
    above, *_, last = list_settings(Longer())
    assert (above.bounds, above.meaning) == ("above 1", "Above one.")
    assert (last.name, last.meaning) == ("last", "")


@pytest.mark.parametrize("config", CONFIGS, ids=lambda config: type(config).__name__)
def test_every_setting_has_a_meaning(config: Any) -> None:
    assert all(setting.meaning and setting.type for setting in list_settings(config))


def test_declaring_imports_nothing_heavy() -> None:
    code = """if True:
        import sys
        import sea_core.alignment.config, sea_core.llm.config, sea_core.optimization.config
        print(*sys.modules)"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not {"torch", "pydantic", "yaml", "difflib"} & set(done.stdout.split())


# ------------------------------------------------------------------------------------------------- the real settings


@pytest.mark.parametrize(
    ("option", "shown"),
    [
        *((f"{key}={value}", value) for key, value in [("lr", 0), ("lr", -1), ("lr", 101), ("steps", 0), ("loss", 0)]),
        *((f"{key}={value}", value) for key, value in [("batch_size", 0), ("margin", -0.1), ("draws", 0)]),
        *((f"{key}={value}", value) for key, value in [("beta1", 1), ("beta1", -0.1), ("beta2", -0.1), ("beta2", 1)]),
        ("lr=nan", "nan"),
        ("benign_examples=x", "'x'"),
    ],
)
def test_value_out_of_range_is_an_error(option: str, shown: object) -> None:
    key, _, _ = option.partition("=")
    with pytest.raises(SeaError, match=f"{key} is {shown}, but it must be") as caught:
        override(OptimizeConfig(), parse_overrides(None, [option]))
    assert f"-o {key}={getattr(OptimizeConfig(), key)}" in caught.value.hint


@pytest.mark.parametrize("config", CONFIGS, ids=lambda config: type(config).__name__)
def test_every_default_may_be_typed_as_it_is(config: Any) -> None:
    typed = [f"{setting.name}={json.dumps(setting.default)}" for setting in list_settings(config)]
    assert override(config, parse_overrides(None, typed)) == (config, {})


@pytest.mark.parametrize("config", CONFIGS, ids=lambda config: type(config).__name__)
def test_no_number_may_be_infinite(config: Any) -> None:
    for field in fields(config):
        if isinstance(getattr(config, field.name), int | float):
            with pytest.raises(SeaError, match=field.name):
                replace(config, **{field.name: float("inf")})


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: LLMConfig(concurrency=0), r"llm\.concurrency is 0, but it must be above 0"),
        (lambda: override(LLMConfig(), {"guard.timeout": 0}, "guard"), r"guard\.timeout is 0, but it must be above 0"),
        (lambda: AnalysisConfig(l2=0), r"analysis\.l2 is 0, but it must be above 0"),
        (lambda: RECIPES.get("dropout").__class__(strength=1), r"dropout\.strength is 1, but it must be below 1"),
        (lambda: AlignConfig(benign_ratio=1.5), "benign_ratio is 1.5, but it must be at most 1"),
        (lambda: AlignConfig(text_examples="some"), "text_examples is 'some', but it must be all or benign"),
        (lambda: AlignRequest(method="ppo"), "method is 'ppo', but it must be dpo or sft"),
        (lambda: AlignRequest(full_finetune=True, lora={"r": 8}), "uses no LoRA"),
    ],
)
def test_messages_name_the_setting_as_it_is_typed(make: Any, message: str) -> None:
    with pytest.raises(SeaError, match=message) as caught:
        make()
    assert caught.value.hint


def test_flag_is_suggested_as_a_flag() -> None:
    with pytest.raises(SeaError) as caught:
        AlignRequest(method="ppo")  # type: ignore[arg-type]
    assert caught.value.hint == "Type for example: --method dpo"


def test_mixtures_are_configs() -> None:
    assert MIXTURES.get("default").config() == AlignConfig()
    assert MIXTURES.get("paper").config().benign_ratio == pytest.approx(1 / 3)


def test_kinds_that_are_typed_come_after_a_file_and_before_other_settings(tmp_path: Path) -> None:
    file = yaml_file(tmp_path, "synthetic: 1.0\ntext: 3.0\nlora: {r: 4}\ntrainer.max_steps: 9\n")
    request = read_request("sft", "text", "default", ["real=0.5", "trainer.max_steps=2"], file, False)
    config = request.config
    assert (config.synthetic, config.retention, config.text, config.real) == (0, 0, 3.0, 0.5)
    assert (request.lora, request.trainer) == ({"r": 4}, {"max_steps": 2})


def test_a_value_of_a_file_that_is_typed_otherwise_is_not_read(tmp_path: Path) -> None:
    file = yaml_file(tmp_path, "epochs: many\n")
    assert read_request("sft", None, "default", ["epochs=3"], file, False).config.epochs == 3


@pytest.mark.parametrize(("text", "hint"), [("stpes: 3\n", "'steps'"), ("lora: 3\n", "lora.KEY")])
def test_unknown_setting_of_an_alignment_names_its_file(tmp_path: Path, text: str, hint: str) -> None:
    file = yaml_file(tmp_path, text)
    with pytest.raises(SeaError, match="there is no setting") as caught:
        read_request("sft", None, "default", [], file, False)
    assert hint in caught.value.hint
    assert caught.value.where == str(file)
