"""The names of a model's modules, for the error about one that is not there."""

from __future__ import annotations

from torch import nn


def suggest_modules(model: nn.Module, name: str) -> str:
    """Return the paths of the modules that end in a name, as a sentence; empty if there are none."""
    found = [path for path, _ in model.named_modules() if path == name or path.endswith(f".{name}")]
    return f"{type(model).__name__} has {', '.join(found[:5])}." if found else ""
