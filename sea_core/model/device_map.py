"""A model on several devices: which of its parts is on which, and how it is loaded so.

The layers of the language model are spread over the devices; everything else is on the first, so that what goes in and
what comes out is there. accelerate moves what one part passes to the next.

Importing this module does not import torch, so that option values can be checked cheaply.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sea_core.errors import ModelError, SeaError
from sea_core.model.placement import resolve_device
from sea_core.model.quantization import WEIGHT_BYTES, Quantization, quantized_layers
from sea_core.schema import read_json

if TYPE_CHECKING:
    import torch
    from torch import nn

    from sea_core.model.adapter import Adapter
    from sea_core.model.mllm import MLLM

OFFLOADED = ("cpu", "disk")
"""Where parts are kept that are copied to a device each time they are used."""
DeviceMap = dict[str, str]
"""The name of a module -> its device. The empty name stands for all that are not named."""


@dataclass(frozen=True)
class Devices:
    """What `--device` names.

    Attributes:
        names: the devices that compute, the first of them for everything but the layers.
        file: where the map was read, if it was written by hand.
        map: which part is on which device, as the file says.
    """

    names: tuple[str, ...]
    file: str = ""
    map: Mapping[str, str] = field(default_factory=dict)

    @property
    def main(self) -> torch.device:
        """The device of everything but the layers."""
        import torch

        return torch.device(self.names[0])

    @property
    def are_several(self) -> bool:
        """Whether a model is loaded part by part."""
        return len(self.names) > 1 or bool(self.file)

    def __str__(self) -> str:
        return self.file or ",".join(self.names)

    def map_of(self, mllm: MLLM, quantize: Quantization = "") -> DeviceMap:
        """Return where the parts of a model are to be; it may be on the meta device.

        Raises:
            ModelError: the layers of its language model cannot be found.
            SeaError: the file names a part that the model does not have.
        """
        if not self.file:
            return split_at(mllm.model, {"": self.names[0], **spread_layers(mllm, self.names, quantize)})
        known = {name for name, _ in mllm.model.named_modules()}
        if unknown := [name for name in self.map if name not in known]:
            raise SeaError(
                f"{self.file} names {unknown[0]}, but {type(mllm.model).__name__} has no such part",
                hint=f"Its layers are {', '.join(list(layers_of(mllm))[:2])}, ...",
            )
        return split_at(mllm.model, {"": self.names[0], **self.map})


def are_several(name: str) -> bool:
    """Return whether `--device` names more than one device, by its form."""
    return "," in name or name == "all" or name.endswith(".json")


def resolve_devices(name: str) -> Devices:
    """Return the devices of a name: one, several as in `cuda:0,cuda:1`, `all` GPUs, or a device map in a .json file.

    Raises:
        SeaError: this machine has no such device, or the file is no device map.
    """
    if name.endswith(".json"):
        return _read_map(name)
    names = _all_gpus() if name == "all" else name.split(",")
    found = [str(resolve_device(each.strip())) for each in names]
    if len(found) > 1 and (len(set(found)) < len(found) or "cpu" in found):
        raise SeaError(
            f"--device {name} does not name several GPUs",
            hint="Type each once, as --device cuda:0,cuda:1, or --device all. A device map (--device map.json) can "
            "also keep weights in the CPU's memory or on disk.",
        )
    return Devices(tuple(found))


def _all_gpus() -> list[str]:
    import torch

    if count := torch.cuda.device_count():
        return [f"cuda:{number}" for number in range(count)]
    raise SeaError("--device all: this machine has no GPU that torch can use", hint="Type: --device cpu")


def _read_map(name: str) -> Devices:
    """Read a device map: a JSON object of module names and devices."""
    hint = 'Write one as {"": "cuda:0", "model.language_model.layers.16": "cuda:1"}.'
    read = read_json(Path(name), dict[str, str], what="a device map", hint=hint, error=SeaError)
    named = dict.fromkeys(device for device in read.values() if device not in OFFLOADED)
    if not read.get("") and not named and "cpu" not in read.values():
        raise SeaError("a device map needs a device that computes", hint=hint, where=name)
    where = {each: str(resolve_device(each)) for each in [*named, "cpu"]}
    main = where.get(read.get("", ""))
    names = dict.fromkeys([*([main] if main else []), *(where[each] for each in named)])
    return Devices(tuple(names) or ("cpu",), name, {part: where.get(device, device) for part, device in read.items()})


def require_possible(devices: Devices, quantize: Quantization) -> None:
    """Raise SeaError for a device map that cannot be loaded with quantised weights."""
    if quantize and "disk" in devices.map.values():
        raise SeaError(
            f"--quantize {quantize} cannot be combined with weights on disk: they are stored there as they were",
            hint="Leave one of them out, or name cpu or a GPU in the device map.",
            where=devices.file,
        )
    if quantize and "cpu" in devices.map.values() and devices.names[0] != "cpu":
        raise SeaError(
            f"--quantize {quantize} cannot be combined with weights that are offloaded to the CPU",
            hint="Leave one of them out: layers of 4 bits may fit without it.",
            where=devices.file,
        )


# --- which layer is where ---------------------------------------------------------------------------------------------


def layers_of(mllm: MLLM) -> dict[str, nn.Module]:
    """Return the layers of the language model by their names. Raises ModelError if there are none."""
    from torch import nn

    decoder = mllm.adapter.language_model(mllm.model)
    names = {module: name for name, module in mllm.model.named_modules()}
    lists = [module for module in decoder.children() if isinstance(module, nn.ModuleList)]
    if not lists:
        raise ModelError(
            f"the layers of {type(decoder).__name__} cannot be found, so that they cannot be spread over devices",
            hint="Write a device map, a JSON file of parts and their devices: --device map.json",
        )
    return {names[layer]: layer for layer in max(lists, key=len)}


def spread_layers(mllm: MLLM, names: Sequence[str], quantize: Quantization = "") -> DeviceMap:
    """Return which layers are not on the first device: about as many bytes of weights are on each, in their order."""
    size, layers = _sizes(mllm, quantize), layers_of(mllm)
    found: DeviceMap = {}
    left, place = size(mllm.model), 0
    load = left - sum(map(size, layers.values()))
    for name, layer in layers.items():
        if place + 1 < len(names) and load + size(layer) / 2 > left / (len(names) - place):
            left, load, place = left - load, 0, place + 1
        load += size(layer)
        if place:
            found[name] = names[place]
    return found


def largest_part(mllm: MLLM, count: int, quantize: Quantization = "") -> tuple[int, float]:
    """Return what spreading over so many devices leaves on the fullest: bytes of weights, and the ratio of the layers.

    The ratio is that of the device with the most layers: of what is computed, so much is kept there.
    """
    size, layers = _sizes(mllm, quantize), layers_of(mllm)
    found = spread_layers(mllm, [str(number) for number in range(count)], quantize)
    weights, numbers = [0] * count, [0] * count
    weights[0] = size(mllm.model) - sum(map(size, layers.values()))
    for name, layer in layers.items():
        device = int(found.get(name, 0))
        weights[device] += size(layer)
        numbers[device] += 1
    return max(weights), max(numbers) / len(layers)


def split_at(model: nn.Module, named: DeviceMap) -> DeviceMap:
    """Return a map of parts without a part in another: accelerate moves all that is in a part to the part's device."""
    found: DeviceMap = {}

    def walk(name: str, module: nn.Module, device: str) -> None:
        device, begin = named.get(name, device), f"{name}." if name else ""
        if not any(other.startswith(begin) and other != name for other in named):
            found[name] = device
            return
        own = [*module.named_parameters(recurse=False), *module.named_buffers(recurse=False)]
        found.update({begin + key: device for key, _ in own})
        for key, child in module.named_children():
            walk(begin + key, child, device)

    walk("", model, named[""])
    return found


def _sizes(mllm: MLLM, quantize: Quantization) -> Callable[[nn.Module], int]:
    """Return what gives the bytes of a module's weights."""
    item = mllm.dtype.itemsize
    layers = quantized_layers(mllm).values() if quantize else ()
    quantized = {id(layer.weight) for layer in layers}

    def size(module: nn.Module) -> int:
        each = (WEIGHT_BYTES[quantize] if id(p) in quantized else item for p in module.parameters())
        return int(sum(p.numel() * b for p, b in zip(module.parameters(), each, strict=True)))

    return size


# --- load -------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Loading:
    devices: Devices
    adapter: Adapter
    quantize: Quantization


_loading: ContextVar[_Loading | None] = ContextVar("loading onto several devices", default=None)


@contextmanager
def loading_onto(devices: Devices, adapter: Adapter, quantize: Quantization) -> Iterator[None]:
    """Load checkpoints onto several devices inside the block: what `map_settings` returns then says so."""
    token = _loading.set(_Loading(devices, adapter, quantize) if devices.are_several else None)
    try:
        yield
    finally:
        _loading.reset(token)


def map_settings(shapes_only: Callable[[], Any], processor: Callable[[], Any]) -> dict[str, Any]:
    """Return the keywords with which `from_pretrained` spreads a model; none outside `loading_onto`.

    Args:
        shapes_only: returns the model on the meta device. processor: returns the processor.
    """
    from sea_core.model.mllm import MLLM

    loading = _loading.get()
    if loading is None:
        return {}
    mllm = MLLM(loading.adapter, shapes_only(), processor())
    return {"device_map": loading.devices.map_of(mllm, loading.quantize)}


# --- a loaded model ---------------------------------------------------------------------------------------------------


def device_map_of(model: Any) -> DeviceMap:
    """Return where the parts of a loaded model are, if it was loaded onto several devices; else an empty map."""
    found = {name: str(device) for name, device in (getattr(model, "hf_device_map", None) or {}).items()}
    return found if len(set(found.values())) > 1 else {}


def devices_of(mllm: MLLM) -> list[torch.device]:
    """Return the devices that compute with a model, the projector's first."""
    import torch

    others = [torch.device(name) for name in device_map_of(mllm.model).values() if name not in OFFLOADED]
    return list(dict.fromkeys([mllm.device, *others]))


@contextmanager
def taken_off_devices(model: Any) -> Iterator[None]:
    """Keep a model in the CPU's memory inside the block, and put its parts back at the end."""
    import torch
    from accelerate import dispatch_model
    from accelerate.hooks import remove_hook_from_module
    from torch import nn

    found = device_map_of(model)
    remove_hook_from_module(model, recurse=True)
    del model.hf_device_map
    nn.Module.to(model, "cpu")  # `model.to` now warns
    torch.cuda.empty_cache()
    try:
        yield
    finally:
        dispatch_model(model, found, skip_keys=model._skip_keys_device_placement)
