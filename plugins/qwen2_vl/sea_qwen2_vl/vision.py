"""What images and videos share: the seam before the merger, the grid of E, and the positions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from sea_core.errors import DataError, ModelError, SeaError
from sea_core.model.adapter import Adapter

if TYPE_CHECKING:
    from torch import Tensor, nn

MERGE = 2
"""Patches on a side of the square that the merger turns into one token, in every checkpoint of both families."""
WINDOW = 4
"""Merged patches on a side of Qwen2.5-VL's attention window."""
MAX_SIDE = 4096


@dataclass(frozen=True)
class VisionAdapter(Adapter):
    """What images and videos share.

    E is the vision transformer's output before the merger, (t * h * w, 1280) for the 7B models, in the order of the
    merger's groups: four vectors of a square make a token. Its grid is (t, h, w) in patches; for videos in Qwen2.5-VL,
    whose positions depend on time, it also has the milliseconds of a time step.
    """

    height: int = 224
    """Height of the blank input in pixels; the processor resizes it to the checkpoint's bounds, in steps of 28."""
    width: int = 224
    """Width of the blank input in pixels."""

    architectures: ClassVar[tuple[str, ...]] = ("Qwen2VLForConditionalGeneration", "Qwen2_5_VLForConditionalGeneration")
    checkpoint: ClassVar[str] = str(Path(__file__).parent / "checkpoint")
    styles: ClassVar[tuple[str, ...]] = ("photographic", "painted", "cartoon", "sketched", "vintage", "monochrome")
    grid_key: ClassVar[str]
    """The name of this modality's grid among the model's inputs."""
    token_type: ClassVar[int]
    """The value of `mm_token_type_ids` at this modality's placeholders."""

    def __post_init__(self) -> None:
        for name in ("height", "width"):
            if not 28 <= getattr(self, name) <= MAX_SIDE:
                raise SeaError(
                    f"adapter.{name} is {getattr(self, name)}, but a side has from 28 to {MAX_SIDE} pixels",
                    hint=f"Type for example: -o adapter.{name}=224",
                )

    def load(self, checkpoint: str, *, dtype: Any, device: str, revision: str | None = None) -> tuple[Any, Any]:
        from sea_core.model.checkpoint import load_transformers
        from sea_qwen2_vl.processor import load_processor

        return load_transformers(
            checkpoint, self.architectures, dtype=dtype, device=device, revision=revision, processor=load_processor
        )

    def projector(self, model: Any) -> nn.Module:
        vision = model.config.vision_config
        expected = {"spatial_merge_size": MERGE}
        if is_windowed(model):
            expected["window_size"] = WINDOW * MERGE * vision.patch_size
        for name, value in expected.items():
            if getattr(vision, name) != value:
                raise ModelError(
                    f"this checkpoint's vision_config has {name} {getattr(vision, name)}; "
                    f"this plugin supports {value} only",
                    hint="Use a published Qwen2-VL or Qwen2.5-VL: all of them have that value.",
                )
        return self.backbone(model).get_submodule("visual.merger")

    def placeholders(self, n_features: int) -> int:
        return n_features // MERGE**2

    def split(self, crossed: Tensor, inputs: Mapping[str, Any]) -> list[Tensor]:
        import torch

        parts = torch.split(crossed, [int(n) for n in inputs[self.grid_key].prod(-1)])
        if "second_per_grid_ts" not in inputs:
            return list(parts)
        # Qwen2.5-VL sorts the merger's groups by attention window, and sorts the tokens back after the merger.
        return [undo_windows(e, grid) for e, grid in zip(parts, inputs[self.grid_key], strict=True)]

    def grids(self, inputs: Mapping[str, Any], count: int) -> list[tuple[int, ...]]:
        grids = [tuple(int(n) for n in grid) for grid in inputs[self.grid_key]]
        seconds = inputs.get("second_per_grid_ts", ())
        if not len(seconds):
            return grids
        return [(*grid, round(float(s) * 1000)) for grid, s in zip(grids, seconds, strict=True)]

    def position_ids(
        self, model: Any, input_ids: Tensor, attention_mask: Tensor | None, grids: Sequence[tuple[int, ...]]
    ) -> Tensor:
        """Return the M-RoPE positions that transformers computes, (3, batch, length)."""
        import torch

        backbone: Any = self.backbone(model)
        token = getattr(model.config, f"{self.modality}_token_id")
        grid_inputs: dict[str, Any] = {self.grid_key: torch.tensor([g[:3] for g in grids], device=input_ids.device)}
        if any(len(g) > 3 for g in grids):
            grid_inputs["second_per_grid_ts"] = torch.tensor([g[3] / 1000 for g in grids])
        positions, _ = backbone.get_rope_index(
            input_ids,
            mm_token_type_ids=(input_ids == token).int() * self.token_type,
            attention_mask=attention_mask,
            **grid_inputs,
        )
        ids: Tensor = positions
        return ids

    def end_token(self, processor: Any) -> str:
        return "<|im_end|>"  # it ends a turn in ChatML, for the base models too, whose eos token is another one


def is_windowed(model: Any) -> bool:
    """Return whether this is Qwen2.5-VL, whose vision transformer attends within windows."""
    return "Qwen2_5" in type(model).__name__


def reject_thin(height: int, width: int) -> None:
    """Raise DataError for sides that the processor would reject without advice."""
    if max(height, width) > 200 * max(1, min(height, width)):
        raise DataError(
            f"a medium of {width} x {height} pixels is too thin: one side is over 200 times the other", hint="Crop it."
        )


def undo_windows(features: Tensor, grid: Tensor) -> Tensor:
    """Sort the vectors of one medium from the order of Qwen2.5-VL's attention windows into the order of its tokens."""
    from transformers.vision_utils import get_vision_window_index

    order, _ = get_vision_window_index(grid[None].cpu(), MERGE, WINDOW * MERGE, 1)
    groups = features.view(-1, MERGE**2, features.shape[-1])
    return groups[order.argsort().to(features.device)].reshape(features.shape)
