"""The bundled toy models, the demo examples, and the students that draw media for them."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import torch

from sea_core.data.demo import DEMO_EXAMPLES
from sea_core.data.examples import PreparedExample
from sea_core.extraction.prepare import prepare
from sea_core.model.adapter import Adapter
from sea_core.model.mllm import MLLM
from sea_core.pipeline.read import read_examples
from sea_core.plugin import loader

STUDENTS = {
    "llava": ("sea_toy.llava.tiny", "TinyLlavaStudent"),
    "qwen2_vl-image": ("sea_toy.qwen2_vl.tiny", "TinyImageStudent"),
    "qwen2_vl-video": ("sea_toy.qwen2_vl.tiny", "TinyVideoStudent"),
    "qwen2_audio": ("sea_toy.qwen2_audio.tiny", "TinyAudioStudent"),
    "eeg": ("sea_eeg.tiny", "EegStudent"),
}
"""Module and class of the student of each bundled model."""


def load_student(model: str) -> Any:
    """Return the student of a bundled model: its `adapter`, and `render`, which draws a phrase as a medium."""
    module, name = STUDENTS[model]
    return getattr(import_module(module), name)()


def load_bundled(adapter: Adapter) -> MLLM:
    """Return the adapter's own model, in fp32 on the CPU."""
    return MLLM(adapter, *adapter.load(adapter.checkpoint, dtype=torch.float32, device="cpu"))


def load_plugin(plugin: str, modality: str | None = None) -> MLLM:
    """Return the model that a plugin bundles, in fp32 on the CPU."""
    _, adapter = loader.get_adapter(plugin, modality)
    return load_bundled(adapter)


def demo_examples(adapter: Adapter) -> tuple[PreparedExample, ...]:
    """Return the prepared demo examples."""
    return prepare(read_examples(DEMO_EXAMPLES).examples, adapter).prepared
