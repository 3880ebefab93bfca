"""Rules about checkpoints: what is saved is loaded, and what does not fit is rejected."""

from __future__ import annotations

import copy
import json
import tempfile
from pathlib import Path

import torch

from sea_core.model.checkpoint import quiet_loading
from sea_core.model.mllm import MLLM
from sea_core.model.proof import check_seam
from sea_core.plugin.contract.rule import AdapterUnderTest, require_error, rule


@rule("`load` must read every weight and the processor from the folder, and nothing from elsewhere.")
def save(subject: AdapterUnderTest) -> None:
    """Saving and loading the model does not change the logits."""
    mllm, adapter = subject.mllm, subject.adapter
    with tempfile.TemporaryDirectory() as folder, quiet_loading():
        mllm.model.save_pretrained(folder)
        mllm.processor.save_pretrained(folder)
        loaded = MLLM(adapter, *adapter.load(folder, dtype=mllm.dtype, device=str(mllm.device)))
    reloaded = AdapterUnderTest(adapter, lambda: loaded)
    reloaded.media = subject.media
    for name, embedding in reloaded.embeddings.items():
        expected = subject.injected_logits(subject.embeddings[name])
        subject.require_same(reloaded.injected_logits(embedding), expected, f"the {name} after saving and loading")


@rule("`load` must raise ModelError if weights are missing: transformers fills them with random numbers.")
def missing_weights(subject: AdapterUnderTest) -> None:
    """A checkpoint that lacks weights raises an error with advice."""
    mllm, adapter = subject.mllm, subject.adapter
    projectors = mllm.projectors()
    names = tuple(f"{name}." for name, module in mllm.model.named_modules() if any(module is p for p in projectors))
    weights = {key: value for key, value in mllm.model.state_dict().items() if not key.startswith(names)}
    with tempfile.TemporaryDirectory() as folder, quiet_loading():
        mllm.model.save_pretrained(folder, state_dict=weights)
        mllm.processor.save_pretrained(folder)
        require_error(
            lambda: adapter.load(folder, dtype=mllm.dtype, device=str(mllm.device)),
            "loading a checkpoint without the projector's weights",
        )


@rule("`load` must compare the architecture in config.json with `architectures`.")
def other_architecture(subject: AdapterUnderTest) -> None:
    """A checkpoint of another model class raises an error with advice."""
    mllm, adapter = subject.mllm, subject.adapter
    config = {"model_type": "unknown", "architectures": ["UnknownForConditionalGeneration"]}
    with tempfile.TemporaryDirectory() as folder, quiet_loading():
        Path(folder, "config.json").write_text(json.dumps(config), encoding="utf-8")
        require_error(
            lambda: adapter.load(folder, dtype=mllm.dtype, device=str(mllm.device)),
            "loading a checkpoint of another model class",
        )


@rule("The model must convert its media to its own dtype, and `split` must not change that of E.", needs="prompt")
def bfloat16(subject: AdapterUnderTest) -> None:
    """The seam check before a run passes, for a small model in bfloat16 too."""
    check_seam(subject.mllm)
    if subject.is_small:
        model = copy.deepcopy(subject.mllm.model).to(torch.bfloat16)
        check_seam(MLLM(subject.adapter, model, subject.mllm.processor))


RULES = (save, missing_weights, other_architecture, bfloat16)
