"""What comes out: an adapter and a merged model that plain transformers and PEFT load, and the proof of it."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from sea_core.errors import ModelError
from sea_core.model.checkpoint import quiet_loading
from sea_core.model.mllm import MLLM
from sea_core.model.numerics import max_rounding
from sea_core.runs.atomic import disk_errors

ROWS = 8
WEIGHTS = (".safetensors", ".bin", ".pt", ".gguf", ".h5", ".msgpack")
QUESTIONS = ("What is in the {noun}?", "Describe the {noun}.", "How do I do this?", "Tell me about it.")


@dataclass(frozen=True)
class LogitFixture:
    """Ordinary inputs with real media, and the base model's logits behind each prompt."""

    inputs: dict[str, Tensor]
    base: Tensor

    @classmethod
    def record(cls, mllm: MLLM, media: Sequence[Any] = ()) -> LogitFixture:
        """Ask ROWS questions about media, the blank where there are none, and keep what the model says now."""
        noun = mllm.adapter.noun
        shown = (list(media) or [mllm.adapter.blank_input(mllm.processor)]) * ROWS
        questions = [QUESTIONS[i % len(QUESTIONS)].format(noun=noun) for i in range(ROWS)]
        found = mllm.media_inputs(questions, shown[:ROWS])
        inputs = {name: value for name, value in found.items() if isinstance(value, Tensor)}
        return cls(inputs, last_logits(mllm.model, inputs))

    def write(self, path: Path, trained: Tensor) -> None:
        from safetensors.torch import save_file

        tensors = {name: value.cpu().contiguous().clone() for name, value in self.inputs.items()}
        save_file(tensors | {"_trained": trained.cpu(), "_base": self.base.cpu()}, path)


@torch.no_grad()
def last_logits(model: Any, inputs: dict[str, Tensor]) -> Tensor:
    """Return the logits behind each prompt's last token, (rows, vocabulary) in fp32, by the model's own forward."""
    mask = inputs["attention_mask"]
    last = (mask * torch.arange(mask.shape[1], device=mask.device)).argmax(1)
    logits: Tensor = model(**inputs).logits
    return logits[torch.arange(len(last)), last].float().cpu()


def save_adapter(mllm: MLLM, model: Any, folder: Path) -> None:
    """Write the adapter with the base's processor files, whole or not at all."""
    with _whole_folder(folder) as aside, quiet_loading():
        model.save_pretrained(aside)
        copy_processor(mllm, aside)


def save_merged(mllm: MLLM, model: Any, folder: Path, full: bool) -> None:
    """Write the whole model; an adapter is merged into the weights of `model`, which is changed by it."""
    with _whole_folder(folder) as aside, quiet_loading():
        whole = model if full else model.merge_and_unload()
        whole.save_pretrained(aside)
        copy_processor(mllm, aside)


def copy_processor(mllm: MLLM, folder: Path) -> None:
    """Copy what lies beside the base's weights (tokenizer, template, processor, generation settings), byte for byte."""
    base = base_folder(mllm)
    if base is None:
        mllm.processor.save_pretrained(folder)
        return
    skipped = {"README.md", "config.json", "sea.json"}
    for path in base.iterdir():
        if path.is_file() and path.suffix not in WEIGHTS and path.name not in skipped and ".index." not in path.name:
            shutil.copyfile(path, folder / path.name)


def base_folder(mllm: MLLM) -> Path | None:
    """Return the folder that the base was loaded from: its own, or the hub's cache."""
    named = str(mllm.model.name_or_path)
    if Path(named).is_dir():
        return Path(named)
    from huggingface_hub import try_to_load_from_cache

    commit = getattr(mllm.model.config, "_commit_hash", None)
    cached = try_to_load_from_cache(named, "config.json", revision=commit) if "/" in named else None
    return Path(cached).parent if isinstance(cached, str) else None


@contextmanager
def _whole_folder(folder: Path) -> Iterator[Path]:
    """Give a folder to write to, which becomes `folder` in one step, readable for those who may read its parent."""
    aside = folder.with_name(f".{folder.name}.part")
    shutil.rmtree(aside, ignore_errors=True)
    with disk_errors(folder):
        aside.mkdir(parents=True)
        yield aside
        for path in aside.iterdir():
            path.chmod(0o644)  # save_pretrained makes weights private
        shutil.rmtree(folder, ignore_errors=True)
        aside.replace(folder)


LOADER = """
import importlib, json, sys, warnings
told = json.loads(sys.argv[1])
warnings.simplefilter("ignore")
import torch, transformers
from safetensors.torch import load_file
transformers.logging.set_verbosity_error()
transformers.utils.logging.disable_progress_bar()
home = importlib.import_module(told["module"]) if told["module"] else transformers
kind, kept = getattr(home, told["architecture"]), load_file(told["probe"])
inputs = {name: value.to(told["device"]) for name, value in kept.items() if name[0] != "_"}
mask = inputs["attention_mask"]
last = (mask * torch.arange(mask.shape[1], device=mask.device)).argmax(1)
found = {}
for name, folder in told["folders"].items():
    base = told["base"] if name == "adapter" else folder
    model = kind.from_pretrained(base, dtype=getattr(torch, told["dtype"]), revision=told["revision"] or "main")
    if name == "adapter":
        from peft import PeftModel
        model = PeftModel.from_pretrained(model, folder)
    model = model.to(told["device"]).eval()
    with torch.no_grad():
        logits = model(**inputs).logits[torch.arange(len(last)), last].float().cpu()
    found[name] = [(logits - kept[key]).abs().max().item() for key in ("_trained", "_base")]
found["ours"] = sorted(name for name in sys.modules if name.split(".")[0] == "sea_core")
print(json.dumps(found))
"""
"""Loads the exported folders with transformers and PEFT alone, and compares their logits with the trained model's."""


def check_fresh(
    mllm: MLLM, probe: Path, folders: dict[str, Path], trained: Tensor, revision: str | None = None
) -> dict[str, Any]:
    """Load the exported folders in a fresh process, with no code of ours, and compare logits with the trained model's.

    Where transformers does not know the model's class, the plugin's module is imported for it, and the result says so.

    Raises:
        ModelError: a folder does not load, or loads as another model: as the base, for one.
    """
    import transformers

    kind = type(mllm.model)
    module = "" if hasattr(transformers, kind.__name__) else kind.__module__
    told = {
        "module": module,
        "architecture": kind.__name__,
        "probe": str(probe),
        "base": str(mllm.model.name_or_path),
        "dtype": str(mllm.dtype).removeprefix("torch."),
        "device": str(mllm.device),
        "revision": revision,
        "folders": {name: str(folder) for name, folder in folders.items()},
    }
    done = subprocess.run([sys.executable, "-c", LOADER, json.dumps(told)], capture_output=True, text=True, check=False)
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["no message"])[-1]
        raise ModelError(
            f"the exported model does not load in a fresh process: {last}",
            hint="Everything trained is safe. Mend that, and type the same command again.",
        )
    found: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    ours = found.pop("ours")
    most = max_rounding(trained, mllm.dtype)
    for name, (off, moved) in found.items():
        if not off <= most:
            same = (
                "gives the base model's logits: it changes nothing" if moved <= most else f"is off by {off:.3g} logits"
            )
            raise ModelError(
                f"the exported {name}, loaded in a fresh process, {same}",
                hint="The versions of transformers and peft may not fit each other; do not use this export.",
            )
    return {
        "tolerance": most,
        "class": f"{module or 'transformers'}.{kind.__name__}",
        "imports_sea": bool(ours),
        **{name: {"off": off, "from_base": moved} for name, (off, moved) in found.items()},
    }
