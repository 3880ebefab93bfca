"""Where the answers of a benchmark run come from: a plugin's model on this machine, or a model on a server."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from sea_bench.case import Case
from sea_bench.run.answering import AnsweringModel
from sea_bench.run.base_model import require_base
from sea_bench.run.config import AnswerConfig
from sea_bench.run.local import LocalAnsweringModel
from sea_bench.run.lora import with_lora
from sea_bench.run.lora_folder import check_lora_folder
from sea_bench.run.preflight import choose_batch_size, preflight, preflight_server
from sea_bench.run.run_folder import BenchRun, Preflight, ServedIdentity
from sea_bench.run.served import ServedAnsweringModel, ServedTarget
from sea_core.errors import SeaError
from sea_core.model.checkpoint import fingerprint
from sea_core.model.proof import check_seam
from sea_core.pipeline.manifests import model_identity, model_location
from sea_core.pipeline.model_target import ModelTarget
from sea_core.pipeline.progress import SILENT, Progress
from sea_core.runs.manifest import ModelLocation

if TYPE_CHECKING:
    from sea_core.model.mllm import MLLM


class AnswerSource(Protocol):
    """A model that can be opened to answer cases."""

    @property
    def target(self) -> ModelTarget | ServedTarget:
        """The model."""

    @property
    def modality(self) -> str:
        """The modality of the cases."""

    def identity(self) -> dict[str, Any]:
        """Return the fields of `BenchIdentity` that this kind of source fills in."""

    def metadata(self) -> dict[str, Any]:
        """Return the fields of `BenchMetadata` that this kind of source fills in."""

    def load_model(self, progress: Progress) -> None:
        """Load the model, if it is one on this machine and not loaded yet."""

    def open(self, run: BenchRun, cases: Sequence[Case], config: AnswerConfig, progress: Progress) -> AnsweringModel:
        """Return the model, after the checks before a run, which are made once for each device or server.

        Raises:
            SeaError: the model cannot be loaded or reached, or ignores its media.
        """


def find_source(
    model: ModelTarget | ServedTarget | str, lora: Path | None = None, load: Callable[[], MLLM] | None = None
) -> AnswerSource:
    """Return the source of answers for a model.

    Args:
        load: returns the loaded model, where several runs share it.

    Raises:
        PluginError, ModelError: the model or the LoRA adapter cannot be used.
        SeaError: a LoRA adapter is given for a model on a server.
    """
    if isinstance(model, ServedTarget):
        if lora:
            hint = "Serve the model with the adapter on it, and give its name there: --served-model NAME"
            raise SeaError("a LoRA adapter cannot be put on a model on a server", hint=hint)
        return ServedSource(model)
    target = ModelTarget.of(model)
    if lora:
        check_lora_folder(lora)
        require_base(lora, target.checkpoint, target.fingerprint())
    return LocalSource(target, lora, load)


@dataclass(frozen=True)
class LocalSource:
    """A plugin's model, with a LoRA adapter or without.

    Attributes:
        load: returns the loaded model; None to load it.
    """

    target: ModelTarget
    lora: Path | None = None
    load: Callable[[], MLLM] | None = None
    _loaded: list[MLLM] = field(default_factory=list, init=False, repr=False, compare=False)

    @property
    def modality(self) -> str:
        return self.target.adapter.modality

    def load_model(self, progress: Progress) -> None:
        if not self._loaded:
            self._loaded.append(self.load() if self.load else load_model(self.target, self.lora, progress))

    def identity(self) -> dict[str, Any]:
        lora = fingerprint(str(self.lora), None) if self.lora else None
        return {"model": model_identity(self.target), "lora": lora}

    def metadata(self) -> dict[str, Any]:
        return {"model": model_location(self.target), "lora": str(self.lora) if self.lora else None}

    def open(self, run: BenchRun, cases: Sequence[Case], config: AnswerConfig, progress: Progress) -> AnsweringModel:
        self.load_model(progress)
        model, device = LocalAnsweringModel(self._loaded[0], config.batch_size), self.target.device_name()
        found = _checked(run, device, cases, lambda: preflight(model, cases, config, device))
        chosen = choose_batch_size(config, found)
        model.batch_size = min(model.batch_size, chosen)
        if chosen < config.batch_size:
            progress.note("each case is answered alone: batching changes answers (-o keep_batches=true allows it)")
        return model


@dataclass(frozen=True)
class ServedSource:
    """A model on a server."""

    target: ServedTarget

    @property
    def modality(self) -> str:
        return self.target.modality

    def identity(self) -> dict[str, Any]:
        return {"served": ServedIdentity(self.target.model, self._reported, self.target.config.identity())}

    def metadata(self) -> dict[str, Any]:
        return {"model": ModelLocation(self.target.model), "server": self.target.address}

    def load_model(self, progress: Progress) -> None:
        """Do nothing: the server has loaded it."""

    @cached_property
    def _reported(self) -> dict[str, Any]:
        return self.target.reported()

    def open(self, run: BenchRun, cases: Sequence[Case], config: AnswerConfig, progress: Progress) -> AnsweringModel:
        model = ServedAnsweringModel(self.target)
        found = _checked(run, self.target.address, cases, lambda: preflight_server(model, cases, config))
        if found.omitted:
            greedy = ": its answers may not be greedy" if "temperature" in found.omitted else ""
            progress.note(f"the server does not take {', '.join(found.omitted)}{greedy}")
        if found.media and not found.media_changed:
            progress.note(
                "it is unknown whether media reach the model: asked twice what a blank medium shows, the server gave "
                "two answers. Make it deterministic, or compare with the answers of --condition blank"
            )
        if found.batched_same < found.batched:
            changed = found.batched - found.batched_same
            progress.note(f"the server gave {changed} of {found.batched} cases another answer when asked again")
        return model


def load_model(target: ModelTarget, lora: Path | None, progress: Progress = SILENT) -> MLLM:
    """Load a model, put a LoRA adapter on it, and run the self-check. What the model cannot do is noted first."""
    target.note_limits(progress)
    mllm = target.load()
    if lora:
        mllm = with_lora(mllm, lora)
    check_seam(mllm)
    return mllm


def _checked(run: BenchRun, device: str, cases: Sequence[Case], check: Callable[[], Preflight]) -> Preflight:
    """Return what the checks before the run have found on this device, or find it now.

    Checks on prompts without media say nothing of cases that have media.
    """
    found = run.manifest.preflight
    if found is None or found.device != device or (not found.media and any(case.media for case in cases)):
        found = check()
        run.set_preflight(found)
    return found
