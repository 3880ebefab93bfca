"""Write the LoRA adapter and the merged model, and check that both load without SEA's code."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypedDict

import torch
from torch import Tensor

from sea_core.alignment.trainer_config import quiet_libraries
from sea_core.errors import ModelError
from sea_core.model.chat_template import write_template
from sea_core.model.checkpoint import quiet_loading, write_card
from sea_core.model.device_map import device_map_of, taken_off_devices
from sea_core.model.mllm import MLLM
from sea_core.model.numerics import max_rounding, require_finite_logits
from sea_core.model.quantization import quantization_of
from sea_core.runs.atomic import disk_errors

N_PROMPTS = 8
QUESTIONS = ("What is in the {noun}?", "Describe the {noun}.", "How do I do this?", "Tell me about it.")
COPIED_SUFFIXES = (".json", ".jinja", ".txt", ".model", ".tiktoken")
"""What a tokenizer, a processor or a chat template consists of. Weights, code and pickled objects are not copied."""
COPIED_NAMES = ("LICENSE", "LICENCE", "NOTICE", "USE_POLICY")
NOT_COPIED = {"README.md", "config.json", "sea.json", "adapter_config.json"}


UNQUANTIZED = "adapter_unquantized"


class LogitErrors(TypedDict):
    """The largest differences of an export's logits from the trained model's, and from the base model's.

    After training on quantised weights, `merged` is compared with the LoRA adapter on the base that is not quantised.
    """

    max_error: float
    max_change: float


class ExportCheck(TypedDict):
    """The result of loading the exports in a fresh process.

    `exports` has an entry for `adapter`, `merged` or both; after training on quantised weights also for `UNQUANTIZED`,
    the same LoRA adapter on the base that is not quantised: how far it is from the trained model. `imports_sea` is true
    if the plugin's module had to be imported for the model's class.
    """

    model_class: str
    imports_sea: bool
    tolerance: float
    exports: dict[str, LogitErrors]


@dataclass(frozen=True)
class LogitFixture:
    """Inputs with real media, and the base model's logits after each prompt: (N_PROMPTS, vocabulary)."""

    inputs: dict[str, Tensor]
    base: Tensor

    @classmethod
    def record(cls, mllm: MLLM, media: Sequence[Any] = ()) -> LogitFixture:
        """Record the base model's logits on N_PROMPTS questions about the media, or about the blank input."""
        noun = mllm.adapter.noun
        shown = (list(media) or [mllm.adapter.blank_input(mllm.processor)]) * N_PROMPTS
        questions = [QUESTIONS[i % len(QUESTIONS)].format(noun=noun) for i in range(N_PROMPTS)]
        batch = mllm.media_inputs(questions, shown[:N_PROMPTS])
        inputs = {name: value for name, value in batch.items() if isinstance(value, Tensor)}
        return cls(inputs, last_logits(mllm.model, inputs))

    def write(self, path: Path, trained: Tensor) -> None:
        """Write the inputs, the base model's logits and those of the trained model."""
        from safetensors.torch import save_file

        tensors = {name: value.cpu().contiguous().clone() for name, value in self.inputs.items()}
        save_file(tensors | {"_trained": trained.cpu(), "_base": self.base.cpu()}, path)

    @staticmethod
    def read_trained(path: Path) -> Tensor:
        """Return the trained model's logits, (N_PROMPTS, vocabulary), from a file that `write` wrote."""
        from safetensors.torch import load_file

        return load_file(path)["_trained"]


@torch.no_grad()
def last_logits(model: Any, inputs: dict[str, Tensor]) -> Tensor:
    """Return the logits after each prompt's last token, (prompts, vocabulary) in fp32, by the model's own forward.

    Raises:
        ModelError: they are not finite numbers.
    """
    mask = inputs["attention_mask"]
    last = (mask * torch.arange(mask.shape[1], device=mask.device)).argmax(1)
    logits: Tensor = model(**inputs).logits
    chosen = logits[torch.arange(len(last)), last].float().cpu()
    require_finite_logits(chosen)
    return chosen


def save_lora_adapter(mllm: MLLM, model: Any, folder: Path, fingerprint: str, chat_template: str = "") -> None:
    """Write the LoRA adapter and the base's processor files. The folder appears complete or not at all.

    Args:
        fingerprint: of the base, which is stored beside the adapter: it belongs to no other model of the same shapes.
        chat_template: the one that was used in place of the base's own; empty for none.
    """
    with _atomic_folder(folder) as part, quiet_loading():
        model.save_pretrained(part)
        copy_processor_files(mllm, part, chat_template)
        base = {"checkpoint": str(mllm.model.name_or_path), "fingerprint": fingerprint}
        write_card(part, {"base": base | {"quantization": quantization_of(mllm.model)}})


def load_lora_adapter(mllm: MLLM, folder: Path, revision: str | None = None) -> Any:
    """Return the model of `mllm` with a LoRA adapter that `save_lora_adapter` wrote, for `save_merged`.

    If it is quantised, its checkpoint is loaded again in its dtype, on the CPU: weights that are merged must be whole.
    """
    from peft import PeftModel

    with quiet_loading(), quiet_libraries():
        model = reload_base(mllm, revision) if quantization_of(mllm.model) else mllm.model
        return PeftModel.from_pretrained(model, folder)


def reload_base(mllm: MLLM, revision: str | None = None) -> Any:
    """Return the checkpoint of a model, loaded again in its dtype on the CPU: whole, and not quantised."""
    settings = {"revision": revision or "main", "trust_remote_code": False, "use_safetensors": True}
    return type(mllm.model).from_pretrained(mllm.model.name_or_path, dtype=mllm.dtype, **settings)


def save_merged(mllm: MLLM, model: Any, folder: Path, full_finetune: bool, chat_template: str = "") -> None:
    """Write the complete model. A LoRA adapter is merged into the weights of `model`, in place.

    Args:
        chat_template: the one that was used in place of the base's own; empty for none.
    """
    with _atomic_folder(folder) as part, quiet_loading():
        merged = model if full_finetune else model.merge_and_unload()
        merged.save_pretrained(part)
        copy_processor_files(mllm, part, chat_template)


def copy_processor_files(mllm: MLLM, folder: Path, chat_template: str = "") -> None:
    """Copy the base's tokenizer, chat template, processor and generation settings, byte for byte.

    Args:
        chat_template: written in place of the base's own, if not empty.
    """
    base = find_base_folder(mllm)
    if base is None:
        mllm.processor.save_pretrained(folder)
    for path in base.iterdir() if base else ():
        is_copied = path.suffix in COPIED_SUFFIXES or path.name.startswith(COPIED_NAMES)
        if is_copied and path.is_file() and path.name not in NOT_COPIED and ".index." not in path.name:
            shutil.copyfile(path, folder / path.name)
    if chat_template:
        write_template(folder, chat_template)


def find_base_folder(mllm: MLLM) -> Path | None:
    """Return the folder that the base model was loaded from, possibly in the hub's cache; None if it is not found."""
    name = str(mllm.model.name_or_path)
    if Path(name).is_dir():
        return Path(name)
    from huggingface_hub import try_to_load_from_cache

    commit = getattr(mllm.model.config, "_commit_hash", None)
    cached = try_to_load_from_cache(name, "config.json", revision=commit) if "/" in name else None
    return Path(cached).parent if isinstance(cached, str) else None


@contextmanager
def _atomic_folder(folder: Path) -> Iterator[Path]:
    """Yield a temporary folder that replaces `folder` on success, with files that everybody may read."""
    part = folder.with_name(f".{folder.name}.part")
    shutil.rmtree(part, ignore_errors=True)
    with disk_errors(folder):
        part.mkdir(parents=True)
        yield part
        for path in part.iterdir():
            path.chmod(0o644)  # save_pretrained makes weights private
        shutil.rmtree(folder, ignore_errors=True)
        part.replace(folder)


LOADER = """
import importlib, json, sys, warnings
job = json.loads(sys.argv[1])
warnings.simplefilter("ignore")
import torch, transformers
from safetensors.torch import load_file
transformers.logging.set_verbosity_error()
transformers.utils.logging.disable_progress_bar()
library = importlib.import_module(job["module"]) if job["module"] else transformers
model_class, fixture = getattr(library, job["architecture"]), load_file(job["fixture"])
inputs = {name: value.to(job["device"]) for name, value in fixture.items() if name[0] != "_"}
mask = inputs["attention_mask"]
last = (mask * torch.arange(mask.shape[1], device=mask.device)).argmax(1).cpu()
differences, reference = {}, "_trained"
for name, folder in job["folders"].items():
    base, device = (folder if name == "merged" else job["base"]), job["device"]
    settings = {"revision": job["revision"] or "main", "trust_remote_code": False, "use_safetensors": True}
    if job["quantization"] and name == "adapter":
        config = transformers.BitsAndBytesConfig.from_dict(job["quantization"])
        settings |= {"quantization_config": config, "device_map": job["device_map"] or {"": device}}
    elif job["quantization"]:
        device = "cpu"  # whole weights, beside the quantised ones, may not fit on the device
    elif job["device_map"]:
        settings["device_map"] = job["device_map"]
    model = model_class.from_pretrained(base, dtype=getattr(torch, job["dtype"]), **settings)
    if name != "merged":
        from peft import PeftModel
        model = PeftModel.from_pretrained(model, folder)
    if "device_map" not in settings:
        model = model.to(device)
    placed = {key: value.to(device) for key, value in inputs.items()}
    with torch.no_grad():
        logits = model.eval()(**placed).logits[torch.arange(len(last)), last].float().cpu()
    differences[name] = [(logits - fixture[key]).abs().max().item() for key in (reference, "_base")]
    if job["quantization"] and name == job["unquantized"]:
        fixture["_unquantized"], reference = logits, "_unquantized"
    del model  # two at a time may not fit
imports_sea = any(name.split(".")[0] == "sea_core" for name in sys.modules)
print(json.dumps({"differences": differences, "imports_sea": imports_sea}))
"""
"""Loads the exported folders with transformers and PEFT alone, and compares their logits with the trained model's."""


def check_export(
    mllm: MLLM, fixture: Path, folders: dict[str, Path], trained: Tensor, revision: str | None = None
) -> ExportCheck:
    """Load the exported folders in a fresh process without SEA's code, and compare their logits with the trained ones.

    If transformers does not know the model's class, the plugin's module is imported for it.

    Args:
        fixture: what `LogitFixture.write` wrote.
        folders: the exports: `adapter`, `merged`, or both.
        trained: the trained model's logits on the fixture.

    Raises:
        ModelError: an export does not load, or its logits are not the trained model's.
    """
    import transformers

    model_class = type(mllm.model)
    module = "" if hasattr(transformers, model_class.__name__) else model_class.__module__
    job = {
        "module": module,
        "architecture": model_class.__name__,
        "fixture": str(fixture),
        "base": str(mllm.model.name_or_path),
        "dtype": str(mllm.dtype).removeprefix("torch."),
        "device": str(mllm.device),
        "device_map": device_map_of(mllm.model),
        "revision": revision,
        "folders": {name: str(folder) for name, folder in folders.items()},
        "quantization": None,
        "unquantized": UNQUANTIZED,
    }
    quantized = bool(quantization_of(mllm.model))
    if quantized:
        merged = {"merged": str(folders["merged"])} if "merged" in folders else {}
        adapter = str(folders.get("adapter") or fixture.parent / "adapter")
        job["folders"] = {"adapter": adapter, UNQUANTIZED: adapter, **merged}
        job["quantization"] = json.loads(mllm.model.config.quantization_config.to_json_string(use_diff=False))
    with _off_device(mllm):
        loaded = _load_in_fresh_process(job)
    limit = max_rounding(trained, mllm.dtype)
    # The library's own kernels for quantised weights may compute in bf16, or round the inputs.
    quantized_limit = max_rounding(trained, torch.bfloat16) if quantized else limit
    for name, (error, change) in loaded["differences"].items():
        if name != UNQUANTIZED:
            _require_same_logits(name, error, change, quantized_limit if name == "adapter" else limit)
    return {
        "model_class": f"{module or 'transformers'}.{model_class.__name__}",
        "imports_sea": loaded["imports_sea"],
        "tolerance": limit,
        "exports": {
            name: {"max_error": error, "max_change": change} for name, (error, change) in loaded["differences"].items()
        },
    }


@contextmanager
def _off_device(mllm: MLLM) -> Iterator[None]:
    """Keep the model in CPU memory inside the context: a GPU may have no room for it and for a second copy.

    Quantised weights stay where they are: they are small, and cannot be moved in every version of their library.
    """
    device = mllm.device
    if device.type == "cpu" or quantization_of(mllm.model):
        yield
        return
    if device_map_of(mllm.model):
        with taken_off_devices(mllm.model):
            yield
        return
    mllm.model.to("cpu")
    if device.type == "cuda":
        torch.cuda.empty_cache()
    try:
        yield
    finally:
        mllm.model.to(device)


def _load_in_fresh_process(job: dict[str, Any]) -> dict[str, Any]:
    command = [sys.executable, "-P", "-c", LOADER, json.dumps(job)]  # -P: no module of the current folder
    environment = os.environ | {"HF_HUB_OFFLINE": "1"}  # whatever it loads has just been loaded or written
    process = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    if process.returncode:
        message = (process.stderr.strip().splitlines() or ["no message"])[-1]
        raise ModelError(
            f"the exported model does not load in a fresh process: {message}",
            hint="The training is saved. Fix the cause, then re-run the same command to resume.",
        )
    result: dict[str, Any] = json.loads(process.stdout.strip().splitlines()[-1])
    return result


def _require_same_logits(name: str, error: float, change: float, limit: float) -> None:
    if error <= limit:
        return
    problem = (
        "gives the base model's logits: it changes nothing" if change <= limit else f"is off by {error:.3g} logits"
    )
    raise ModelError(
        f"the exported {name}, loaded in a fresh process, {problem}",
        hint="The versions of transformers and peft may be incompatible; do not use this export.",
    )
