"""Noise in the form of the blank input: the sample of the contract if the plugin's author gives none."""

from __future__ import annotations

import dataclasses
from typing import Any

from sea_core.errors import PluginError

STANDARD_DEVIATION = 0.3


def noise_like(medium: Any) -> Any:
    """Return noise of the type and shape of `medium`: an array, a tensor, a picture, or a container of these.

    Raises:
        PluginError: the medium is of another type.
    """
    contains_signal, noise = _noise(medium)
    if contains_signal:
        return noise
    raise PluginError(
        f"no noise can be made in the form of a blank input of type {type(medium).__name__}",
        hint="Give a sample: method `sample()` in the test, or --sample FILE on the command line.",
    )


def _noise(value: Any) -> tuple[bool, Any]:
    """Return whether there was anything to replace by noise, and the value with noise."""
    import numpy as np

    if isinstance(value, np.ndarray):
        return True, _array_noise(value)
    library = type(value).__module__.partition(".")[0]
    if library == "torch" and hasattr(value, "numpy"):
        import torch

        return True, torch.from_numpy(_array_noise(value.numpy()))
    if library == "PIL":
        from PIL import Image

        return True, Image.fromarray(_array_noise(np.asarray(value)))
    return _container_noise(value)


def _array_noise(array: Any) -> Any:
    import numpy as np

    rng = np.random.default_rng(0)
    if np.issubdtype(array.dtype, np.integer):
        return rng.integers(0, 256, array.shape).astype(array.dtype)
    return np.asarray(rng.normal(0.0, STANDARD_DEVIATION, array.shape), array.dtype)


def _container_noise(value: Any) -> tuple[bool, Any]:
    if isinstance(value, dict):
        parts = {name: _noise(part) for name, part in value.items()}
        return any(found for found, _ in parts.values()), {name: part for name, (_, part) in parts.items()}
    if isinstance(value, list | tuple):
        items = [_noise(item) for item in value]
        noisy = [item for _, item in items]
        container = type(value)(*noisy) if hasattr(value, "_fields") else type(value)(noisy)
        return any(found for found, _ in items), container
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        found, fields = _noise({field.name: getattr(value, field.name) for field in dataclasses.fields(value)})
        return found, dataclasses.replace(value, **fields)
    return False, value
