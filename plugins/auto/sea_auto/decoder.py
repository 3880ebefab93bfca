"""Find the decoder: the first module that is given the sequence, whose text is embedded and whose medium is merged."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from sea_auto.trace import tensors
from sea_core.errors import ModelError

Inputs = Mapping[str, Any]

TOLERANCE = 1e-3
"""Of the embeddings of text in a sequence, which some models scale, relative to the largest number."""
LAYER_LISTS = ("layers", "h", "blocks")


@dataclass(frozen=True, eq=False)
class Sink:
    """A tensor that the decoder is given and that depends on the medium.

    Attributes:
        rows: its vectors that do, (n, width).
        is_projected: whether they have the language model's width; else no projector comes before.
    """

    rows: Tensor
    is_projected: bool


@dataclass(frozen=True, eq=False)
class Decoder:
    """The decoder.

    Attributes:
        name: the module with the layers. end: the first module that is given the merged sequence.
        sinks: what of its inputs depends on the medium.
    """

    name: str
    end: str
    sinks: tuple[Sink, ...]


@dataclass(frozen=True, eq=False)
class _Candidate:
    name: str
    path: str
    inputs: Mapping[str, Tensor]


def find_decoder(
    model: Any, first: Mapping[str, Any], second: Mapping[str, Any], placeholder_ids: Sequence[int]
) -> Decoder:
    """Find the decoder from ordinary inputs that differ in their medium only.

    Raises:
        ModelError: no module is given the sequence.
    """
    candidates, others = (_sequence_calls(model, inputs, placeholder_ids) for inputs in (first, second))
    pairs = [(a, b) for a, b in zip(candidates, others, strict=False) if (a.name, a.path) == (b.name, b.path)]
    merged = next(((a, b) for a, b in pairs if not torch.equal(a.inputs[a.path], b.inputs[b.path])), None)
    # With cross attention, the sequence itself does not depend on the medium.
    given = merged or next(((a, b) for a, b in pairs if _differing(a, b)), None)
    if given is None:
        raise ModelError(
            "the sequence that this model's language model is given does not depend on the medium",
            hint="Is it a model that answers questions about media? Write a plugin: sea plugin new NAME",
        )
    end, twin = given
    table = model.get_input_embeddings()
    width = table(torch.zeros(1, dtype=torch.long, device=first["input_ids"].device)).shape[-1]
    sinks = tuple(_sink(end.inputs[path], twin.inputs[path], width) for path in _differing(end, twin))
    return Decoder(_with_layers(model, end, [a for a, _ in pairs]), end.name, sinks)


def _differing(a: _Candidate, b: _Candidate) -> list[str]:
    shared = [p for p, x in a.inputs.items() if p in b.inputs and x.shape == b.inputs[p].shape]
    return [path for path in shared if not torch.equal(a.inputs[path], b.inputs[path])]


def _sink(value: Tensor, other: Tensor, width: int) -> Sink:
    rows, differs = value.reshape(-1, value.shape[-1]), (value != other).any(-1).flatten()
    return Sink(rows[differs], value.shape[-1] == width)


def _with_layers(model: nn.Module, end: _Candidate, candidates: list[_Candidate]) -> str:
    """Return the module that has the list of layers of which the first is given the sequence."""
    for candidate in candidates:
        if any(isinstance(getattr(model.get_submodule(candidate.name), n, None), nn.ModuleList) for n in LAYER_LISTS):
            return candidate.name
        *outer, layers, _ = ["", *candidate.name.split(".")]
        if layers and isinstance(model.get_submodule(".".join([*outer, layers]).lstrip(".")), nn.ModuleList):
            return ".".join(outer).lstrip(".")
    return end.name


def _sequence_calls(model: Any, inputs: Inputs, placeholder_ids: Sequence[int]) -> list[_Candidate]:
    """Return the calls that are given the sequence, with its text embedded, up to the first layer's."""
    ids = inputs["input_ids"]
    is_medium = torch.isin(ids, torch.tensor(list(placeholder_ids), device=ids.device))
    is_text = ~is_medium[0]
    with torch.no_grad():
        text = model.get_input_embeddings()(ids.masked_fill(is_medium, 0))[0][is_text]
    found: list[_Candidate] = []

    def hook(name: str) -> Any:
        def before(_module: nn.Module, args: Any, kwargs: Any) -> None:
            given = tensors((args, kwargs))
            for path, tensor in given.items():
                if tensor.ndim == 3 and tensor.shape[:2] == ids.shape and _is_scaled(tensor[0][is_text], text):
                    copies = {p: x.detach().clone() for p, x in given.items()}
                    found.append(_Candidate(name, path, copies))
                    return

        return before

    handles = [m.register_forward_pre_hook(hook(n), with_kwargs=True) for n, m in model.named_modules() if n]
    try:
        with torch.no_grad():
            model(**inputs, use_cache=False)
    finally:
        for handle in handles:
            handle.remove()
    return found


def _is_scaled(rows: Tensor, text: Tensor) -> bool:
    """Return whether vectors are the text's embeddings, up to one factor: some models scale them."""
    if rows.shape != text.shape or not len(text):
        return False
    rows, text = rows.float(), text.float()
    factor = rows.norm() / text.norm().clamp_min(1e-9)
    return bool((rows - factor * text).abs().max() <= TOLERANCE * factor * text.abs().max()) and bool(factor > 0)
