"""What a model can be optimised for: each modality that an installed plugin carries it with, and why not the others."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sea_core.errors import ModelError, PluginError, SeaError
from sea_core.model.libraries import install_command
from sea_core.pipeline.model_target import ModelTarget
from sea_core.plugin import loader

if TYPE_CHECKING:
    from sea_core.model.adapter import Adapter
    from sea_core.model.mllm import MLLM

DERIVING = "sea-auto"
"""The distribution that derives adapters. It is one plugin among others: only messages name it."""
INSTALL_HINT = f"Type: {install_command(DERIVING)}"


@dataclass(frozen=True)
class CarriedModality:
    """How a plugin's adapter carries a model.

    Attributes:
        mechanism: how E reaches the language model: `splice` or `replay`. seam: where E crosses.
        embedding: the shape of the blank input's E.
        prefixes: how answers begin, by the setting or kind.
    """

    plugin: str
    modality: str
    architecture: str
    mechanism: str
    seam: tuple[str, ...]
    placeholder: str
    end_token: str
    embedding: str
    prefixes: Mapping[str, str]
    target: ModelTarget


@dataclass(frozen=True)
class RefusedModality:
    """Why a plugin's adapter does not carry a model."""

    plugin: str
    modality: str
    error: SeaError


def find_modalities(
    model: str, *, plugin: str | None = None, modality: str | None = None, **options: Any
) -> tuple[list[CarriedModality], list[RefusedModality]]:
    """Return the modalities of a model that installed plugins carry, and those that they refuse, with the error.

    Plugins that derive their adapter from the model are asked, and those that name its class.

    Args:
        plugin, modality: the only ones to ask about.
        options: as `ModelTarget.find` takes them: revision, dtype, device, chat_template.

    Raises:
        SeaError: every adapter refuses the model for the same reason, or none is for its class.
    """
    carried, refused = list[CarriedModality](), list[RefusedModality]()
    for name, adapter in _adapters_for(model, plugin, options.get("revision")):
        if modality not in (None, adapter.modality):
            continue
        try:
            target = ModelTarget.find(name, modality=adapter.modality, model=model, **options)
            carried.append(describe(target))
        except SeaError as error:
            refused.append(RefusedModality(name, adapter.modality, error))
    if not carried and len({found.error.what for found in refused}) == 1:
        raise refused[0].error
    return carried, refused


def describe(target: ModelTarget) -> CarriedModality:
    """Return how an adapter carries its model. The weights are not loaded."""
    mllm = replace(target, device="meta").load()
    adapter = mllm.adapter
    return CarriedModality(
        target.plugin.name,
        adapter.modality,
        type(mllm.model).__name__,
        "replay" if mllm.replayed else "splice",
        tuple(_seam(mllm)),
        adapter.placeholder,
        adapter.end_token(mllm.processor),
        adapter.embedding_shape,
        {str(kind): prefix for kind, prefix in adapter.prefixes.items()} | {"style": adapter.style_prefix},
        target,
    )


def ask_habits(target: ModelTarget, media: Path | None = None) -> Sequence[Any]:
    """Ask a model how it opens its answers, about its blank input, noise and the media in a folder.

    Raises:
        PluginError: no installed plugin offers that.
        DataError: a medium cannot be read.
    """
    from sea_core.model.media_folder import media_files

    find_habits = find_function("find_habits", "asking a model how it opens its answers")
    mllm = target.load()
    files = media_files(media) if media else []
    habits: Sequence[Any] = find_habits(mllm, [mllm.adapter.read_media(file, mllm.processor) for file in files])
    return habits


def write_derived_plugin(name: str, target: ModelTarget, folder: Path | None = None) -> list[Path]:
    """Write the adapter that was derived from a model down as a plugin, and return its files.

    Raises:
        PluginError: the adapter is not derived, or no installed plugin can write it down.
    """
    from sea_core.plugin.scaffold.write import class_name, package_folder, write_plugin

    if not target.adapter.is_derived:
        raise PluginError(
            f"the plugin {target.plugin.name} derives no adapter: it has one to copy",
            hint="Type: sea plugins new NAME --from MODEL --modality MODALITY",
        )
    write_source = find_function("write_adapter_source", "writing a derived adapter down")
    mllm = replace(target, device="meta").load()
    package = package_folder(name, folder)
    source = write_source(mllm, checkpoint=target.checkpoint, class_name=class_name(name), package=package)
    return write_plugin(name, target.adapter.modality, folder, adapter=source)


def find_function(name: str, purpose: str) -> Any:
    """Return a function that an installed plugin offers. Raises PluginError if there is none."""
    try:
        return loader.get_function(name)
    except AttributeError as error:
        raise PluginError(f"{purpose} needs a plugin that offers it, such as {DERIVING}", hint=INSTALL_HINT) from error


def _adapters_for(model: str, plugin: str | None, revision: str | None) -> list[tuple[str, Adapter]]:
    """Return the adapters that may carry a model, with the names of their plugins."""
    from sea_core.model.checkpoint import read_config

    plugins = [loader.get_plugin(plugin, with_adapter=True)] if plugin else loader.installed("adapters")
    classes = read_config(model, revision).get("architectures") or []
    offers = [(plugin or found.name, adapter) for found in plugins for adapter in found.adapters]
    fitting = [(name, a) for name, a in offers if a.is_derived or set(a.architectures) & set(classes)]
    if not fitting:
        raise ModelError(
            f"no installed plugin carries a {', '.join(classes) or 'model of no named class'}",
            hint=f"{INSTALL_HINT}  It derives adapters from models.",
        )
    return fitting


def _seam(mllm: MLLM) -> Iterator[str]:
    """Yield the places where E crosses."""
    if mllm.replayed:
        for crossing in mllm.replayed.replay.seam.crossings:
            yield f"{crossing.module} ({crossing.side})"
    else:
        yield next(f"{name} (input)" for name, module in mllm.model.named_modules() if module is mllm.projector)
