"""The SEA adapter for EEG, channels x samples at 128 Hz: four vectors of E a second."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from sea_core import Adapter, DataError

RATE, CHANNELS = 128, 8
STEP = 32
"""Samples, a quarter of a second, that make one vector of E."""


@dataclass(frozen=True)
class EegAdapter(Adapter):
    """EEG through `sea_eeg.model.EegForCausalLM`. E is the encoder's output: (4 vectors a second, width)."""

    seconds: float = 2.0
    """Length of the blank input, a flat recording, in seconds."""

    modality: ClassVar[str] = "eeg"
    noun: ClassVar[str] = "EEG recording"
    architectures: ClassVar[tuple[str, ...]] = ("EegForCausalLM",)
    checkpoint: ClassVar[str] = str(Path(__file__).parent / "checkpoint")
    embedding_shape: ClassVar[str] = "8 x 64 (2 s)"
    placeholder: ClassVar[str] = "<|eeg|>"
    prefixes: ClassVar[Mapping[str, str]] = {"activity": "In the EEG recording,", "product": "The EEG recording shows"}
    style_prefix: ClassVar[str] = "The style of the EEG recording is"
    styles: ClassVar[tuple[str, ...]] = ("calm", "alert", "drowsy", "restless")
    blank_word: ClassVar[str] = "flat"

    def load(self, checkpoint: str, *, dtype: Any, device: str, revision: str | None = None) -> tuple[Any, Any]:
        from sea_core.model.checkpoint import load_transformers
        from sea_eeg import model

        return load_transformers(
            checkpoint,
            self.architectures,
            dtype=dtype,
            device=device,
            revision=revision,
            processor=model.EegProcessor.from_pretrained,
            library=model,
        )

    def blank_input(self, processor: Any) -> Any:
        import numpy as np

        return np.zeros((CHANNELS, int(self.seconds * RATE)), np.float32)

    def read_media(self, path: Path, processor: Any) -> Any:
        import numpy as np

        try:
            signal = np.load(path, mmap_mode="r", allow_pickle=False)
        except (OSError, ValueError) as error:
            raise DataError(f"not an EEG recording: {error}", hint="Give a .npy file.", where=str(path)) from error
        if signal.ndim != 2 or len(signal) != CHANNELS or signal.shape[1] < STEP:
            raise DataError(f"not an EEG recording: shape {signal.shape}", hint=f"Give {CHANNELS} channels x samples.")
        return signal.astype(np.float32)

    def inputs(self, processor: Any, texts: Sequence[str], media: Sequence[Any]) -> Mapping[str, Any]:
        import torch

        n_features = [signal.shape[1] // STEP for signal in media]
        signals = torch.zeros(len(media), CHANNELS, max(n_features) * STEP)
        for i, (signal, n) in enumerate(zip(media, n_features, strict=True)):
            signals[i, :, : n * STEP] = torch.from_numpy(signal[:, : n * STEP])
        expanded = [
            text.replace(self.placeholder, self.placeholder * n) for text, n in zip(texts, n_features, strict=True)
        ]
        tokens = processor.tokenizer(expanded, padding=True, add_special_tokens=False, return_tensors="pt")
        return {
            "input_ids": tokens["input_ids"],
            "attention_mask": tokens["attention_mask"],
            "input_features": signals,
            "n_features": torch.tensor(n_features),
        }

    def projector(self, model: Any) -> Any:
        return model.model.projector

    def split(self, crossed: Any, inputs: Mapping[str, Any]) -> list[Any]:
        return [features[:n] for features, n in zip(crossed, inputs["n_features"].tolist(), strict=True)]
