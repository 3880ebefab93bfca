"""Replay: the model's own forward pass, with E in place of what crosses the seam, and without the encoder.

It carries what `splice` cannot: features for several layers of the decoder, tiles, per-layer inputs, cross attention.
The model receives the ordinary inputs for a blank medium of E's size. The encoder's modules return zeros of the shape
that they gave for that medium; each tensor of E then replaces what crosses.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils import _pytree as pytree

from sea_core.errors import ModelError
from sea_core.model.crossing import Crossing, ReplaySeam
from sea_core.model.module_names import suggest_modules
from sea_core.model.seam import run_until, watched

CallShapes = tuple[torch.Size, ...]
"""The shape of a crossing tensor in each call of its module."""
CallLayout = tuple[CallShapes, ...]
"""The shapes of all tensors of E, by crossing."""


@dataclass
class Recording:
    """What a forward pass did up to the decoder.

    Attributes:
        crossed: what crossed, by crossing and call.
        outputs: what each skipped module returned, by name and call, with zeros in place of floats.
    """

    crossed: list[list[Tensor]]
    outputs: dict[str, list[Any]] = field(default_factory=lambda: defaultdict(list))

    @property
    def layout(self) -> CallLayout:
        return tuple(tuple(value.shape for value in calls) for calls in self.crossed)

    def shapes_only(self) -> Recording:
        """Return the same recording with tensors that take no memory."""
        return Recording([[_form_of(value) for value in calls] for calls in self.crossed], self.outputs)


@dataclass
class Pass:
    """A forward pass that is about to be replayed: what crosses, and what skipped modules return."""

    crossing: Sequence[Sequence[Tensor]]
    outputs: Mapping[str, Sequence[Any]]
    calls: dict[object, int] = field(default_factory=lambda: defaultdict(int))

    def next(self, key: object, values: Sequence[Any]) -> Any:
        """Return the value for this call; None once the pass has had all its calls."""
        self.calls[key] += 1
        return values[self.calls[key] - 1] if self.calls[key] <= len(values) else None


class Replay:
    """Records what crosses the seam in a model's forward pass, and replays that pass with another E.

    Args:
        end: the module at which recording ends.
    """

    def __init__(self, model: nn.Module, seam: ReplaySeam, end: nn.Module) -> None:
        self.model, self.seam, self.end = model, seam, end
        known = dict(model.named_modules())
        for name in (*(crossing.module for crossing in seam.crossings), *seam.skipped):
            if name not in known:
                near = suggest_modules(model, name.rpartition(".")[2])
                raise ModelError(
                    f"the model has no module {name!r}, which the adapter's `replay` names",
                    hint=f"{near} Give the names of `model.named_modules()`.".strip(),
                )
        self.next_pass: Pass | None = None
        self.is_recording = False

    def projectors(self) -> list[nn.Module]:
        """Return the modules that E crosses into, each once."""
        names = dict.fromkeys(c.module for c in self.seam.crossings if c.side == "input")
        return [self.model.get_submodule(name) for name in names]

    def skipped_parameters(self) -> list[nn.Parameter]:
        """Return the parameters of the modules that are not run."""
        return [p for name in self.seam.skipped for p in self.model.get_submodule(name).parameters()]

    def parameters(self) -> list[nn.Parameter]:
        """Return the parameters of the modules that are not run, and of those that E crosses into."""
        return [*self.skipped_parameters(), *(p for module in self.projectors() for p in module.parameters())]

    def record(self, run: Callable[[], Any]) -> Recording:
        """Run a forward pass up to `end`, and return what crossed, with its graph, and what modules returned."""
        recording = Recording([[] for _ in self.seam.crossings])

        def crossed(number: int) -> Callable[[Any], Any]:
            def keep(value: Any) -> None:
                if (tensor := _get(value, self.seam.crossings[number].path)) is not None:
                    recording.crossed[number].append(tensor)

            return keep

        def returned(name: str) -> Callable[[Any], None]:
            return lambda output: recording.outputs[name].append(pytree.tree_map(_zeros, output))

        with ExitStack() as stack:
            for number, crossing in enumerate(self.seam.crossings):
                stack.enter_context(self._watched(crossing, crossed(number)))
            for name in self.seam.skipped:
                stack.enter_context(watched(self.model.get_submodule(name), "output", returned(name)))
            stack.enter_context(self._ordinary_pass())
            run_until(self.end, run)
        if not all(recording.crossed):
            missed = next(c for c, calls in zip(self.seam.crossings, recording.crossed, strict=True) if not calls)
            raise ModelError(
                f"the forward pass never called the module {missed.module}, where the embedding should cross",
                hint="Check the adapter's `replay` and `inputs`: the model may have ignored the media.",
            )
        return recording

    def _watched(self, crossing: Crossing, use: Callable[[Any], Any]) -> AbstractContextManager[None]:
        return watched(self.model.get_submodule(crossing.module), crossing.side, use)

    @contextmanager
    def _ordinary_pass(self) -> Iterator[None]:
        """Replay nothing inside the block: a pass may be recorded while another one is prepared."""
        waiting, self.next_pass, self.is_recording = self.next_pass, None, True
        try:
            yield
        finally:
            self.next_pass, self.is_recording = waiting, False

    @contextmanager
    def crossing(self) -> Iterator[None]:
        """Let the tensors of `next_pass` cross inside the block; a pass that is not set is an ordinary one."""

        def put(number: int) -> Callable[[Any], Any]:
            def replace(value: Any) -> Any:
                path = self.seam.crossings[number].path
                if self.next_pass is None or _get(value, path) is None:
                    return None
                new = self.next_pass.next(number, self.next_pass.crossing[number])
                return None if new is None else _put(value, path, new)

            return replace

        with ExitStack() as stack:
            for number, crossing in enumerate(self.seam.crossings):
                stack.enter_context(self._watched(crossing, put(number)))
            try:
                yield
            finally:
                self.next_pass = None

    @contextmanager
    def skipping(self) -> Iterator[None]:
        """Do not run the encoder's modules inside the block, where a pass is set."""
        with ExitStack() as stack:
            for name in self.seam.skipped:
                stack.enter_context(self._stand_in(name))
            yield

    @contextmanager
    def _stand_in(self, name: str) -> Iterator[None]:
        module = self.model.get_submodule(name)
        forward = module.forward

        def stand_in(*args: Any, **kwargs: Any) -> Any:
            known = self.next_pass and self.next_pass.next(name, self.next_pass.outputs.get(name, ()))
            return forward(*args, **kwargs) if known is None else pytree.tree_map(_copy, known)

        own = module.__dict__.get("forward")
        module.forward = stand_in
        try:
            yield
        finally:
            del module.forward
            if own is not None:
                module.forward = own


def join(crossed: Sequence[Sequence[Tensor]], scales: Sequence[float] = ()) -> Tensor:
    """Return all tensors of one medium's E as one, (n_features, d_encoder).

    Calls of one module are put one below the other. Several modules are put side by side if they are of one length;
    else one below the other, narrower ones filled up with zeros.
    """
    blocks = [
        torch.cat([value.reshape(-1, value.shape[-1]) for value in calls]) / scale
        for calls, scale in zip(crossed, scales or [1.0] * len(crossed), strict=True)
    ]
    if len({len(block) for block in blocks}) == 1:
        return torch.cat(blocks, dim=-1)
    width = max(block.shape[-1] for block in blocks)
    return torch.cat([nn.functional.pad(block, (0, width - block.shape[-1])) for block in blocks])


def part(features: Tensor, layout: CallLayout, scales: Sequence[float] = ()) -> list[list[Tensor]]:
    """Undo `join`: return the tensors of one medium's E, by crossing and call.

    Raises:
        ModelError: E has another shape.
    """
    lengths = [sum(_rows(shape) for shape in calls) for calls in layout]
    widths = [calls[0][-1] for calls in layout]
    beside = len(set(lengths)) == 1
    expected = (lengths[0], sum(widths)) if beside else (sum(lengths), max(widths))
    if tuple(features.shape) != expected:
        raise ModelError(
            f"the embedding has the shape {tuple(features.shape)}, but {expected} crosses the seam",
            hint="Use an embedding (n_features, d_encoder) that was made for this model.",
        )
    if beside:
        blocks = torch.split(features, widths, dim=-1)
    else:
        filled = torch.split(features, lengths)
        blocks = tuple(block[:, :width] for block, width in zip(filled, widths, strict=True))
    factors = scales or [1.0] * len(layout)
    return [_calls(block * scale, calls) for block, calls, scale in zip(blocks, layout, factors, strict=True)]


def _calls(block: Tensor, calls: CallShapes) -> list[Tensor]:
    """Return the vectors of one crossing in the shape of each call."""
    parts = torch.split(block, [_rows(shape) for shape in calls])
    return [rows.reshape(shape).contiguous() for rows, shape in zip(parts, calls, strict=True)]


def _rows(shape: torch.Size) -> int:
    return shape.numel() // shape[-1]


def merge(media: Sequence[Sequence[Sequence[Tensor]]], batch: Recording) -> list[list[Tensor]]:
    """Return the tensors of several media, by crossing and call, as they cross in the batch that was recorded.

    Raises:
        ModelError: the model does not put media of these sizes into a batch.
    """
    merged = []
    for number, recorded in enumerate(batch.crossed):
        calls = [medium[number] for medium in media]
        merged.append(_merge_calls(calls, recorded))
    return merged


def _merge_calls(media: Sequence[Sequence[Tensor]], recorded: Sequence[Tensor]) -> list[Tensor]:
    if sum(map(len, media)) == len(recorded):  # a call for each medium
        candidates = [[value for calls in media for value in calls]]
    else:
        candidates = [_concatenated(media, dim) for dim in (0, 1)]
    for values in candidates:
        if [value.shape for value in values] == [value.shape for value in recorded]:
            return [_formed(value, target) for value, target in zip(values, recorded, strict=True)]
    raise ModelError(
        "this model does not take media of these sizes in one batch",
        hint="Use a batch size of 1, or media of one size.",
    )


def _concatenated(media: Sequence[Sequence[Tensor]], dim: int) -> list[Tensor]:
    """Concatenate the tensors of the same call; an empty list where they do not fit."""
    try:
        return [torch.cat(values, dim) for values in zip(*media, strict=True)]
    except (ValueError, RuntimeError, IndexError):
        return []


def _form_of(value: Tensor) -> Tensor:
    """Return a tensor of the same shape, strides and dtype, without numbers."""
    return torch.empty_strided(value.shape, value.stride(), dtype=value.dtype, device="meta")


def _formed(value: Tensor, form: Tensor) -> Tensor:
    """Return a tensor in the dtype and with the strides of another: kernels, and so their rounding, depend on both."""
    value = value.to(form.dtype)
    reach = 1 + sum((size - 1) * stride for size, stride in zip(form.shape, form.stride(), strict=True))
    if value.stride() == form.stride() or reach < form.numel() or 0 in form.stride():
        return value
    return torch.empty_strided(form.shape, form.stride(), dtype=form.dtype, device=value.device).copy_(value)


def _zeros(value: Any) -> Any:
    """Return zeros of the shape of a float tensor, which take no memory; anything else as it is."""
    return value.new_zeros(()).expand(value.shape) if _is_float(value) else value


def _copy(leaf: Any) -> Any:
    """Return a copy of a tensor: some models write into what their encoder returned."""
    return leaf.clone() if isinstance(leaf, Tensor) else leaf


def _get(value: Any, path: str) -> Tensor | None:
    """Return the tensor at a path; None if there is none: a module may also be called with other arguments."""
    for key, leaf in pytree.tree_flatten_with_path(value)[0]:
        if _is_float(leaf) and path in ("", pytree.keystr(key)):
            return leaf  # type: ignore[no-any-return]
    return None


def _is_float(leaf: Any) -> bool:
    return isinstance(leaf, Tensor) and leaf.is_floating_point()


def _put(value: Any, path: str, new: Tensor) -> Any:
    leaves, spec = pytree.tree_flatten_with_path(value)
    keys = [pytree.keystr(key) for key, _ in leaves]
    index = keys.index(path) if path else next(i for i, (_, leaf) in enumerate(leaves) if _is_float(leaf))
    return pytree.tree_unflatten([new if i == index else leaf for i, (_, leaf) in enumerate(leaves)], spec)
