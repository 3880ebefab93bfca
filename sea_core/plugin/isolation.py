"""Run strangers' code, and say in a line what it did wrong. The only file that catches everything."""

from __future__ import annotations

import sys
import traceback
from collections.abc import Callable
from importlib.metadata import entry_points
from pathlib import Path

from sea_core.errors import PluginError, at

CORE = str(Path(__file__).parents[1])
GROUP = "sea"
"""The entry-point group of plugins."""
LOCAL = "sea_plugin_"
"""How the modules of local plugin files are called: this, the file's stem, a digest."""


def catch_any(call: Callable[[], object]) -> Exception | SystemExit | None:
    """Call, and return what was raised, or None. Strangers' code may raise anything, or leave; Ctrl-C goes through."""
    try:
        call()
    except (Exception, SystemExit) as error:
        return error
    return None


def describe(error: BaseException) -> str:
    """Return `it raised KeyError: 'mel' (file:line)`."""
    return f"it raised {type(error).__name__}: {one_line(error)}{location(error)}"


def one_line(error: BaseException) -> str:
    return " ".join(str(error).split())


def location(error: BaseException) -> str:
    """Return where it was raised, as ` (file:line)`; the core's frames and the import machinery's say nothing."""
    frames = [
        frame
        for frame in traceback.extract_tb(error.__traceback__)
        if not frame.filename.startswith(("<", CORE)) and "importlib" not in frame.filename
    ]
    return f" ({at(frames[-1].filename, frames[-1].lineno)})" if frames else ""


def attribute_to_plugin(error: BaseException) -> PluginError | None:
    """Return a plugin's bug in words, naming the plugin, its method and the line; None where it is not a plugin's.

    It is the plugin's when, of all the calls that led there, the last that is either the core's or a plugin's own is a
    plugin's: libraries raise what they were made to. The method is the one that the core called.
    """
    owners = _owners()
    method, line, owner = "", "", None
    for frame, number in traceback.walk_tb(error.__traceback__):
        file = frame.f_code.co_filename
        entered = next((name for root, name in owners.items() if file == root or file.startswith(f"{root}/")), None)
        if entered is not None:
            method = method if entered == owner else frame.f_code.co_qualname.partition(".<locals>")[0]
            owner, line = entered, at(file, number)
        elif file.startswith(CORE):
            owner = None
    if owner is None:
        return None
    return PluginError(
        f"plugin {owner}: {method} raised {type(error).__name__}: {one_line(error)} ({line})",
        hint="This is a bug in the plugin: mend it, or tell its author. `sea --debug ...` shows the whole traceback, "
        f"`sea plugin check {owner}` what else is wrong.",
    )


def _owners() -> dict[str, str]:
    """Return the folder or file of each plugin that is loaded, with the plugin's name."""
    names = {point.value.partition(":")[0].partition(".")[0]: point.name for point in entry_points(group=GROUP)}
    found = {}
    for module, name in names.items():
        if file := getattr(sys.modules.get(module), "__file__", None):
            found[str(Path(file).parent) if Path(file).name == "__init__.py" else file] = name
    for module, loaded in list(sys.modules.items()):
        if module.startswith(LOCAL) and (file := getattr(loaded, "__file__", None)):
            found[file] = file
    return found
