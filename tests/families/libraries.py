"""Libraries that a few classes need. They are not among the project's own: `pip install scipy timm torchvision`."""

from __future__ import annotations

from importlib.util import find_spec

import torch

OPERATORS = ("nms", "qnms")
_declared: list[torch.library.Library] = []


def declare_torchvision() -> None:
    """Make torchvision importable where it was built for another torch. To be called before transformers is imported.

    timm needs its Python part only. That registers shapes for two operators, which its compiled part would declare.
    """
    if find_spec("torchvision") is None:
        return
    try:
        import torchvision  # noqa: F401
    except RuntimeError:
        library = torch.library.Library("torchvision", "DEF")
        for name in OPERATORS:
            library.define(f"{name}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
        _declared.append(library)  # what is declared lives as long as it
