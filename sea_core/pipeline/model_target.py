"""A model: which one, through which plugin, where and how it is loaded."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from sea_core.config import override, reject_unknown, setting_names
from sea_core.errors import ModelError, PluginError, SeaError, one_line
from sea_core.model.chat_template import ChatTemplate, given, use_given_template
from sea_core.model.device_error import describe_device_error
from sea_core.model.device_map import (
    Devices,
    are_several,
    device_map_of,
    loading_onto,
    require_possible,
    resolve_devices,
)
from sea_core.model.placement import check_dtype, dtype_name, resolve_dtype
from sea_core.model.quantization import Quantization, quantization_of, quantized_loading, read_quantization
from sea_core.pipeline.progress import SILENT, Progress
from sea_core.plugin import loader
from sea_core.plugin.isolation import attribute_to_plugin, catch_any

if TYPE_CHECKING:
    from sea_core.model.adapter import Adapter
    from sea_core.model.mllm import MLLM
    from sea_core.runs.folder import RunFolder
    from sea_core.runs.manifest import ModelIdentity, ModelLocation


T = TypeVar("T")


@dataclass(frozen=True)
class ModelTarget:
    """Which model, through which plugin, where and how. Weights are loaded only when there is work for them.

    Attributes:
        plugin: the loaded plugin. source: what named it, an installed plugin's name or the path of a .py file.
        adapter: the plugin's adapter for the modality, with its settings.
        checkpoint: a model folder or a hub id. revision: the commit of a hub model.
        dtype: float32, bfloat16 or float16; `auto` for bfloat16 on a GPU, else float32.
        device: as torch names it; `auto` for cuda if there is one, else mps, else cpu; several as in `cuda:0,cuda:1`,
            `all` GPUs, or a device map in a .json file.
        may_download: whether a hub model may be downloaded; False for one that only a run names.
        chat_template: takes the place of the checkpoint's own.
        quantize: `4bit` or `8bit` for the language model's linear layers; empty for none.
    """

    plugin: loader.Plugin
    source: str
    adapter: Adapter
    checkpoint: str
    revision: str | None = None
    dtype: str = "auto"
    device: str = "auto"
    may_download: bool = True
    chat_template: ChatTemplate | None = None
    quantize: Quantization = ""

    @classmethod
    def find(
        cls,
        plugin: str,
        *,
        modality: str | None = None,
        model: str | None = None,
        revision: str | None = None,
        dtype: str = "auto",
        quantize: str = "",
        device: str = "auto",
        settings: Mapping[str, Any] | None = None,
        chat_template: ChatTemplate | Path | None = None,
        language: str = "en",
        is_stored: bool = False,
        may_download: bool = True,
    ) -> ModelTarget:
        """Find a plugin's adapter and the model it is used with.

        Args:
            plugin: an installed plugin's name, or the path of a .py file.
            modality: which of the plugin's modalities; may be left out where there is only one.
            model: a model folder or a hub id; the plugin's own model by default.
            settings: the adapter's fields to set, as in {"seconds": 5}.
            chat_template: a Jinja file, for a checkpoint without a chat template, or in place of its own.
            language: of questions and target answers: `en` or `zh`.
            quantize: keep the language model's linear layers in `4bit` or `8bit`; `none` or empty: in the dtype.
            is_stored: the plugin's name was read from a file, and is never taken as a path.
            may_download: whether a hub model that is not the plugin's own may be downloaded.

        Raises:
            PluginError: there is no such plugin, or it cannot be used.
            SeaError: an unknown dtype, quantisation, setting or language.
            ModelError: the chat template cannot be read, or is not Jinja; or the plugin derives its adapter from the
                model, and cannot.
        """
        if not plugin:
            raise SeaError("no plugin was named", hint="Type --plugin NAME; `sea modalities` lists the installed ones.")
        check_dtype(dtype)
        quantization = read_quantization(quantize)
        if are_several(device):
            require_possible(resolve_devices(device), quantization)
        found, adapter = loader.get_adapter(plugin, modality, is_stored=is_stored)
        given = {f"adapter.{name}": value for name, value in (settings or {}).items()}
        adapter, unknown = override(adapter, given, "adapter")
        if unknown and is_stored:
            raise PluginError(
                f"the run was made with {next(iter(unknown))}, a setting that the adapter of {found.distribution} "
                f"{found.version} does not have",
                hint="Install the version of the plugin that the run was made with; run.json names it "
                "(identity.model.plugin_version).",
            )
        reject_unknown(unknown, setting_names(adapter, "adapter"), owner=f"The adapter of {found.name}")
        adapter = adapter.in_language(language)
        checkpoint = model or adapter.checkpoint
        template = chat_template if isinstance(chat_template, ChatTemplate | None) else ChatTemplate.read(chat_template)
        may_download = may_download or not model
        where = (checkpoint, revision, dtype, device, may_download, template, quantization)
        target = cls(found, plugin, adapter, *where)
        return target._fitted() if adapter.is_derived else target

    @classmethod
    def of(cls, model: ModelTarget | str) -> ModelTarget:
        """Return a target as it is, or that of a plugin's own model."""
        return model if isinstance(model, ModelTarget) else cls.find(model)

    @classmethod
    def of_run(
        cls,
        run: RunFolder[Any],
        *,
        plugin: str | None = None,
        model: str | None = None,
        dtype: str = "auto",
        quantize: str = "auto",
        device: str = "auto",
        progress: Progress = SILENT,
    ) -> ModelTarget:
        """Return the model that a run was made with.

        A run may come from anybody. It names an installed plugin, never a file to run, and starts no download.

        Args:
            plugin: the run's plugin, as the user names it: the path of a .py file, for a run made with one.
            model: where the same model lies now, if not where it was. Of a hub model, the run's commit is loaded.
            dtype, quantize: `auto` for the run's.

        Raises:
            PluginError: the plugin is not installed, is a local file that was not given, or is another one.
        """
        identity, location = run.manifest.identity.model, run.manifest.metadata.model
        if plugin is None:
            require_installed(identity, str(run.folder))
        target = cls.find(
            identity.plugin if plugin is None else plugin,
            modality=identity.modality,
            model=model or location.checkpoint,
            revision=_stored_revision(identity, location) if model in (None, location.checkpoint) else None,
            dtype=identity.dtype if dtype == "auto" else dtype,
            quantize=identity.quantization if quantize == "auto" else quantize,
            device=device,
            settings=identity.adapter,
            chat_template=ChatTemplate(stored, str(run.folder)) if (stored := identity.chat_template) else None,
            language=identity.language,
            is_stored=plugin is None,
            may_download=model is not None,
        )
        compare_plugins(identity, target.plugin, progress)
        if model is None and target._is_own_model_elsewhere(identity.fingerprint):
            return replace(target, checkpoint=target.adapter.checkpoint, revision=None)
        is_own = location.checkpoint == target.adapter.checkpoint
        return replace(target, may_download=model is not None or is_own)

    def _is_own_model_elsewhere(self, wanted: str) -> bool:
        """Return whether the checkpoint is a folder of elsewhere, and the plugin's own model has this fingerprint."""
        from sea_core.model.checkpoint import fingerprint

        own = self.adapter.checkpoint
        is_folder = "/" not in self.checkpoint or Path(self.checkpoint).is_absolute()  # and no hub id, OWNER/NAME
        if not own or not Path(own).is_dir() or Path(self.checkpoint).is_dir() or not is_folder:
            return False
        return fingerprint(own, None) == wanted

    @property
    def name(self) -> str:
        """The plugin's name, with the modality where the plugin has several: for the names of run folders."""
        several = f"-{self.adapter.modality}" if len(self.plugin.adapters) > 1 else ""
        return f"{Path(self.source).stem}{several}"

    def with_adapter(self, adapter: Adapter) -> ModelTarget:
        """Return the same target with other settings of its adapter."""
        return replace(self, adapter=adapter)

    def device_name(self) -> str:
        """Return the device, as torch names it, or all of several. Raises SeaError when one cannot be used."""
        return str(self.devices())

    def devices(self) -> Devices:
        """Return the devices. Raises SeaError when one cannot be used."""
        return resolve_devices(self.device)

    def dtype_name(self) -> str:
        """Return the dtype of the weights."""
        return dtype_name(resolve_dtype(self.dtype, self.devices().main))

    def fingerprint(self) -> str:
        """Return the digest that identifies the checkpoint. Raises ModelError when it is another family's."""
        from sea_core.model.checkpoint import find_architecture, fingerprint

        with self._network():
            find_architecture(self.checkpoint, self.adapter.architectures, self.revision)
            return fingerprint(self.checkpoint, self.revision)

    def note_limits(self, progress: Progress) -> None:
        """Say, before any work, what a model that SEA built cannot do: the first clause of its card, `sea.json`."""
        from sea_core.model.checkpoint import read_card

        card = read_card(self.checkpoint)
        if limits := card.get("limits"):
            progress.note(f"note: {limits.partition(': its tokenizer')[0]}.")
        taught = card.get("warmed", {}).get("styles", self.adapter.styles)
        if unknown := [style for style in self.adapter.styles if style not in taught]:
            progress.note(
                f"note: it was warmed with another adapter's styles, and knows no {', '.join(unknown)}: examples in "
                "these styles fail. Warm it with this adapter: sea plugins warm"
            )

    def load(self) -> MLLM:
        """Load the model.

        Raises:
            ModelError: the checkpoint is damaged, or another family's; or the plugin loads it in a way of its own, and
                does not quantise it, or has it on one device only.
            SeaError: a device cannot be used, or the library that quantises is not installed.
        """
        devices = self.devices()
        spread = loading_onto(devices, self.adapter, self.quantize)
        with self._network(), quantized_loading(self.quantize, self.adapter), spread:
            mllm = self._load_checkpoint(resolve_dtype(self.dtype, devices.main), str(devices.main))
        if self.quantize and not quantization_of(mllm.model):
            raise ModelError(
                f"the plugin {self.plugin.name} loads its model in a way of its own, which does not quantise it",
                hint="Leave out --quantize, or let the adapter's `load` use load_transformers.",
            )
        if len(devices.names) > 1 and not device_map_of(mllm.model):
            raise ModelError(
                f"the plugin {self.plugin.name} loads its model in a way of its own, which has it on one device only",
                hint="Name one device, or let the adapter's `load` use load_transformers.",
            )
        return mllm

    def _load_checkpoint(self, dtype: Any, device: str) -> MLLM:
        """Load the model."""
        from sea_core.model.mllm import MLLM

        where: dict[str, Any] = {"dtype": dtype, "device": device, "revision": self.revision}

        def load() -> MLLM:
            model, processor = self.adapter.load(self.checkpoint, **where)
            use_given_template(processor)  # it may have been loaded in a plugin's own way
            mllm = MLLM(self.adapter, model, processor)
            if self.chat_template:
                self.chat_template.require_fit(mllm)
            return mllm

        return self._opened(load)

    def _fitted(self) -> ModelTarget:
        """Return the target with the adapter that is derived from its checkpoint."""
        devices = self.devices()
        dtype = resolve_dtype(self.dtype, devices.main)
        whole = devices.are_several or self.quantize
        place = "cpu" if whole else str(devices.main)  # the whole weights may not fit on the device
        where: dict[str, Any] = {"dtype": dtype, "device": place, "revision": self.revision}
        with self._network():
            fitted = self._opened(lambda: self.adapter.fitted(self.checkpoint, **where))
            return self.with_adapter(fitted.in_language(self.adapter.language))

    def _opened(self, open_checkpoint: Callable[[], T]) -> T:
        """Return what is made of the checkpoint. Libraries raise anything for a file that is damaged."""
        opened: list[T] = []
        with given(self.chat_template):
            error = catch_any(lambda: opened.append(open_checkpoint()))
        if error is None:
            return opened[0]
        if refused := describe_device_error(error):
            what = f"the checkpoint {self.checkpoint} cannot be loaded: {refused.what}"
            raise ModelError(what, hint=refused.hint) from error
        if isinstance(error, SeaError | SystemExit) or attribute_to_plugin(error):
            raise error
        raise ModelError(
            f"the checkpoint {self.checkpoint} cannot be loaded: {type(error).__name__}: {one_line(error)[:200]}",
            hint="Is it damaged? Download or copy it again. `sea --debug ...` shows where it occurred.",
        ) from error

    @contextmanager
    def _network(self) -> Iterator[None]:
        """Allow downloads inside the block where the user named the model; else raise ModelError for a missing one."""
        from sea_core.model.hub import is_cached, offline

        try:
            with offline(not self.may_download):
                yield
        except ModelError as error:
            if self.may_download or Path(self.checkpoint).is_dir() or is_cached(self.checkpoint, self.revision):
                raise
            raise ModelError(
                f"the run names the model {self.checkpoint}, which is not on this machine",
                hint="Nothing is downloaded because a run names it. If you trust the model, or have it elsewhere, "
                "type it: --model FOLDER_OR_HUB_ID",
            ) from error


def _stored_revision(identity: ModelIdentity, location: ModelLocation) -> str | None:
    """Return the commit of a hub model that a run was made with: that which was found, if a branch was named, or none.

    None for a folder.
    """
    checkpoint, _, commit = identity.fingerprint.rpartition("@")
    return commit if checkpoint == location.checkpoint else location.revision


def require_installed(model: ModelIdentity, where: str) -> None:
    """Raise PluginError where a run was made with a local plugin file: only the user may name a file to run."""
    if not model.plugin_version.startswith(loader.FILE_VERSION):
        return
    file = f"{model.plugin}.py" if re.fullmatch(r"[\w.-]+", model.plugin) else "FILE.py"
    raise PluginError(
        f"the run was made with the local plugin file {file}, and no code is run because a run names it",
        hint=f"If you have the file and trust it, type its path: --plugin ./{file}",
        where=where,
    )


def compare_plugins(stored: ModelIdentity, found: loader.Plugin, progress: Progress) -> None:
    """Note that a plugin's version is not the one that a run was made with. Raises PluginError for another plugin."""
    if found.name != stored.plugin:
        raise PluginError(
            f"the run was made with the plugin {stored.plugin}, not with {found.name}",
            hint="Give that plugin with --plugin, or leave --plugin out if it is installed.",
        )
    if stored.plugin_version and found.version != stored.plugin_version:
        progress.note(
            f"plugin {found.name} is {found.version}; the run was made with {stored.plugin_version}: results may differ"
        )


def load(plugin: str, **options: Any) -> MLLM:
    """Load a plugin's model.

    Args:
        plugin: an installed plugin's name, or the path of a .py file.
        options: as `ModelTarget.find` takes them: modality, model, revision, dtype, device, settings, chat_template,
            language.

    Raises:
        PluginError: there is no such plugin.
        ModelError: the checkpoint cannot be loaded.

    Example:
        >>> mllm = sea_core.load("my_plugin")
        >>> mllm.generate(["What is in the image?"], [mllm.blank()])
    """
    return ModelTarget.find(plugin, **options).load()
