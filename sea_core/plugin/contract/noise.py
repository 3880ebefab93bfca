"""A medium that is not blank, where its author gives none: noise in the form of the blank."""

from __future__ import annotations

import dataclasses
from typing import Any

from sea_core.errors import PluginError

SPREAD = 0.3


def noise_like(medium: Any) -> Any:
    """Return noise of the type and shape of `medium`: an array, a tensor, a picture, or a collection with some in it.

    Raises:
        PluginError: the medium is of a type that nothing is known of.
    """
    found, noise = _noise(medium)
    if found:
        return noise
    raise PluginError(
        f"a signal cannot be made up from a blank medium of type {type(medium).__name__}",
        hint="Give one: `sample()` in the test, or --media FILE on the command line.",
    )


def _noise(part: Any) -> tuple[bool, Any]:
    """Return whether there was something to put noise in the place of, and the part with it."""
    import numpy as np

    if isinstance(part, np.ndarray):
        draw = np.random.default_rng(0)
        if np.issubdtype(part.dtype, np.integer):
            return True, draw.integers(0, 256, part.shape).astype(part.dtype)
        return True, np.asarray(draw.normal(0.0, SPREAD, part.shape), part.dtype)
    module = type(part).__module__.partition(".")[0]
    if module == "torch" and hasattr(part, "numpy"):
        import torch

        return True, torch.from_numpy(_noise(part.numpy())[1])
    if module == "PIL":
        from PIL import Image

        return True, Image.fromarray(_noise(np.asarray(part))[1])
    if isinstance(part, dict):
        found = {name: _noise(value) for name, value in part.items()}
        return any(any_ for any_, _ in found.values()), {name: value for name, (_, value) in found.items()}
    if isinstance(part, list | tuple):
        parts = [_noise(value) for value in part]
        values = [value for _, value in parts]
        whole = type(part)(*values) if hasattr(part, "_fields") else type(part)(values)
        return any(any_ for any_, _ in parts), whole
    if dataclasses.is_dataclass(part) and not isinstance(part, type):
        any_, fields = _noise({field.name: getattr(part, field.name) for field in dataclasses.fields(part)})
        return any_, dataclasses.replace(part, **fields)
    return False, part
