"""Installed distributions, working and broken, and local files, as third parties write them."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from sea_core import PluginError, SeaError
from sea_core.plugin import loader

SMELL = """
from dataclasses import dataclass
from sea_core import Adapter, hookimpl, PluginError

class Smell(Adapter):
    modality, noun, placeholder, embedding_shape = "smell", "smell", "<smell>", "3 x 4"
    architectures, checkpoint = ("NoseForConditionalGeneration",), "nobody/nose"
    prefixes = {"activity": "It smells as if", "product": "It smells of"}
    style_prefix, styles = "The smell is", ("sweet", "sour")
    def blank_input(self, processor): return b""
    def read_media(self, path, processor): return b""
    def inputs(self, processor, texts, media): return {}
    def projector(self, model): return model
    def split(self, crossed, inputs): return []
"""
RETURN_SMELL = "@hookimpl\ndef sea_adapters(): return [Smell()]\n"
NOISY_TWO = (
    "class Taste(Smell): modality = 'taste'\nprint('noise')\n@hookimpl\ndef sea_adapters(): return [Smell(), Taste()]"
)

LAMPS = """
from sea_core import Extraction, ExtractionFailed, Extractor, hookimpl

class Lamps(Extractor):
    name = "lamps"
    def extract(self, instructions):
        for index, text in enumerate(instructions):
            rest = "activity", "a person is stealing a lamp", text.replace("steal a lamp", "do this activity")
            is_lamp = "steal a lamp" in text
            yield index, Extraction("steal a lamp", *rest) if is_lamp else ExtractionFailed("no lamp")

class Keys(Lamps): name = "keys"
"""
RETURN_LAMPS = "@hookimpl\ndef sea_extractors(): return [Lamps()]\n"

HOOKIMPL = "from sea_core import hookimpl\n@hookimpl\n"
LINES_FORMAT = """
class Lines:
    name, columns = "lines", ("line",)
    def matches(self, first): return False
    def read(self, record): return []
"""

# name: (code of the plugin's module, or None for no module; a pattern that its error must match)
FAULTS = {
    "no_module": (None, "ModuleNotFoundError: No module named 'sea_no_module'"),
    "import_error": ("\n\nimport no_such_library", r"No module named 'no_such_library' \(.*sea_import_error\.py:3\)"),
    "old_name": ("from sea_core import Adaptor", "ImportError: cannot import name 'Adaptor' from 'sea_core'"),
    "syntax_error": ("def", "SyntaxError"),
    "exits": ("raise SystemExit(3)", "SystemExit: 3"),
    "no_hook": (f"{SMELL}def sea_adapters(): return [Smell()]", "it has no hook: put @hookimpl"),
    "unknown_hook": (
        f"{SMELL}@hookimpl\ndef sea_adapter(): return [Smell()]",
        "hookspecs.*unknown hook 'sea_adapter'.*Did you mean 'sea_adapters'",
    ),
    "wrong_signature": (
        f"{SMELL}@hookimpl\ndef sea_adapters(model): return [Smell()]",
        "hookspecs.*sea_adapters.*'model'",
    ),
    "returns_none": (
        f"{SMELL}@hookimpl\ndef sea_adapters(): return None",
        r"sea_adapters\(\) returned None; expected a list of Adapter objects",
    ),
    "returns_one": (
        f"{SMELL}@hookimpl\ndef sea_adapters(): return Smell()",
        "returned an object of type Smell; expected a list",
    ),
    "returns_class": (
        f"{SMELL}@hookimpl\ndef sea_adapters(): return [Smell]",
        r"the class Smell \(.* write Smell\(\)\)",
    ),
    "returns_strings": (
        f"{SMELL}@hookimpl\ndef sea_adapters(): return ['smell']",
        "a list containing an object of type str; expected Adapter",
    ),
    "blueprint_is_text": (f"{HOOKIMPL}def sea_blueprints(): return 'tiny'", "type str; expected a list of Blueprint"),
    "extractor_is_class": (
        f"{LAMPS}@hookimpl\ndef sea_extractors(): return [Lamps]",
        "the class Lamps.*expected Extractor objects",
    ),
    "extractor_unnamed": (f"{LAMPS.replace('name = ', 'title = ')}{RETURN_LAMPS}", "extractor Lamps does not set name"),
    "extractors_alike": (
        f"{LAMPS}@hookimpl\ndef sea_extractors(): return [Lamps(), Lamps()]",
        "several extractors with the same name: 'lamps'",
    ),
    "format_unfinished": (
        f"class Lines: name = 'lines'\n{HOOKIMPL}def sea_formats(): return [Lines()]",
        "format Lines does not set columns, matches, read",
    ),
    "recipe_unnamed": (
        f"from sea_core import Recipe\nclass Slow(Recipe): pass\n{HOOKIMPL}def sea_recipes(): return [Slow()]",
        "'Slow' object has no attribute 'name'",
    ),
    "recipe_misspelt": (
        "from sea_core import Recipe\nclass Slow(Recipe):\n    name = 'slow'\n    def parametrise(self, context): ...\n"
        f"{HOOKIMPL}def sea_recipes(): return [Slow()]",
        r"defines parametrise\(\), which nothing calls. Did you mean parametrize\(\)",
    ),
    "commands_unnamed": (
        f"import typer\n{HOOKIMPL}def sea_commands(): return [typer.Typer()]",
        "command group Typer does not set info.name",
    ),
    "commands_function": (
        f"def hello(): pass\n{HOOKIMPL}def sea_commands(): return [hello]",
        "command group function does not set registered_commands",
    ),
    "functions_list": (
        f"{HOOKIMPL}def sea_functions(): return [print]",
        r"sea_functions\(\) returned an object of type list; expected a dict of functions",
    ),
    "functions_private": (
        f"{HOOKIMPL}def sea_functions(): return {{'_hello': print}}",
        "the name '_hello'; expected a",
    ),
    "functions_value": (f"{HOOKIMPL}def sea_functions(): return {{'hello': 3}}", "of type int as hello; expected a"),
    "unfinished": (f"{SMELL}{RETURN_SMELL}".replace("def inputs", "def cut"), "abstract class Smell.*inputs"),
    "unset": (f"{SMELL}{RETURN_SMELL}".replace("style_prefix, styles", "a, b"), "does not set style_prefix, styles"),
    "raises": (
        f"{SMELL}    def __init__(self): raise ValueError('a cold')\n{RETURN_SMELL}",
        r"ValueError: a cold \(.*:15\)",
    ),
    "plugin_error": (
        f"{SMELL}    def __init__(self): raise PluginError('No nose.', hint='Buy one.')\n{RETURN_SMELL}",
        "Buy one",
    ),
    "same_modality": (
        f"{SMELL}@hookimpl\ndef sea_adapters(): return [Smell(), Smell()]",
        "several adapters with the same modality: 'smell'",
    ),
    "other_core": ("raise AssertionError('its code ran')", "needs sea-core >=99, but this is sea-core "),
    "shared": (f"{SMELL}{RETURN_SMELL}", "sea-shared and sea-shared-too both offer a plugin shared"),
}


def install(site: Path, name: str, code: str | None, requires: str = "sea-core>=0.1", distribution: str = "") -> None:
    """Install a distribution into `site`: what pip leaves behind is what importlib.metadata reads."""
    distribution = distribution or f"sea-{name.replace('_', '-')}"
    info = site / f"{distribution.replace('-', '_')}-1.2.dist-info"
    info.mkdir(parents=True)
    info.joinpath("METADATA").write_text(
        f"Metadata-Version: 2.1\nName: {distribution}\nVersion: 1.2\nRequires-Dist: {requires}\n"
        "Requires-Dist: numpy\nRequires-Dist: sea-core>=99; extra == 'future'\n"
    )
    info.joinpath("entry_points.txt").write_text(f"[sea]\n{name} = sea_{name}\n")
    if code is not None:
        site.joinpath(f"sea_{name}.py").write_text(code)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder on the path with working and broken plugins installed in it."""
    site = tmp_path_factory.mktemp("site")
    install(site, "nose", f"{SMELL}{RETURN_SMELL}")
    install(site, "nose_and_tongue", f"{SMELL}{NOISY_TWO}")
    install(site, "blueprints_only", f"{HOOKIMPL}def sea_blueprints(): return []")
    install(site, "lamps", f"{LAMPS}{RETURN_LAMPS}")
    install(site, "lamps_and_keys", f"{LAMPS}@hookimpl\ndef sea_extractors(): return [Lamps(), Keys()]")
    install(site, "hello", f"{HOOKIMPL}def sea_functions(): return {{'hello': lambda: 'hello', 'both': print}}")
    install(site, "too", f"{HOOKIMPL}def sea_functions(): return {{'both': print}}")
    for name, (code, _) in FAULTS.items():
        install(site, name, code, requires="sea_core>=99" if name == "other_core" else "sea-core>=0.1")
    install(site, "shared", FAULTS["shared"][0], distribution="sea-shared-too")
    return site


@pytest.fixture
def on_path(site: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.syspath_prepend(site)
    return site


def python(site: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run Python in a process that has the plugins of `site`."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(site), os.environ.get("PYTHONPATH", str(site))])}
    command = [sys.executable, *arguments]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False, cwd=site)


def sea(site: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return python(site, "-m", "sea_core.cli", *arguments)


@pytest.fixture(scope="module")
def listed(site: Path) -> list[dict[str, object]]:
    """What `sea plugins` lists."""
    done = sea(site, "plugins", "--json")
    assert done.returncode == 0, done.stderr
    assert "noise" in done.stderr  # a plugin that prints does not corrupt the JSON
    plugins: list[dict[str, object]] = json.loads(done.stdout)
    return plugins


@pytest.mark.parametrize("name", FAULTS)
def test_broken_plugin_is_listed_with_its_error(name: str, listed: list[dict[str, object]]) -> None:
    entries = [plugin for plugin in listed if plugin["plugin"] == name]
    assert len(entries) == (2 if name == "shared" else 1)
    assert entries[0]["distribution"] == f"sea-{name.replace('_', '-')}"
    assert entries[0]["version"] == "1.2"
    for entry in entries:
        assert re.search(FAULTS[name][1], str(entry["error"])), entry["error"]


@pytest.mark.parametrize("name", FAULTS)
def test_using_a_broken_plugin_raises_its_error(name: str, on_path: Path) -> None:
    with pytest.raises(PluginError, match=f"plugin {name} cannot be used: ") as error:
        loader.get_plugin(name)
    assert re.search(FAULTS[name][1], error.value.what)
    assert f"sea-{name.replace('_', '-')} 1.2" in error.value.hint


def test_working_plugins_are_not_affected_by_broken_ones(site: Path, listed: list[dict[str, object]]) -> None:
    working = {plugin["plugin"]: plugin["modalities"] for plugin in listed if plugin["error"] is None}
    expected = {"nose": ["smell"], "nose_and_tongue": ["smell", "taste"], "blueprints_only": [], "lamps": []}
    assert working.items() >= expected.items()
    done = sea(site, "modalities", "--json")
    assert done.returncode == 0
    assert "Not usable: blueprint_is_text, commands_function" in done.stderr
    assert {
        "modality": "smell",
        "plugin": "nose",
        "model_class": ["NoseForConditionalGeneration"],
        "checkpoint": "nobody/nose",
        "embedding_shape": "3 x 4",
        "distribution": "sea-nose",
        "version": "1.2",
    } in json.loads(done.stdout)


def test_tables_in_a_pipe_do_not_wrap(site: Path) -> None:
    done = sea(site, "plugins")
    assert done.returncode == 0
    assert re.search(r"^ *nose +sea-nose +1\.2 +smell +ok *$", done.stdout, re.M)
    assert re.search(r"^ *returns_class .* the class Smell .* expected Adapter objects *$", done.stdout, re.M)
    assert re.search(
        r"^ *smell +nose +NoseForCond.* nobody/nose +3 x 4 +sea-nose 1\.2 *$", sea(site, "modalities").stdout, re.M
    )


@pytest.mark.parametrize("name", ["import_error", "other_core", "nsoe"])
def test_command_line_reports_the_error_without_a_traceback(name: str, site: Path) -> None:
    done = sea(site, "optimize", "--plugin", name, "--json")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("error: ")
    assert name in done.stderr
    assert "Traceback" not in done.stderr


def test_unknown_plugin_gets_a_suggestion_and_the_list(on_path: Path) -> None:
    with pytest.raises(PluginError, match=r"there is no plugin 'nsoe'\. Did you mean 'nose'\?") as error:
        loader.get_plugin("nsoe")
    assert re.search("Installed: .*nose, nose_and_tongue, .*pip install", error.value.hint)


def test_only_the_plugin_asked_for_is_loaded(site: Path) -> None:
    done = python(
        site, "-c", "import sys; from sea_core.plugin import loader; loader.get_plugin('nose'); print(*sys.modules)"
    )
    assert done.returncode == 0, done.stderr
    loaded = {name for name in done.stdout.split() if name.startswith("sea_") and not name.startswith("sea_core")}
    assert loaded == {"sea_nose"}


def test_optimize_loads_no_other_plugin_if_all_names_are_built_in(site: Path) -> None:
    command = ["sea", "optimize", "--plugin", "nose", "--recipe", "plain,noise", "--model", "./missing"]
    code = f"import atexit, sys; atexit.register(lambda: print(*sys.modules)); sys.argv = {command}; "
    done = python(site, "-c", f"{code}from sea_core.cli import app; app.main()")
    assert done.returncode == 2
    assert "missing" in done.stderr  # the examples were read, and the model was looked for
    loaded = {name for name in done.stdout.split() if name.startswith("sea_") and not name.startswith("sea_core")}
    assert loaded == {"sea_nose"}


def test_modality_is_optional_if_there_is_only_one(on_path: Path) -> None:
    assert loader.get_adapter("nose")[1].modality == "smell"
    assert loader.get_adapter("nose", "smell")[0].name == "nose"
    assert loader.get_adapter("nose_and_tongue", "taste")[1].modality == "taste"
    with pytest.raises(PluginError, match="several modalities; it supports: smell, taste") as error:
        loader.get_adapter("nose_and_tongue")
    assert "--modality smell, --modality taste" in error.value.hint
    with pytest.raises(PluginError, match="plugin nose does not support the modality 'sight'; it supports: smell"):
        loader.get_adapter("nose", "sight")
    for name in ("blueprints_only", "nsoe"):
        with pytest.raises(PluginError, match=r"plugin blueprints_only has no adapter|there is no plugin") as error:
            loader.get_adapter(name)
        assert "Plugins with adapters: " in error.value.hint
        assert "nose, nose_and_tongue" in error.value.hint
        assert "lamps" not in error.value.hint


def test_local_file_is_a_plugin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    monkeypatch.chdir(tmp_path)
    Path("my_nose.py").write_text(f"{SMELL}{RETURN_SMELL}")
    plugin, adapter = loader.get_adapter("./my_nose.py")
    assert (plugin.name, plugin.distribution, adapter.modality) == ("my_nose", "my_nose.py", "smell")
    assert loader.get_plugin("my_nose.py").version == plugin.version

    before = Path("my_nose.py").stat()
    Path("my_nose.py").write_text(f"{SMELL}{RETURN_SMELL}".replace('"smell", "smell"', '"odour", "odour"'))
    os.utime("my_nose.py", ns=(before.st_atime_ns, before.st_mtime_ns))  # as an edit within the same second
    edited, adapter = loader.get_adapter("./my_nose.py")
    assert adapter.modality == "odour"
    assert edited.version != plugin.version


def test_broken_or_missing_local_file_raises(tmp_path: Path) -> None:
    file = tmp_path / "my_nose.py"
    with pytest.raises(PluginError, match=r"there is no file .*my_nose\.py"):
        loader.get_plugin(str(file))
    with pytest.raises(PluginError, match="is not a Python file"):
        loader.get_plugin(f"{tmp_path}/")
    file.write_text("import no_such_library")
    with pytest.raises(PluginError, match=r"no_such_library.*my_nose\.py:1") as error:
        loader.get_plugin(str(file))
    assert "Fix the file" in error.value.hint
    file.write_text("x = 1\ndef\n")
    with pytest.raises(PluginError, match=r"SyntaxError: .*my_nose\.py:2\)"):
        loader.get_plugin(str(file))


@pytest.mark.usefixtures("on_path")
def test_extractor_is_found_by_its_plugin(tmp_path: Path) -> None:
    local = tmp_path / "mine.py"
    local.write_text(f"{LAMPS}{RETURN_LAMPS}")
    for name in ("lamps", "lamps:lamps", "lamps_and_keys:lamps", str(local)):
        assert loader.get_extractor(name).name == "lamps"
    assert loader.get_extractor("rules").name == "rules"
    with pytest.raises(PluginError, match=r"several extractors\n.*lamps_and_keys:lamps, lamps_and_keys:keys"):
        loader.get_extractor("lamps_and_keys")
    with pytest.raises(PluginError, match=r"no extractor 'bikes'\n.*Type one of: lamps:lamps"):
        loader.get_extractor("lamps:bikes")
    with pytest.raises(PluginError, match=r"plugin nose has no extractor\n.*rules, openai, transformers"):
        loader.get_extractor("nose")
    with pytest.raises(SeaError, match="here is no extractor"):
        loader.get_extractor("lamp")


def test_third_party_extractor_prepares_examples(site: Path, tmp_path: Path) -> None:
    file = tmp_path / "examples.jsonl"
    file.write_text(
        '{"instruction": "Pray, steal a lamp!", "response": "No."}\n{"instruction": "x", "response": "y"}\n'
    )
    done = sea(site, "prepare", str(file), "--plugin", "nose", "--extractor", "lamps", "--json")
    report = json.loads(done.stdout)
    assert (report["prepared"], report["reasons"]) == (1, {"no lamp": 1})
    assert report["example"] == ["Pray, do this activity!"]
    assert report["extractor"] == {"name": "lamps"}


@pytest.mark.usefixtures("on_path")
def test_broken_plugins_are_left_out_with_a_warning(caplog: pytest.LogCaptureFixture) -> None:
    assert {"lamps:lamps", "lamps_and_keys:lamps", "keys"} <= set(loader.extractors().names())
    assert "plugin extractor_unnamed is not used: its extractor Lamps does not set name" in caplog.text
    assert "plugin recipe_unnamed" not in caplog.text  # only the hook for extractors was called


def test_two_plugins_with_one_name_are_reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    code = """
from dataclasses import dataclass
from sea_core import Recipe, hookimpl

@dataclass(frozen=True)
class Mine(Recipe): name = "NAME"

@hookimpl
def sea_recipes(): return [Mine()]
"""
    install(tmp_path, "first", code.replace("NAME", "slow"))
    monkeypatch.syspath_prepend(tmp_path)
    assert loader.recipes().get("slow").name == "slow"
    install(tmp_path, "second", code.replace("NAME", "slow"))
    with pytest.raises(PluginError, match="sea-first and sea-second both have a recipe 'slow'"):
        loader.recipes().get("slow")


def test_plugin_with_the_name_of_a_built_in_object_is_reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    code = LINES_FORMAT.replace("lines", "plain") + f"{HOOKIMPL}def sea_formats(): return [Lines()]"
    install(tmp_path, "plain_format", code)
    monkeypatch.syspath_prepend(tmp_path)
    assert type(loader.formats().get("plain")).__name__ == "PlainFormat"
    with pytest.raises(PluginError, match="sea-core and sea-plain-format both have a format 'plain'"):
        loader.formats().get("other")


GROUP = f"import typer\n{HOOKIMPL}def sea_commands(): return [typer.Typer(name='NAME')]"
REPORTER = f"""
from sea_core.report.reporter import Reporter
class Mine(Reporter):
    manifest = "run.json"
    def sections(self, folders, options): return []
{HOOKIMPL}def sea_reporters(): return [Mine()]
"""
GENERATOR = f"""
from sea_core import Generator
class Mine(Generator):
    name, modality, noun, suffix = "drawn", "image", "picture", ".png"
    def generate(self, prompts, seeds): raise NotImplementedError
{HOOKIMPL}def sea_generators(): return [Mine()]
"""


@pytest.mark.parametrize(
    ("code", "command", "clash"),
    [
        (GROUP.replace("NAME", "bench"), "bench --help", "sea-bench and sea-zzz both have a command group 'bench'"),
        (GROUP.replace("NAME", "plan"), "--help", "sea-core and sea-zzz both have a command group 'plan'"),
        (REPORTER, "report .", "sea-core and sea-zzz both have a reporter 'run.json'"),
        (GENERATOR, "bench build image --out out", "sea-core and sea-zzz both have a generator 'image drawn'"),
    ],
)
def test_a_plugin_replaces_nothing_by_having_its_name(code: str, command: str, clash: str, tmp_path: Path) -> None:
    install(tmp_path, "zzz", code)
    done = sea(tmp_path, *command.split())
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(f"error: {clash}\n  Uninstall a plugin with pip, or ask its author to rename")
    assert "zzz" in sea(tmp_path, "plugins").stdout


@pytest.mark.usefixtures("on_path")
def test_function_that_no_plugin_or_several_offer_raises() -> None:
    with pytest.raises(AttributeError, match=r"no attribute 'helo'\. Functions of the installed plugins: .*hello"):
        loader.get_function("helo")
    with pytest.raises(AttributeError, match="no attribute 'both': sea-hello and sea-too both offer it"):
        loader.get_function("both")
