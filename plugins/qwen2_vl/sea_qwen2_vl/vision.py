"""What image and video have in common: the seam before the merger, its grid and the positions."""

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
"""Patches on a side of the square that the merger makes one token of, in every checkpoint of the two families."""
WINDOW = 4
"""Merged patches on a side of Qwen2.5-VL's attention window."""
LARGEST = 4096


@dataclass(frozen=True)
class VisionAdapter(Adapter):
    """What image and video have in common.

    E is the vision transformer's output before the merger, (t * h * w, 1280) for the 7B models, in the order of the
    merger's groups: four rows that lie in a square make a token. Its grid is (t, h, w) in patches; for a video through
    Qwen2.5-VL, whose positions depend on time, also the milliseconds of a step in t.
    """

    height: int = 224
    """Height of the blank in pixels; the processor brings it within the checkpoint's bounds, in steps of 28."""
    width: int = 224
    """Width of the blank in pixels."""

    architectures: ClassVar[tuple[str, ...]] = ("Qwen2VLForConditionalGeneration", "Qwen2_5_VLForConditionalGeneration")
    checkpoint: ClassVar[str] = str(Path(__file__).parent / "checkpoint")
    styles: ClassVar[tuple[str, ...]] = ("photographic", "painted", "cartoon", "sketched", "vintage", "monochrome")
    key: ClassVar[str]
    """What the model's inputs call this modality's grid."""
    type_id: ClassVar[int]
    """What `mm_token_type_ids` says at this modality's placeholders."""

    def __post_init__(self) -> None:
        for name in ("height", "width"):
            if not 28 <= getattr(self, name) <= LARGEST:
                raise SeaError(
                    f"adapter.{name} is {getattr(self, name)}, but a side has from 28 to {LARGEST} pixels",
                    hint=f"Type for example: -o adapter.{name}=224",
                )

    def load(self, checkpoint: str, *, dtype: Any, device: str, revision: str | None = None) -> tuple[Any, Any]:
        from sea_core.model.checkpoint import find_architecture, load_transformers
        from sea_qwen2_vl.processor import load_processor

        def processor(where: str, revision: str | None) -> Any:
            return load_processor(where, revision, find_architecture(where, self.architectures, revision))

        return load_transformers(
            checkpoint, self.architectures, dtype=dtype, device=device, revision=revision, processor=processor
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
                    f"this plugin knows {value} only",
                    hint="Every published Qwen2-VL and Qwen2.5-VL has that. Is it one of them?",
                )
        return self.backbone(model).get_submodule("visual.merger")

    def placeholders(self, n_features: int) -> int:
        return n_features // MERGE**2

    def split(self, crossed: Tensor, inputs: Mapping[str, Any]) -> list[Tensor]:
        import torch

        parts = torch.split(crossed, [int(n) for n in inputs[self.key].prod(-1)])
        if "second_per_grid_ts" not in inputs:
            return list(parts)
        # Qwen2.5-VL sorts the merger's groups by attention window, and its tokens back again behind the merger.
        return [unwindowed(e, grid) for e, grid in zip(parts, inputs[self.key], strict=True)]

    def grids(self, inputs: Mapping[str, Any], count: int) -> list[tuple[int, ...]]:
        found = [tuple(int(n) for n in grid) for grid in inputs[self.key]]
        steps = inputs.get("second_per_grid_ts", ())
        return [(*grid, round(float(s) * 1000)) for grid, s in zip(found, steps, strict=True)] if len(steps) else found

    def position_ids(
        self, model: Any, input_ids: Tensor, attention_mask: Tensor | None, grids: Sequence[tuple[int, ...]]
    ) -> Tensor:
        """Return the library's own M-RoPE positions, (3, rows, length)."""
        import torch

        backbone: Any = self.backbone(model)
        token = getattr(model.config, f"{self.modality}_token_id")
        known: dict[str, Any] = {self.key: torch.tensor([g[:3] for g in grids], device=input_ids.device)}
        if any(len(g) > 3 for g in grids):
            known["second_per_grid_ts"] = torch.tensor([g[3] / 1000 for g in grids])
        positions, _ = backbone.get_rope_index(
            input_ids,
            mm_token_type_ids=(input_ids == token).int() * self.type_id,
            attention_mask=attention_mask,
            **known,
        )
        ids: Tensor = positions
        return ids

    def end_token(self, processor: Any) -> str:
        return "<|im_end|>"  # ChatML closes a turn with it, for the base models too, whose own eos is another token


def is_windowed(model: Any) -> bool:
    """Tell Qwen2.5-VL, whose vision transformer attends within windows, from Qwen2-VL."""
    return "Qwen2_5" in type(model).__name__


def refuse_thin(height: int, width: int) -> None:
    """Refuse sides that the processor would refuse without advice."""
    if max(height, width) > 200 * max(1, min(height, width)):
        raise DataError(f"{width} x {height} pixels: one side is more than 200 times the other", hint="Crop it.")


def unwindowed(rows: Tensor, grid: Tensor) -> Tensor:
    """Put the rows of one medium from the order of Qwen2.5-VL's windows into the order of its tokens."""
    from transformers.vision_utils import get_vision_window_index

    order, _ = get_vision_window_index(grid[None].cpu(), MERGE, WINDOW * MERGE, 1)
    groups = rows.view(-1, MERGE**2, rows.shape[-1])
    return groups[order.argsort().to(rows.device)].reshape(rows.shape)
