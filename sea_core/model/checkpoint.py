"""Load a checkpoint through transformers, safely, and name it so that a run can tell it from another."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sea_core.errors import ModelError

CARD = "sea.json"
"""Written beside a model that SEA built: the blueprint, its figures, and what the model cannot do."""
AGAIN = "Download or copy the checkpoint again."


def load_transformers(
    checkpoint: str,
    architectures: Sequence[str],
    *,
    dtype: Any,
    device: str,
    revision: str | None,
    processor: Callable[[str, str | None], Any] | None = None,
    library: Any = None,
) -> tuple[Any, Any]:
    """Return (model, processor) of a folder or a hub id.

    Never runs code from the checkpoint and reads safetensors only. On the device `meta` the model has shapes and no
    weights, and only its configuration is read.

    Args:
        processor: (checkpoint, revision) -> processor, for a family whose AutoProcessor asks for too much.
        library: the module that has the architecture's class, for a model that is not in transformers.

    Raises:
        ModelError: no such checkpoint, another family's, torn, or with weights missing (transformers would fill them
            with random numbers and go on).
    """
    import transformers
    from safetensors import SafetensorError

    architecture = find_architecture(checkpoint, architectures, revision)
    try:
        with quiet_loading():
            kind = getattr(library or transformers, architecture)
            if device == "meta":
                model, info = _shapes_only(kind, checkpoint, dtype, revision), {"missing_keys": ()}
            else:
                model, info = kind.from_pretrained(
                    checkpoint, dtype=dtype, revision=revision, use_safetensors=True, output_loading_info=True
                )
            if processor is None:
                found = transformers.AutoProcessor.from_pretrained(checkpoint, revision=revision)
            else:
                found = processor(checkpoint, revision)
    except (OSError, ValueError, RuntimeError, KeyError) as error:
        raise ModelError(
            f"the checkpoint {checkpoint} cannot be loaded: {error}",
            hint="Expected a Hugging Face folder with safetensors weights and a processor. Download it again?",
        ) from error
    except SafetensorError as error:
        raise ModelError(f"the weights in {checkpoint} are torn: {error}", hint=AGAIN) from error
    if info["missing_keys"]:
        names = sorted(info["missing_keys"])
        raise ModelError(
            f"the checkpoint {checkpoint} lacks {len(names)} weights, {names[0]} for one",
            hint="They would be random numbers. Is it whole, and saved by a matching version of transformers?",
        )
    return model.to(device), found


def _shapes_only(kind: Any, checkpoint: str, dtype: Any, revision: str | None) -> Any:
    import torch

    config = kind.config_class.from_pretrained(checkpoint, revision=revision)
    with torch.device("meta"):
        return kind(config).to(dtype)


@contextmanager
def quiet_loading() -> Iterator[None]:
    """Keep transformers' progress bar and warnings off stderr: what matters in them is told as an error."""
    from transformers.utils import logging

    bar, level = logging.is_progress_bar_enabled(), logging.get_verbosity()
    logging.disable_progress_bar()
    logging.set_verbosity_error()
    try:
        yield
    finally:
        logging.set_verbosity(level)
        if bar:
            logging.enable_progress_bar()


def find_architecture(checkpoint: str, architectures: Sequence[str], revision: str | None) -> str:
    """Return the checkpoint's architecture, if it is one of `architectures`; raises ModelError otherwise."""
    config = read_config(checkpoint, revision)
    found = config.get("architectures") or []
    for architecture in found:
        if architecture in architectures:
            return str(architecture)
    raise ModelError(
        f"the checkpoint {checkpoint} is a {', '.join(found) or 'model of no named architecture'}; "
        f"this plugin drives {', '.join(architectures)}",
        hint="Give another --model, or the plugin of that family with --plugin. Type: sea modalities",
    )


def read_config(checkpoint: str, revision: str | None) -> dict[str, Any]:
    """Return config.json of a folder or a hub id."""
    folder = Path(checkpoint)
    path = folder / "config.json"
    if not folder.is_dir():
        path = _from_hub(checkpoint, revision)
    if not path.is_file():
        raise ModelError(
            f"there is no config.json in the folder {checkpoint}", hint="Give a Hugging Face model folder to --model."
        )
    try:
        config = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ModelError(f"config.json is torn: {error}", hint=AGAIN, where=str(path)) from error
    if not isinstance(config, dict):
        raise ModelError("config.json is not a JSON object", hint=AGAIN, where=str(path))
    return config


def _from_hub(checkpoint: str, revision: str | None) -> Path:
    if not re.fullmatch(r"[\w.-]+/[\w.-]+", checkpoint) or checkpoint.startswith("."):
        raise ModelError(
            f"there is no model folder {checkpoint}", hint="Give a folder, or a hub id such as organisation/name."
        )
    from huggingface_hub import hf_hub_download

    try:
        return Path(hf_hub_download(checkpoint, "config.json", revision=revision))
    except (OSError, ValueError) as error:
        raise ModelError(
            f"there is no folder {checkpoint}, and the model hub did not give a model of that name",
            hint=f"Check the spelling and the connection, or give a folder to --model. ({type(error).__name__})",
        ) from error


def fingerprint(checkpoint: str, revision: str | None) -> str:
    """Return a digest that changes when the weights, the configuration, the tokenizer or the chat template do.

    For a folder: the size and evenly spread samples of each such file, header included, so that 15 GB take
    milliseconds. For a hub id: the id and the commit it resolves to.
    """
    folder = Path(checkpoint)
    if not folder.is_dir():
        return f"{checkpoint}@{_from_hub(checkpoint, revision).parent.name}"
    digest = hashlib.sha256()
    kinds = ("*.safetensors", "*.json", "*.jinja", "*.txt", "*.model")
    for path in sorted(path for kind in kinds for path in folder.glob(kind) if path.name != CARD):
        size = path.stat().st_size
        digest.update(f"{path.name}:{size}".encode())
        with path.open("rb") as file:
            for offset in range(0, size, max(1, size // 64)):
                file.seek(offset)
                digest.update(file.read(4096))
    return f"sha256:{digest.hexdigest()[:16]}"


def read_card(checkpoint: str) -> dict[str, Any]:
    """Return what `sea model build` wrote beside the model, or an empty dict for any other model."""
    path = Path(checkpoint) / CARD
    if not path.is_file():
        return {}
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        hint = f"Delete it, or copy the model again: {CARD} only keeps notes."
        raise ModelError(f"the model's card is torn: {error}", hint=hint, where=str(path)) from error
    return found if isinstance(found, dict) else {}


def write_card(folder: Path, facts: dict[str, Any]) -> None:
    """Add facts to the card of a model that SEA built."""
    from sea_core.runs.atomic import write_json

    write_json(folder / CARD, read_card(str(folder)) | facts)
