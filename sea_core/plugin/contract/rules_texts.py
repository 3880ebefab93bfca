"""Rules about the texts of an adapter, and about the cost of importing it. They need no model."""

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
"""Imports a module, from its file if it is not a package's, and prints whether that imported torch."""


@rule("Set `noun` to what a person calls the medium: it is part of every question.", needs_model=False)
def noun(subject: AdapterUnderTest) -> None:
    """The noun fits into every prompt template."""
    text = subject.adapter.noun
    require(bool(text) and text == text.strip(), f"the noun is {text!r}")
    require(not set(text) & set("{}"), f"the noun {text!r} contains braces")
    require(text.strip(string.punctuation) == text, f"the noun {text!r} begins or ends with a punctuation mark")


@rule("Set `prefixes` to how this model begins an answer about the content, by kind.", needs_model=False)
def prefixes(subject: AdapterUnderTest) -> None:
    """There is a response prefix for activities, for products and for the style."""
    adapter = subject.adapter
    missing = [kind for kind in KINDS if not adapter.prefixes.get(kind, "").strip()]
    require(not missing, f"`prefixes` has no entry for {listed(missing)}")
    require(bool(adapter.style_prefix.strip()), "`style_prefix` is empty")
    for kind in KINDS:
        answer = prompts.content_goal(adapter, Extraction("a lamp", kind, "a lamp", "")).answer
        require(answer == " ".join(answer.split()), f"the target answer {answer!r} has superfluous spaces")


@rule("Set `styles` to a few words that this model uses for the style of its media.", needs_model=False)
def styles(subject: AdapterUnderTest) -> None:
    """The style set is not empty and has no duplicates."""
    names = subject.adapter.styles
    require(len(names) > 0 and not isinstance(names, str), f"`styles` is {names!r}")
    duplicates = {name for name in names if names.count(name) > 1}
    require(not duplicates, f"`styles` contains {listed(sorted(duplicates))} more than once")
    require(all(name and name == name.strip() for name in names), f"`styles` contains an empty style: {names!r}")


@rule(
    "Import torch, and everything that imports it, inside the methods: `sea plugins` lists adapters without it.",
    needs_model=False,
)
def light_import(subject: AdapterUnderTest) -> None:
    """Importing the adapter does not import torch."""
    adapter_class = type(subject.adapter)
    module, file = adapter_class.__module__, Path(inspect.getfile(adapter_class)).resolve()
    command = [sys.executable, "-P", "-c", IMPORT, module, str(file), *sys.path]
    process = subprocess.run(command, capture_output=True, text=True, check=False)
    require(process.returncode == 0, f"importing {module} alone fails: {(process.stderr.splitlines() or [''])[-1]}")
    require(process.stdout.split()[-1] == "False", f"importing {module} imports torch")


RULES = (noun, prefixes, styles, light_import)
