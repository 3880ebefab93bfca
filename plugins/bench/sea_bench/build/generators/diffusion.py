"""Pictures and videos by a diffusers pipeline, named by its hub id or folder. Imported only when it is used."""

from __future__ import annotations

import inspect
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, ClassVar

from sea_core.errors import ModelError, SeaError
from sea_core.model.placement import resolve_device, resolve_dtype
from sea_core.plugin.generator import Frames, Generator

if TYPE_CHECKING:
    import torch
    from PIL.Image import Image


@dataclass(frozen=True)
class DiffusionGenerator(Generator):
    """What the two have in common."""

    model: str = ""
    """A hub id, or the folder of a pipeline."""
    revision: str = ""
    """The commit of a hub model."""
    steps: int = 0
    """Denoising steps; 0: the pipeline's own."""
    dtype: str = "auto"
    """float32, bfloat16 or float16; auto: bfloat16 on a GPU, else float32."""
    device: str = "auto"
    """auto: cuda if there is one, else mps, else cpu."""
    width: int = 640
    height: int = 384

    suffix: ClassVar[str] = ""
    libraries: ClassVar[tuple[str, ...]] = ("diffusers", "torch", "transformers")

    def run_pipeline(self, text: str, seed: int, **more: Any) -> Any:
        """Run the pipeline on a text. What it does not take (a number of frames, say) is refused by name."""
        import torch

        device = resolve_device(self.device, "generator.device")
        dtype = resolve_dtype(self.dtype, device, "generator.dtype")
        pipeline = _pipeline(self.model, self.revision, dtype, device)
        wanted = {"width": self.width, "height": self.height, **more}
        if self.steps:
            wanted["num_inference_steps"] = self.steps
        taken = inspect.signature(pipeline.__call__).parameters
        if lacking := [name for name in wanted if name not in taken]:
            raise ModelError(
                f"{type(pipeline).__name__} does not take {', '.join(lacking)}",
                hint=f"Give a pipeline that makes {self.noun}s out of text: -o generator.model=ID",
            )
        # On the CPU, so that the same seed gives the same noise on every machine.
        return pipeline(prompt=text, generator=torch.Generator("cpu").manual_seed(seed), output_type="np", **wanted)


@dataclass(frozen=True)
class DiffusionImages(DiffusionGenerator):
    """A text-to-image pipeline (paper: Stable Diffusion made MM-SafetyBench's pictures)."""

    width: int = 512
    height: int = 512

    name: ClassVar[str] = "diffusers"
    modality: ClassVar[str] = "image"
    noun: ClassVar[str] = "image"

    def generate(self, text: str, seed: int) -> Image:
        from PIL import Image

        return Image.fromarray(_bytes(self.run_pipeline(text, seed).images[0]))


@dataclass(frozen=True)
class DiffusionVideos(DiffusionGenerator):
    """A text-to-video pipeline (the paper used Pyramidal Flow)."""

    fps: float = 24.0
    seconds: float = 5.0
    frames: int = 0
    """Frames to ask for, where a pipeline wants one more than a multiple of four, say; 0: seconds times fps."""

    name: ClassVar[str] = "diffusers"
    modality: ClassVar[str] = "video"
    noun: ClassVar[str] = "video"

    def generate(self, text: str, seed: int) -> Frames:
        count = self.frames or round(self.seconds * self.fps)
        return Frames(_bytes(self.run_pipeline(text, seed, num_frames=count).frames[0]), self.fps)


@cache
def _pipeline(model: str, revision: str, dtype: torch.dtype, device: torch.device) -> Any:
    """Load a pipeline, once. Its weights are safetensors, and none of its code is run."""
    if not model:
        raise SeaError("no pipeline was named", hint="Type: -o generator.model=HUB_ID, or the folder of a pipeline.")
    try:
        import diffusers
    except ImportError as error:
        raise SeaError(
            "making scenes with a diffusion model needs diffusers, which is not installed",
            hint="Type: pip install 'sea-core[diffusion]', or draw them: --generator drawn",
        ) from error

    try:
        pipeline = diffusers.DiffusionPipeline.from_pretrained(
            model, revision=revision or None, dtype=dtype, use_safetensors=True
        )
    except (OSError, ValueError) as error:
        told = " ".join(str(error).split())
        raise ModelError(
            f"the pipeline {model} cannot be loaded: {told}", hint="Check -o generator.model, and the network."
        ) from error
    pipeline.set_progress_bar_config(disable=True)
    return pipeline.to(device)


def _bytes(pixels: Any) -> Any:
    """Turn shares of one into uint8."""
    import numpy as np

    return (np.asarray(pixels) * 255).round().astype(np.uint8)
