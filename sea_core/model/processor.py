"""Load a checkpoint's processor: what turns a question and its media into the model's inputs.

transformers builds no processor at all where one part of it needs a library that is not installed: most checkpoints
for images also have a video processor, which needs torchvision. Here such a part is absent, and says so when it is
used; the other parts work.
"""

from __future__ import annotations

import importlib
import sys
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from textwrap import shorten
from typing import Any

from typing_extensions import TypedDict

from sea_core.errors import ModelError, SeaError, one_line
from sea_core.model.libraries import describe_need, missing_library
from sea_core.model.untrusted import RESTORE_HINT, untrusted
from sea_core.schema import check, read_json

PROCESSOR_FILE = "processor_config.json"
"""The settings of a processor; newer checkpoints also have those of its parts in it."""
PART_FILES = {
    "image_processor": ("preprocessor_config.json",),
    "video_processor": ("video_preprocessor_config.json", "preprocessor_config.json"),
    "feature_extractor": ("preprocessor_config.json",),
    "audio_processor": ("preprocessor_config.json",),
}
"""The files that may have a part's settings, in the order in which transformers reads them."""
TOKENIZER_FILE = "tokenizer_config.json"
TEKKEN_FILE = "tekken.json"
"""A tokenizer that transformers hands to mistral-common where that is installed: it reads special tokens as text."""
SHOWN = 200
"""Characters of an error of transformers in a message."""


class ProcessorSettings(TypedDict, total=False):
    """The keys of a processor's settings that decide what is loaded; the rest is for transformers to check."""

    processor_class: str | None
    auto_map: dict[str, Any] | None
    image_processor: dict[str, Any] | None
    video_processor: dict[str, Any] | None
    feature_extractor: dict[str, Any] | None
    audio_processor: dict[str, Any] | None
    audio_tokenizer: dict[str, Any]


class AbsentPartError(ModelError, AttributeError):
    """A part of a processor was used whose library is not installed. `hasattr` says that it has no such attribute."""


class StandIn(ABC):
    """A part of a processor whose class is not of transformers; its settings are saved with the processor."""

    model_input_names: tuple[str, ...] = ()
    _auto_class = None

    @abstractmethod
    def to_dict(self) -> dict[str, Any]:
        """Return the settings under the names of transformers, as they are saved."""


class AbsentPart(StandIn):
    """A part that needs a library that is not installed: it has its settings as attributes, and cannot be called."""

    def __init__(self, name: str, library: str, settings: dict[str, Any]) -> None:
        self.name, self.library, self.settings = name, library, settings

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        raise self._error()

    def __getattr__(self, attribute: str) -> Any:
        settings: dict[str, Any] = self.__dict__.get("settings", {})
        if attribute in settings:
            return settings[attribute]
        if attribute.startswith("_") or "library" not in self.__dict__:
            raise AttributeError(attribute)
        raise self._error()

    def _error(self) -> AbsentPartError:
        what, hint = describe_need(f"this checkpoint's {self.name.replace('_', ' ')}", self.library)
        return AbsentPartError(what, hint=hint)

    def to_dict(self) -> dict[str, Any]:
        return dict(self.settings)


class _WithStandIns:
    """Lets a processor class of transformers have stand-ins, and save them."""

    def check_argument_for_proper_class(self, argument_name: str, argument: Any) -> Any:
        if isinstance(argument, StandIn):
            return type(argument)
        return super().check_argument_for_proper_class(argument_name, argument)  # type: ignore[misc]

    def to_dict(self) -> dict[str, Any]:
        settings: dict[str, Any] = super().to_dict()  # type: ignore[misc]
        parts = {name: getattr(self, name) for name in type(self).get_attributes()}  # type: ignore[attr-defined]
        return settings | {name: part.to_dict() for name, part in parts.items() if isinstance(part, StandIn)}


def with_stand_ins(processor_class: type) -> Any:
    """Return a subclass of a processor class of transformers that takes stand-ins for its parts."""
    return type(processor_class.__name__, (_WithStandIns, processor_class), {})


def load_processor(checkpoint: str, revision: str | None) -> Any:
    """Return the processor of a folder or a hub id, of any family.

    A part whose library is not installed is an `AbsentPart`; only a tokenizer cannot be absent. `save_pretrained`
    keeps the settings of such a part.

    Raises:
        ModelError: the checkpoint has no processor, or one that has code of its own, is damaged, names another model,
            or needs a library that is not installed.
    """
    import transformers

    with _readable(checkpoint), untrusted(checkpoint):
        _require_one_model(checkpoint, revision)
        try:
            processor = transformers.AutoProcessor.from_pretrained(
                checkpoint, revision=revision, trust_remote_code=False, **_tokenizer_form(checkpoint, revision)
            )
        except (ImportError, ValueError) as error:
            if missing_library(error) is None:
                raise
            processor = _from_parts(checkpoint, revision)
    if not isinstance(processor, transformers.ProcessorMixin):  # the tokenizer alone, for example
        raise _no_processor(checkpoint)
    if processor.chat_template is None:
        processor.chat_template = getattr(processor.tokenizer, "chat_template", None)
    return processor


def _tokenizer_form(checkpoint: str, revision: str | None) -> dict[str, bool]:
    """Return what makes transformers load an ordinary tokenizer of TEKKEN_FILE."""
    from transformers.utils import cached_file

    found = cached_file(checkpoint, TEKKEN_FILE, revision=revision, _raise_exceptions_for_missing_entries=False)
    return {"mistral_format": False} if found else {}


def read_part_settings(checkpoint: str, name: str, revision: str | None) -> dict[str, Any]:
    """Return a part's settings: `name` is `image_processor`, for example.

    Raises:
        ModelError: a file of them is not a JSON object, or has an entry of another type.
    """
    nested: dict[str, Any] | None = _read(checkpoint, PROCESSOR_FILE, revision).get(name)
    if nested is not None:
        return nested
    found = (_read(checkpoint, file, revision) for file in PART_FILES.get(name, ()))
    return next((settings for settings in found if settings), {})


def _read(checkpoint: str, file: str, revision: str | None) -> dict[str, Any]:
    """Return a file of settings; an empty object where the checkpoint has no such file."""
    from transformers.utils import cached_file

    path = cached_file(checkpoint, file, revision=revision, _raise_exceptions_for_missing_entries=False)
    if path is None:
        return {}
    what = "the settings of a processor"
    settings = read_json(Path(path), dict[str, Any], what=what, hint=RESTORE_HINT, error=ModelError)
    check(settings, ProcessorSettings, what=what, hint=RESTORE_HINT, where=str(path), error=ModelError)
    return settings


def _require_one_model(checkpoint: str, revision: str | None) -> None:
    """Check the files of settings, and that the processor needs no model beside the checkpoint's."""
    files = {PROCESSOR_FILE, *(file for names in PART_FILES.values() for file in names)}
    for file in sorted(files):
        if "audio_tokenizer" in _read(checkpoint, file, revision):
            raise ModelError(
                f"the processor of {checkpoint} names another model, an audio tokenizer, which SEA does not load",
                hint="Give a model whose encoder reads the audio itself: discrete codes have no gradient.",
                where=file,
            )


def _from_parts(checkpoint: str, revision: str | None) -> Any:
    """Return the processor with a stand-in for each part whose library is not installed."""
    name = _name_class(checkpoint, revision)
    processor_class = find_processor_class(name) if name else None
    if processor_class is None:
        raise _no_processor(checkpoint)
    settings, _ = processor_class.get_processor_dict(checkpoint, revision=revision)
    parts = [
        _load_part(processor_class, name, checkpoint, settings, revision) for name in processor_class.get_attributes()
    ]
    return with_stand_ins(processor_class).from_args_and_dict(parts, settings)


def _name_class(checkpoint: str, revision: str | None) -> str | None:
    """Return the processor class that the checkpoint's files name, or that of its kind of model."""
    from transformers import PreTrainedConfig
    from transformers.models.auto.processing_auto import PROCESSOR_MAPPING_NAMES

    for file in (PROCESSOR_FILE, *PART_FILES["video_processor"][::-1], TOKENIZER_FILE):
        if name := _read(checkpoint, file, revision).get("processor_class"):
            return str(name)
    config, _ = PreTrainedConfig.get_config_dict(checkpoint, revision=revision)
    name = PROCESSOR_MAPPING_NAMES.get(config.get("model_type"))
    return str(name) if name else None


def find_processor_class(name: str) -> Any:
    """Return a processor class of transformers by its name, without torchvision too; None if there is none."""
    from transformers.models.auto.processing_auto import PROCESSOR_MAPPING_NAMES, processor_class_from_name

    found = processor_class_from_name(name)
    if getattr(found, "is_dummy", False):
        return _import_with_pil(name, [kind for kind, known in PROCESSOR_MAPPING_NAMES.items() if known == name])
    return found


def _import_with_pil(name: str, model_types: list[str]) -> Any:
    """Return a processor class whose module imports an image processor of torchvision, with the PIL version instead."""
    for model_type in model_types:
        package = f"transformers.models.{model_type}"
        images, images_pil = f"{package}.image_processing_{model_type}", f"{package}.image_processing_pil_{model_type}"
        if find_spec(package) and find_spec(images_pil) and images not in sys.modules:
            sys.modules[images] = importlib.import_module(images_pil)
            try:
                return getattr(importlib.import_module(f"{package}.processing_{model_type}"), name)
            finally:
                del sys.modules[images]
    return None


def _load_part(processor_class: Any, name: str, checkpoint: str, settings: dict[str, Any], revision: str | None) -> Any:
    """Return one part of a processor as transformers loads it; an AbsentPart if its library is not installed."""
    only = {"get_attributes": classmethod(lambda cls: [name])}
    loader: Any = type(processor_class.__name__, (processor_class,), only)
    try:
        (part,) = loader._get_arguments_from_pretrained(
            checkpoint, settings, revision=revision, trust_remote_code=False
        )
    except (ImportError, ValueError) as error:
        library = missing_library(error)
        if library is None or "tokenizer" in name:
            raise
        return AbsentPart(name, library, read_part_settings(checkpoint, name, revision))
    return part


def _no_processor(checkpoint: str) -> ModelError:
    return ModelError(
        f"the checkpoint {checkpoint} has no processor that transformers knows: its media cannot be read",
        hint=f"Expected {PROCESSOR_FILE} or preprocessor_config.json. Copy them from the published model.",
    )


@contextmanager
def _readable(checkpoint: str) -> Iterator[None]:
    """Raise what transformers raises for files that it cannot use as ModelError."""
    from huggingface_hub.errors import StrictDataclassError

    wrong = (ImportError, OSError, ValueError, RuntimeError, LookupError, TypeError, AttributeError, ArithmeticError)
    try:
        yield
    except SeaError:
        raise
    except (*wrong, StrictDataclassError) as error:
        if library := missing_library(error):
            what, hint = describe_need(f"the processor of {checkpoint}", library)
            raise ModelError(what, hint=hint) from error
        raise ModelError(
            f"the processor of {checkpoint} cannot be loaded: {shorten(one_line(error), SHOWN)}", hint=RESTORE_HINT
        ) from error
