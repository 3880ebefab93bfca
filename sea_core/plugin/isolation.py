"""Run a plugin's code, and describe what it raises. The only module that catches every exception."""

from __future__ import annotations

import sys
import traceback
from collections.abc import Callable
from importlib.metadata import entry_points
from pathlib import Path

from sea_core.errors import PluginError, at, one_line

CORE = str(Path(__file__).parents[1])
ENTRY_POINT_GROUP = "sea"
"""The group of entry points that plugins are found by."""
LOCAL_PREFIX = "sea_plugin_"
"""Local plugin files become modules with this prefix, the file's stem and a digest as their name."""


def catch_any(call: Callable[[], object]) -> Exception | SystemExit | None:
    """Call a function and return what it raised, or None. KeyboardInterrupt is not caught."""
    try:
        call()
    except (Exception, SystemExit) as error:
        return error
    return None


def describe(error: BaseException) -> str:
    """Return a description such as `it raised KeyError: 'mel' (file:line)`."""
    if isinstance(error, SyntaxError) and error.filename:
        return f"it raised {type(error).__name__}: {error.msg} ({at(error.filename, error.lineno)})"
    return f"it raised {type(error).__name__}: {one_line(error)}{location(error)}"


def location(error: BaseException) -> str:
    """Return the innermost frame of a plugin's code, as ` (file:line)`.

    Without one, that outside the core and the import system; "" if there is none either.
    """
    frames = [
        frame
        for frame in traceback.extract_tb(error.__traceback__)
        if not frame.filename.startswith(("<", CORE)) and "importlib" not in frame.filename
    ]
    owners = tuple(_plugin_paths())
    frames = [frame for frame in frames if frame.filename.startswith(owners)] or frames
    return f" ({at(frames[-1].filename, frames[-1].lineno)})" if frames else ""


def attribute_to_plugin(error: BaseException) -> PluginError | None:
    """Return an error that names the plugin that raised it, its method and the line; None if no plugin did.

    The plugin is responsible if the innermost frame that belongs to the core or to a plugin is the plugin's: libraries
    raise because of how they are called. The method named is the one that the core called.
    """
    owners = _plugin_paths()
    method, line, owner = "", "", None
    for frame, number in traceback.walk_tb(error.__traceback__):
        file = frame.f_code.co_filename
        plugin = next((name for root, name in owners.items() if file == root or file.startswith(f"{root}/")), None)
        if plugin is not None:
            if plugin != owner:
                method = frame.f_code.co_qualname.partition(".<locals>")[0]
            owner, line = plugin, at(file, number)
        elif file.startswith(CORE):
            owner = None
    if owner is None:
        return None
    return PluginError(
        f"plugin {owner}: {method} raised {type(error).__name__}: {one_line(error)} ({line})",
        hint="This is a bug in the plugin: fix it, or report it to the plugin's author. `sea --debug ...` shows the "
        f"traceback; `sea plugins check {owner}` checks a plugin that has adapters.",
    )


def _plugin_paths() -> dict[str, str]:
    """Return the folder or file of each loaded plugin, with the plugin's name."""
    points = entry_points(group=ENTRY_POINT_GROUP)
    names = {point.value.partition(":")[0].partition(".")[0]: point.name for point in points}
    paths = {}
    for module, name in names.items():
        if file := getattr(sys.modules.get(module), "__file__", None):
            paths[str(Path(file).parent) if Path(file).name == "__init__.py" else file] = name
    for module, loaded in list(sys.modules.items()):
        if module.startswith(LOCAL_PREFIX) and (file := getattr(loaded, "__file__", None)):
            paths[file] = file
    return paths
