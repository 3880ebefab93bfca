"""The SEA adapter for Qwen2-Audio 7B, base and Instruct: audio at 16 kHz, one vector of E for each 40 ms."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from sea_core.errors import DataError, SeaError
from sea_core.model.adapter import Adapter

if TYPE_CHECKING:
    import numpy as np
    from torch import Tensor, nn


RATE = 16_000
MIN_SECONDS = 0.025
"""One window of the mel spectrogram, in seconds."""


@dataclass(frozen=True)
class Qwen2AudioAdapter(Adapter):
    """Audio through `Qwen2AudioForConditionalGeneration` (transformers >= 5.23).

    E is the audio tower's output after pooling and layer norm, (n_features, 1280) for the 7B models, without the
    vectors of padding: 25 vectors a second, 750 at most.
    """

    seconds: float = 10.0
    """Length of the blank input (silence) in seconds, capped by the checkpoint's input length (30 s for the 7B)."""

    modality: ClassVar[str] = "audio"
    noun: ClassVar[str] = "audio"
    architectures: ClassVar[tuple[str, ...]] = ("Qwen2AudioForConditionalGeneration",)
    checkpoint: ClassVar[str] = str(Path(__file__).parent / "checkpoint")
    embedding_shape: ClassVar[str] = "750 x 1280 (7B, 30 s)"
    placeholder: ClassVar[str] = "<|AUDIO|>"
    prefixes: ClassVar[Mapping[str, str]] = {"activity": "In the audio,", "product": "The audio is about"}
    style_prefix: ClassVar[str] = "The style of the audio is"
    styles: ClassVar[tuple[str, ...]] = ("bright", "deep", "hurried", "slow", "whispered", "noisy")
    blank_word: ClassVar[str] = "silent"

    def __post_init__(self) -> None:
        if not 0.1 <= self.seconds <= 30:
            raise SeaError(
                f"adapter.seconds is {self.seconds}, but an audio lasts from 0.1 to 30 seconds",
                hint="Type for example: -o adapter.seconds=5",
            )

    def blank_input(self, processor: Any) -> np.ndarray:
        import numpy as np

        longest = processor.feature_extractor.chunk_length
        return np.zeros(int(min(self.seconds, longest) * RATE), dtype=np.float32)

    def read_media(self, path: Path, processor: Any) -> np.ndarray:
        import soxr

        from sea_core.model.media_files import read_sound

        wave, rate = read_sound(path)
        mono: np.ndarray = wave.mean(axis=1)
        return mono if rate == RATE else soxr.resample(mono, rate, RATE)

    def inputs(self, processor: Any, texts: Sequence[str], media: Sequence[Any]) -> Mapping[str, Any]:
        longest = processor.feature_extractor.chunk_length
        for wave in media:
            if len(wave) < MIN_SECONDS * RATE:
                raise DataError(
                    f"an audio of {len(wave) / RATE:.3f} s is too short: it makes no vector of E",
                    hint=f"Give at least {MIN_SECONDS} s.",
                )
            if len(wave) > longest * RATE:
                raise DataError(
                    f"an audio of {len(wave) / RATE:.1f} s is longer than the {longest} s that this checkpoint takes",
                    hint="Cut it: the model would silently ignore the rest.",
                )
        batch: Mapping[str, Any] = processor(
            text=list(texts), audio=list(media), sampling_rate=RATE, padding=True, return_tensors="pt"
        )
        return dict(batch)

    def other_size(self, processor: Any) -> np.ndarray:
        from sea_core.model.noise import noise_like

        noise: np.ndarray = noise_like(self.blank_input(processor)[::2])
        return noise

    def projector(self, model: Any) -> nn.Module:
        return self.backbone(model).get_submodule("multi_modal_projector")

    def split(self, crossed: Tensor, inputs: Mapping[str, Any]) -> list[Tensor]:
        frames = inputs["feature_attention_mask"].sum(-1).tolist()
        return [features[: count_features(n)] for features, n in zip(crossed, frames, strict=True)]

    def end_token(self, processor: Any) -> str:
        return "<|im_end|>"  # it ends a turn in ChatML, for the base model too, whose eos token is another one


def count_features(frames: int) -> int:
    """Return how many vectors of E a number of mel frames makes.

    As `Qwen2AudioEncoder._get_feat_extract_output_lengths` in transformers does.
    """
    return ((frames - 1) // 2 + 1 - 2) // 2 + 1
