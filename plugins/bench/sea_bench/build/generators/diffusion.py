"""Pictures and videos from a diffusers pipeline, given by its hub id or folder. Heavy imports happen on first use."""

from __future__ import annotations

import inspect
from dataclasses import dataclass
from functools import cache
from operator import itemgetter
from typing import TYPE_CHECKING, Any, ClassVar

from sea_core.errors import ModelError, SeaError
from sea_core.model.libraries import install_command
from sea_core.model.placement import resolve_device, resolve_dtype
from sea_core.model.text_ids import TextTokenizer
from sea_core.plugin.generator import Frames, Generator

if TYPE_CHECKING:
    import torch
    from PIL.Image import Image


LIBRARIES = {"diffusers", "transformers"}
"""The libraries whose classes a pipeline may consist of."""


@dataclass(frozen=True)
class DiffusionGenerator(Generator):
    """What image and video pipelines have in common."""

    model: str = ""
    """A hub id, or the folder of a pipeline."""
    revision: str = ""
    """The commit of a hub model."""
    steps: int = 0
    """Denoising steps; 0: the pipeline's default."""
    dtype: str = "auto"
    """float32, bfloat16 or float16; auto: bfloat16 on a GPU, else float32."""
    device: str = "auto"
    """auto: cuda if available, else mps, else cpu."""
    width: int = 640
    """Width in pixels; the set's is used."""
    height: int = 384
    """Height in pixels; the set's is used."""

    suffix: ClassVar[str] = ""
    libraries: ClassVar[tuple[str, ...]] = ("diffusers", "torch", "transformers")

    def run_pipeline(self, text: str, seed: int, **more: Any) -> Any:
        """Run the pipeline on a text.

        Raises:
            ModelError: it names the arguments that the pipeline does not accept.
            DataError: a part of the text would become a special token, such as the one that ends a prompt.
        """
        import torch

        device = resolve_device(self.device, "generator.device")
        dtype = resolve_dtype(self.dtype, device, "generator.dtype")
        pipeline = _pipeline(self.model, self.revision, dtype, device)
        arguments = {"width": self.width, "height": self.height, **more}
        if self.steps:
            arguments["num_inference_steps"] = self.steps
        accepted = inspect.signature(pipeline.__call__).parameters
        if rejected := [name for name in arguments if name not in accepted]:
            raise ModelError(
                f"{type(pipeline).__name__} does not accept {', '.join(rejected)}",
                hint=f"Give a text-to-{self.noun} pipeline: -o generator.model=ID",
            )
        for name, part in pipeline.components.items():
            if name.startswith("tokenizer") and part is not None:
                TextTokenizer(part).require_ordinary(itemgetter(0), [text])
        # On the CPU, so that the same seed gives the same noise on every machine.
        generator = torch.Generator("cpu").manual_seed(seed)
        return pipeline(prompt=text, generator=generator, output_type="np", **arguments)


@dataclass(frozen=True)
class DiffusionImages(DiffusionGenerator):
    """A text-to-image pipeline (paper: Stable Diffusion made MM-SafetyBench's pictures)."""

    width: int = 512
    """Width in pixels; the set's is used."""
    height: int = 512
    """Height in pixels; the set's is used."""

    name: ClassVar[str] = "diffusers"
    modality: ClassVar[str] = "image"
    noun: ClassVar[str] = "image"

    def generate(self, text: str, seed: int) -> Image:
        from PIL import Image

        return Image.fromarray(_to_uint8(self.run_pipeline(text, seed).images[0]))


@dataclass(frozen=True)
class DiffusionVideos(DiffusionGenerator):
    """A text-to-video pipeline (paper: Pyramidal Flow)."""

    fps: float = 24.0
    """Frames per second; the set's is used."""
    seconds: float = 5.0
    """Length in seconds; the set's is used."""
    frames: int = 0
    """Number of frames, for pipelines that need a certain one, such as 4n + 1; 0: seconds x fps."""

    name: ClassVar[str] = "diffusers"
    modality: ClassVar[str] = "video"
    noun: ClassVar[str] = "video"

    def generate(self, text: str, seed: int) -> Frames:
        count = self.frames or round(self.seconds * self.fps)
        return Frames(_to_uint8(self.run_pipeline(text, seed, num_frames=count).frames[0]), self.fps)


@cache
def _pipeline(model: str, revision: str, dtype: torch.dtype, device: torch.device) -> Any:
    """Load a pipeline once. Its weights are safetensors, and no code of the repository is run."""
    if not model:
        raise SeaError("no pipeline was named", hint="Type: -o generator.model=HUB_ID, or the folder of a pipeline.")
    try:
        import diffusers
    except ImportError as error:
        raise SeaError(
            "generating scenes with a diffusion model needs diffusers, which is not installed",
            hint=f"Type: {install_command('sea-bench[diffusion]')}, or use drawings: --generator drawn",
        ) from error
    try:
        _require_known_libraries(diffusers, model, revision)
        pipeline = diffusers.DiffusionPipeline.from_pretrained(
            model, revision=revision or None, dtype=dtype, use_safetensors=True, trust_remote_code=False
        )
    except (OSError, ValueError) as error:
        reason = " ".join(str(error).split())
        raise ModelError(
            f"the pipeline {model} cannot be loaded: {reason}",
            hint="Check -o generator.model, and the network connection.",
        ) from error
    pipeline.set_progress_bar_config(disable=True)
    return pipeline.to(device)


def _require_known_libraries(diffusers: Any, model: str, revision: str) -> None:
    """Raise ModelError where a pipeline has a part of another library: diffusers would import whatever is named."""
    parts = diffusers.DiffusionPipeline.load_config(model, revision=revision or None)
    libraries = {str(value[0]) for value in parts.values() if isinstance(value, list | tuple) and value and value[0]}
    unknown = sorted(name for name in libraries - LIBRARIES if not hasattr(diffusers.pipelines, name))
    if unknown:
        raise ModelError(
            f"the pipeline {model} has a part of {unknown[0]}, which is neither diffusers nor transformers",
            hint="Give a pipeline that runs without code of its own: -o generator.model=ID",
        )


def _to_uint8(pixels: Any) -> Any:
    """Convert pixels from 0..1 to uint8."""
    import numpy as np

    return (np.asarray(pixels) * 255).round().astype(np.uint8)
