"""Load a checkpoint through transformers, safely, and identify it."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from typing_extensions import TypedDict

from sea_core.errors import ModelError, number_of, one_line
from sea_core.model.chat_template import use_given_template
from sea_core.model.device_map import map_settings
from sea_core.model.hub import require_reachable
from sea_core.model.libraries import describe_need, missing_library
from sea_core.model.processor import load_processor
from sea_core.model.quantization import load_settings
from sea_core.model.untrusted import RESTORE_HINT, require_no_kernels, require_plain_files, untrusted
from sea_core.runs.digests import file_digest
from sea_core.schema import check, read_json

CARD = "sea.json"
"""The file beside a model that SEA built: its blueprint, its scores, and what the model cannot do."""


class Architectures(TypedDict, total=False):
    """The key of config.json that SEA reads itself."""

    architectures: list[str] | None


class Limits(TypedDict, total=False):
    """The key of `sea.json` that SEA reads itself."""

    limits: str


ProcessorLoader = Callable[[str, str | None], Any]
"""(checkpoint, revision) -> processor."""


def load_transformers(
    checkpoint: str,
    architectures: Sequence[str],
    *,
    dtype: Any,
    device: str,
    revision: str | None,
    processor: ProcessorLoader = load_processor,
    library: Any = None,
) -> tuple[Any, Any]:
    """Return (model, processor) of a folder or a hub id.

    Never runs code from the checkpoint, and reads safetensors only. On the device `meta` only the configuration is
    read, and the model has shapes but no weights.

    Args:
        processor: loads the processor, for a family that has one of its own.
        library: the module that defines the model's class, for a model that is not in transformers.

    Raises:
        ModelError: there is no such checkpoint, it is corrupt or of another family, needs a library that is not
            installed, or lacks weights, which transformers would silently fill with random numbers; or a weight is
            not a finite number.
    """
    import transformers

    architecture = find_architecture(checkpoint, architectures, revision)
    model_class = getattr(library or transformers, architecture)
    with _loading(checkpoint), quiet_loading():
        if device == "meta":
            model, missing = _without_weights(model_class, checkpoint, dtype, revision), ()
            settings: dict[str, Any] = {}
        else:
            shapes_only = partial(_without_weights, model_class, checkpoint, dtype, revision)
            loads_processor = partial(processor, checkpoint, revision)
            settings = load_settings(shapes_only, loads_processor, dtype, device)
            settings |= map_settings(shapes_only, loads_processor)
            model, info = model_class.from_pretrained(
                checkpoint,
                dtype=dtype,
                revision=revision,
                use_safetensors=True,
                trust_remote_code=False,
                output_loading_info=True,
                **settings,
            )
            missing = info["missing_keys"]
        loaded_processor = processor(checkpoint, revision)
    use_given_template(loaded_processor)
    _require_no_missing(checkpoint, missing)
    if "quantization_config" in settings:
        from sea_core.model.quantized_products import keep_gradients

        keep_gradients(model)
    if "device_map" not in settings:
        model.to(device)
    require_finite_weights(model, checkpoint)
    return model, loaded_processor


@contextmanager
def _loading(checkpoint: str) -> Iterator[None]:
    """Raise a library's loading errors as ModelError."""
    from huggingface_hub.errors import StrictDataclassError
    from safetensors import SafetensorError

    try:
        with untrusted(checkpoint):
            yield
    except (ImportError, OSError, ValueError, RuntimeError, KeyError, StrictDataclassError) as error:
        if library := missing_library(error):
            what, hint = describe_need(f"the checkpoint {checkpoint}", library)
            raise ModelError(what, hint=hint) from error
        raise ModelError(
            f"the checkpoint {checkpoint} cannot be loaded: {one_line(error)}",
            hint="Expected a Hugging Face folder with safetensors weights and a processor. Download it again?",
        ) from error
    except SafetensorError as error:
        raise ModelError(f"the weights in {checkpoint} are corrupt: {error}", hint=RESTORE_HINT) from error


def _without_weights(model_class: Any, checkpoint: str, dtype: Any, revision: str | None) -> Any:
    """Return the model on the meta device: shapes, no weights."""
    import torch

    config = model_class.config_class.from_pretrained(checkpoint, revision=revision, trust_remote_code=False)
    with torch.device("meta"):
        return model_class(config).to(dtype)


def _require_no_missing(checkpoint: str, missing: Collection[str]) -> None:
    if missing:
        raise ModelError(
            f"the checkpoint {checkpoint} lacks {number_of(len(missing), 'weight')}, for example {min(missing)}",
            hint="They would be random numbers. Is it complete, and saved by a matching version of transformers?",
        )


def require_finite_weights(model: Any, checkpoint: str) -> None:
    """Raise ModelError if a weight is NaN or infinite. Takes a few percent of the time of loading."""
    from sea_core.model.numerics import first_non_finite

    if name := first_non_finite(model):
        raise ModelError(
            f"the weights in {checkpoint} are damaged: {name} contains numbers that are not finite (NaN or infinity)",
            hint=RESTORE_HINT,
        )


@contextmanager
def quiet_loading() -> Iterator[None]:
    """Keep transformers' progress bar and warnings off stderr inside the block; SEA raises what matters as an error."""
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
    """Return the checkpoint's architecture. Raises ModelError if it is not one of `architectures`."""
    config = read_config(checkpoint, revision)
    require_no_kernels(config, f"config.json of {checkpoint}")
    found = config.get("architectures") or []
    for architecture in found:
        if architecture in architectures:
            return str(architecture)
    raise ModelError(
        f"the checkpoint {checkpoint} is a {', '.join(found) or 'model of no named architecture'}; "
        f"this plugin supports {', '.join(architectures)}",
        hint="Give another --model, or the plugin of that family with --plugin. Type: sea plugins",
    )


def read_config(checkpoint: str, revision: str | None) -> dict[str, Any]:
    """Return config.json of a folder or a hub id. Raises ModelError if there is none, or it is corrupt."""
    folder = Path(checkpoint)
    if folder.is_dir():
        require_plain_files(folder)
    path = folder / "config.json" if folder.is_dir() else _download_config(checkpoint, revision)
    if not path.is_file():
        raise ModelError(
            f"there is no config.json in the folder {checkpoint}", hint="Give a Hugging Face model folder to --model."
        )
    what = "the configuration of a model"
    config = read_json(path, dict[str, Any], what=what, hint=RESTORE_HINT, error=ModelError)
    check(config, Architectures, what=what, hint=RESTORE_HINT, where=str(path), error=ModelError)
    return config


def _download_config(checkpoint: str, revision: str | None) -> Path:
    """Return the path of a hub model's config.json in the hub's cache."""
    if not re.fullmatch(r"[\w.-]+/[\w.-]+", checkpoint) or checkpoint.startswith("."):
        raise ModelError(
            f"there is no model folder {checkpoint}", hint="Give a folder, or a hub id such as organisation/name."
        )
    from huggingface_hub import hf_hub_download
    from huggingface_hub.errors import HfHubHTTPError, HTTPError  # type: ignore[attr-defined]

    try:
        require_reachable(checkpoint, revision)
        return Path(hf_hub_download(checkpoint, "config.json", revision=revision))
    except (OSError, ValueError, HTTPError) as error:
        answered = isinstance(error, HfHubHTTPError)
        problem = "has no model of that name that you may read" if answered else "cannot be reached"
        raise ModelError(
            f"there is no folder {checkpoint}, and the model hub {problem}",
            hint=f"Check the spelling and the connection, or give a folder to --model. ({type(error).__name__})",
        ) from error


def fingerprint(checkpoint: str, revision: str | None) -> str:
    """Return a digest that changes when the weights, the configuration, the tokenizer or the chat template change.

    For a folder: of all bytes of each such file (see `file_digest`, which reads a file once). For a hub id: the id and
    the commit that it resolves to.
    """
    folder = Path(checkpoint)
    if not folder.is_dir():
        return f"{checkpoint}@{_download_config(checkpoint, revision).parent.name}"
    digest = hashlib.sha256()
    patterns = ("*.safetensors", "*.json", "*.jinja", "*.txt", "*.model")
    for path in sorted(path for pattern in patterns for path in folder.glob(pattern) if path.name != CARD):
        digest.update(f"{path.name}:{file_digest(path)}\n".encode())
    return f"sha256:{digest.hexdigest()[:16]}"


def read_card(checkpoint: str) -> dict[str, Any]:
    """Return the content of `sea.json` beside a model that SEA built; an empty dict for any other model."""
    path = Path(checkpoint) / CARD
    if not path.is_file():
        return {}
    hint = f"Delete it, or copy the model again: {CARD} contains notes only."
    card = read_json(path, dict[str, Any], what="the card of a model", hint=hint, error=ModelError)
    check(card, Limits, what="the card of a model", hint=hint, where=str(path), error=ModelError)
    return card


def write_card(folder: Path, entries: dict[str, Any]) -> None:
    """Add entries to `sea.json` beside a model that SEA built."""
    from sea_core.runs.atomic import write_json

    write_json(folder / CARD, read_card(str(folder)) | entries)
