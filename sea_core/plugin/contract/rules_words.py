"""Rules about an adapter's words, and what it costs to import it. They need no model."""

from __future__ import annotations

import inspect
import string
import subprocess
import sys
from pathlib import Path
from typing import get_args

from sea_core.data.examples import Extraction, Kind
from sea_core.model import prompts
from sea_core.plugin.contract.rule import AdapterUnderTest, listed, require, rule

KINDS: tuple[Kind, ...] = get_args(Kind)

IMPORT = """
import importlib, importlib.util, sys
name, file, *sys.path = sys.argv[1:]
try:
    importlib.import_module(name)
except ModuleNotFoundError as error:
    if not error.name or name.split(".")[0] != error.name.split(".")[0]: raise
    spec = importlib.util.spec_from_file_location(name, file)
    sys.modules[name] = module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
print("torch" in sys.modules)
"""


@rule("Set `noun` to what a person would call the medium: it goes into every question.", needs_model=False)
def noun(subject: AdapterUnderTest) -> None:
    """The noun fills every template."""
    word = subject.adapter.noun
    require(bool(word) and word == word.strip(), f"the noun is {word!r}")
    require(not set(word) & set("{}"), f"the noun {word!r} has braces in it")
    require(word.strip(string.punctuation) == word, f"the noun {word!r} begins or ends with a punctuation mark")


@rule("Set `prefixes` to how this model opens an answer about the content, by kind.", needs_model=False)
def prefixes(subject: AdapterUnderTest) -> None:
    """There is an opening for an answer about an activity, about a product and about the style."""
    adapter = subject.adapter
    missing = [kind for kind in KINDS if not adapter.prefixes.get(kind, "").strip()]
    require(not missing, f"`prefixes` has nothing for {listed(missing)}")
    require(bool(adapter.style_prefix.strip()), "`style_prefix` is empty")
    for kind in KINDS:
        answer = prompts.content_goal(adapter, Extraction("a lamp", kind, "a lamp", "")).answer
        require(answer == " ".join(answer.split()), f"the target {answer!r} has stray spaces in it")


@rule("Set `styles` to a few words that this model uses for the style of its media.", needs_model=False)
def styles(subject: AdapterUnderTest) -> None:
    """The style set is not empty, and no style is in it twice."""
    words = subject.adapter.styles
    require(len(words) > 0 and not isinstance(words, str), f"`styles` is {words!r}")
    twice = {word for word in words if words.count(word) > 1}
    require(not twice, f"`styles` has {listed(sorted(twice))} more than once")
    require(all(word and word == word.strip() for word in words), f"`styles` has an empty style: {words!r}")


@rule(
    "Import torch and everything that imports it inside the methods: `sea modalities` reads adapters without it.",
    needs_model=False,
)
def light(subject: AdapterUnderTest) -> None:
    """Importing the adapter imports no torch."""
    home = type(subject.adapter)
    command = [sys.executable, "-c", IMPORT, home.__module__, str(Path(inspect.getfile(home)).resolve()), *sys.path]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    require(done.returncode == 0, f"importing {home.__module__} alone fails: {(done.stderr.splitlines() or [''])[-1]}")
    require(done.stdout.split()[-1] == "False", f"importing {home.__module__} imports torch")


RULES = (noun, prefixes, styles, light)
