"""Find where E crosses in any model: from two forward passes that differ in their medium only, by value.

No part is found by its name. What differs between the passes is the medium; the decoder is the first module that is
given the sequence; the projectors are the modules whose outputs the decoder is given; E is what they are given.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Literal

import torch
from torch import Tensor, nn

from sea_auto.decoder import Decoder, Inputs, Sink, find_decoder
from sea_auto.trace import Call, Tensors, trace
from sea_core.errors import ModelError
from sea_core.model.crossing import Crossing, ReplaySeam
from sea_core.model.proof import MIN_SKIPPED
from sea_core.model.replay import Pass, Replay
from sea_core.model.seam import run_until

MAX_TRIALS = 150
"""Modules that are tried as the seam where none is found by value."""


@dataclass(frozen=True)
class Derivation:
    """The parts of a model, by the names of modules; an empty name is the model itself.

    Attributes:
        backbone: runs the encoder, merges, and runs the language model.
        decoder: the language model's decoder.
        end: the first module that is given the merged sequence, where the part before the language model ends.
        seam: where E crosses.
        found: how the seam was found: `value` or `search`.
        skipped_part: the part of the modules before the language model that the seam skips.
    """

    backbone: str
    decoder: str
    end: str
    seam: ReplaySeam
    found: Literal["value", "search"]
    skipped_part: float


class NotDerived(ModelError):
    """No seam was found in a model."""


@torch.no_grad()
def derive(model: Any, first: Inputs, second: Inputs, *placeholder_ids: int) -> Derivation:
    """Find the parts of a model.

    Args:
        first, second: ordinary inputs of one prompt each, which differ in the content of their medium only.
        placeholder_ids: the tokens that stand for the medium in the prompt.

    Raises:
        NotDerived: no seam was found that the medium cannot get past.
    """
    decoder = find_decoder(model, first, second, placeholder_ids)
    search = SeamSearch(model, first, second, decoder)
    found: Literal["value", "search"] = "value"
    seam = search.by_value()
    if seam is None:
        seam, found = search.by_trial(), "search"
    if seam is None:
        raise NotDerived(
            "no place in this model holds all that the language model learns of the medium",
            hint="Write a plugin: docs/how-to/port-a-family.md shows what each kind of model needs.",
        )
    backbone = find_backbone(model, decoder, seam)
    return Derivation(backbone, decoder.name, decoder.end, seam, found, search.skipped_part(seam))


def combine(found: Sequence[Derivation]) -> Derivation:
    """Return the parts of a model for media of several modalities, each of which was found with the others blank."""
    first = found[0]
    crossings = tuple(crossing for each in found for crossing in each.seam.crossings)
    skipped = tuple(dict.fromkeys(name for each in found for name in each.seam.skipped))
    part = min(each.skipped_part for each in found)
    return replace(first, seam=ReplaySeam(crossings, skipped), skipped_part=part)


class SeamSearch:
    """Searches the seam in the part before the decoder."""

    def __init__(self, model: Any, first: Inputs, second: Inputs, decoder: Decoder) -> None:
        self.model, self.first, self.second, self.decoder = model, first, second, decoder

    @cached_property
    def passes(self) -> tuple[list[Call], list[Call]]:
        """The calls before the decoder, in both forward passes."""
        return self._trace(self.first), self._trace(self.second)

    def _trace(self, inputs: Inputs, context: Callable[[], AbstractContextManager[None]] = nullcontext) -> list[Call]:
        """Trace a forward pass. What is changed in `context` is changed after it is traced."""
        end = self.model.get_submodule(self.decoder.end)

        def run() -> None:
            with context():
                run_until(end, lambda: self.model(**inputs, use_cache=False))

        return [call for call in trace(self.model, run) if call.end]

    @cached_property
    def twins(self) -> dict[tuple[str, int], Call]:
        return {(call.name, call.number): call for call in self.passes[1]}

    @cached_property
    def expected(self) -> Tensor:
        """The first pass's logits."""
        return logits(self.model, self.first)

    def by_value(self) -> ReplaySeam | None:
        """Find the modules whose outputs the decoder is given."""
        producers = [(sink, names) for sink in self.decoder.sinks for names in self._producers(sink)]
        found = None
        # The outermost module may be the whole encoder: then one inside it is the projector.
        for depth in range(max((len(names) for _, names in producers), default=0)):
            places = [(names[min(depth, len(names) - 1)], side(sink)) for sink, names in producers]
            seam = self._if_complete(dict.fromkeys(places))
            if seam and self.skipped_part(seam) >= MIN_SKIPPED:
                return seam
            found = found or seam
        return found

    def by_trial(self) -> ReplaySeam | None:
        """Find the latest single module that everything of the medium passes through."""
        calls = sorted(self.passes[0], key=lambda call: -call.end)
        names = dict.fromkeys(call.name for call in calls if call.name and not self._is_raw(call))
        trials: list[tuple[str, Literal["input", "output"]]] = [
            (name, side) for name in names for side in ("input", "output")
        ]
        trials = trials[:MAX_TRIALS] + [(call.name, "output") for call in calls if call.name and self._is_raw(call)]
        return next((seam for trial in trials if (seam := self._if_complete([trial]))), None)

    def skipped_part(self, seam: ReplaySeam) -> float:
        """Return the part of the modules before the language model that a seam skips.

        Of the innermost ones: how many there are says how deep a seam lies, in a tiny model as in a large one.
        """
        table = self.model.get_input_embeddings()
        names = [n for n in {call.name for call in self.passes[0]} if self.model.get_submodule(n) is not table]
        innermost = [n for n in names if not any(other.startswith(f"{n}.") for other in names)]
        skipped = [n for n in innermost if any(f"{n}.".startswith(f"{outer}.") for outer in seam.skipped)]
        return len(skipped) / max(1, len(innermost))

    def _producers(self, sink: Sink) -> list[list[str]]:
        """Return the modules whose outputs make up a sink, each with those inside it that return the same vectors.

        Media of several modalities come from a module each.
        """
        left, found = set(row_keys(sink.rows)), list[list[str]]()
        returned = self._returned(sink.rows.shape[-1])
        while left:
            best = max(returned, key=lambda name: len(left & returned[name]), default="")
            if not best or not left & returned[best]:
                return []
            found.append(_nested([name for name, rows in returned.items() if left & returned[best] <= rows]))
            left -= returned[best]
        return found

    def _returned(self, width: int) -> dict[str, set[bytes]]:
        """Return the vectors of a width that each module returns; modules that are given the medium itself are out."""
        returned, raw = defaultdict[str, set[bytes]](set), {""}
        for call in self.passes[0]:
            for tensor in call.outputs.values():
                if tensor.ndim and tensor.numel() and tensor.shape[-1] == width:
                    returned[call.name].update(row_keys(tensor))
            if self._is_raw(call):
                raw.add(call.name)
        return {name: rows for name, rows in returned.items() if name not in raw}

    def _is_raw(self, call: Call) -> bool:
        """Return whether a module is given the medium itself."""
        media = [x for x in self.first.values() if isinstance(x, Tensor) and x.is_floating_point()]
        return any(
            x.numel() == raw.numel() and torch.equal(x.flatten(), raw.flatten().to(x))
            for x in call.inputs.values()
            for raw in media
        )

    def _if_complete(self, places: Iterable[tuple[str, Literal["input", "output"]]]) -> ReplaySeam | None:
        """Return the seam at some places if nothing of the medium gets past it."""
        crossings = tuple(self._crossings(places))
        if not self._is_complete(crossings):
            return None
        for crossing in crossings:  # what a module is given or returns may not all be used
            fewer = tuple(c for c in crossings if c != crossing)
            if self._is_complete(fewer):
                crossings = fewer
        return ReplaySeam(crossings, tuple(self._skipped(self._trace(self.second, self._swap(crossings)))))

    def _is_complete(self, crossings: tuple[Crossing, ...]) -> bool:
        """Return whether the second pass gives the first one's logits with its E: the leak test."""
        if not crossings:
            return False
        try:
            with self._swap(crossings)():
                return torch.equal(logits(self.model, self.second), self.expected)
        except (RuntimeError, ValueError, IndexError, TypeError, ModelError):
            return False  # this place does not take another pass's tensors

    def _swap(self, crossings: tuple[Crossing, ...]) -> Callable[[], AbstractContextManager[None]]:
        """Return the context in which the first pass's E crosses in another pass."""
        replay = Replay(self.model, ReplaySeam(crossings, ()), self.model.get_submodule(self.decoder.end))
        recording = replay.record(lambda: self.model(**self.first, use_cache=False))

        @contextmanager
        def swapped() -> Iterator[None]:
            with replay.crossing():
                replay.next_pass = Pass(recording.crossed, {})
                yield

        return swapped

    def _crossings(self, places: Iterable[tuple[str, Literal["input", "output"]]]) -> Iterator[Crossing]:
        """Yield the tensors at some places that depend on the medium."""
        for name, side in places:
            paths = dict[str, None]()
            for call in self.passes[0]:
                twin = self.twins.get((call.name, call.number))
                if call.name == name and twin:
                    paths |= dict.fromkeys(
                        varying(*((c.inputs if side == "input" else c.outputs) for c in (call, twin)))
                    )
            yield from (Crossing(name, side, path) for path in paths)

    def _skipped(self, swapped: Iterable[Call]) -> Iterable[str]:
        """Return the outermost modules before the seam: with another pass's E, they still return what they did.

        Args:
            swapped: the calls of the second forward pass with the first one's E.
        """
        before, after = set[str](), set[str]()
        for call, other in zip(self.passes[0], swapped, strict=False):
            twin = self.twins.get((call.name, call.number))
            if twin and (changed := varying(call.outputs, twin.outputs)):
                (before if changed == varying(call.outputs, other.outputs) else after).add(call.name)
        kept = {n for n in before - after if not any(late.startswith(f"{n}.") for late in after)}
        end, names = 0, dict[str, None]()
        for call in self.passes[0]:
            if call.name in kept and call.begin > end:
                end = call.end
                names[call.name] = None
        return names


def _nested(names: Sequence[str]) -> list[str]:
    """Return the last of the outermost modules, then those inside it."""
    outermost = [name for name in names if not any(name.startswith(f"{other}.") for other in names)][-1]
    inside = [name for name in names if f"{name}.".startswith(f"{outermost}.")]
    return sorted(inside, key=lambda name: name.count("."))


def side(sink: Sink) -> Literal["input", "output"]:
    """Return on which side of a sink's producer E is: without a projector, it is what the encoder returns."""
    return "input" if sink.is_projected else "output"


def find_backbone(model: Any, decoder: Decoder, seam: ReplaySeam) -> str:
    """Return the name of the model's base model if it runs all parts, else that of the model itself."""
    base = next((name for name, module in model.named_modules() if module is model.base_model), "")
    parts = (decoder.name, *(crossing.module for crossing in seam.crossings))
    return base if base and all(part == base or part.startswith(f"{base}.") for part in parts) else ""


def varying(first: Tensors, second: Tensors) -> list[str]:
    """Return the paths of the tensors that differ between two calls, but not in shape."""
    same_shape = (path for path, tensor in first.items() if path in second and tensor.shape == second[path].shape)
    return [path for path in same_shape if not torch.equal(first[path], second[path])]


def row_keys(tensor: Tensor) -> list[bytes]:
    """Return the bytes of each vector of a tensor."""
    rows = tensor.detach().reshape(-1, tensor.shape[-1]).contiguous().cpu().view(torch.uint8).numpy()
    return [row.tobytes() for row in rows]


def logits(model: nn.Module, inputs: Inputs) -> Tensor:
    """Return the logits of a forward pass, (length, vocabulary)."""
    found: Tensor = model(**inputs, use_cache=False).logits[0]
    return found
