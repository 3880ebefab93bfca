"""What an alignment is told: its numbers, and the mixtures that have a name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from sea_core.config import reject_unknown
from sea_core.errors import SeaError

Method = Literal["dpo", "sft"]
KINDS = ("synthetic", "real", "text", "retention")
"""What a training example can be about (see `mixture`)."""


@dataclass(frozen=True)
class AlignConfig:
    """Every number of an alignment that is ours. TRL's are `-o trainer.KEY=V`, PEFT's `-o lora.KEY=V`."""

    synthetic: float = 2.0
    """Examples for each synthetic embedding: the row's question about it, and the row's answer."""
    real: float = 1.0
    """Examples for each medium that `sea encode` stored."""
    text: float = 1.5
    """Examples in plain text for each embedding (for each text row, where nothing else is trained on)."""
    retention: float = 2.0
    """Questions about the content and the style of each synthetic embedding: without them a model that learns to refuse
    forgets what it sees."""
    text_rows: Literal["all", "benign"] = "all"
    """Which rows are trained on as plain text."""
    prompts: Literal["all", "prefixed", "bare"] = "all"
    """How a synthetic embedding is asked about: the paper's prefixed question, the bare one, or both and other
    wordings. A model learns to refuse the shapes that it was shown."""
    benign: float | Literal["given"] = field(default="given", metadata={"kind": float, "words": ("given",)})
    """The share of benign rows, to which the more numerous rows are thinned; `given`: as they come."""
    steps: int = 320
    """Updates at least, however small the set: too few leave a small loss and a model that has not learnt."""
    epochs: float = 1.0
    """Passes over the examples at least."""
    stop_loss: float = 0.001
    """Stop early when the mean loss since the last log is below this; 0: never."""
    sft_weight: float = 1.0
    """DPO: weight of the chosen answer's likelihood beside the preference, which alone may push both answers down."""
    train_projector: bool = False
    """Train the projector too."""
    held_out: int = 16
    """Examples kept out of training for the spot check; at most a tenth of all."""
    seed: int = 0
    """Draws the examples, their order, and the weights of the adapter."""

    def __post_init__(self) -> None:
        for name in (*KINDS, "sft_weight", "stop_loss", "epochs", "held_out"):
            self._require(name, getattr(self, name) >= 0, "not be negative")
        self._require("steps", self.steps > 0, "be above zero")
        self._require("benign", self.benign == "given" or 0 <= self.benign <= 1, "be a share, from 0 to 1")
        self._require("text_rows", self.text_rows in ("all", "benign"), "be all or benign")
        self._require("prompts", self.prompts in ("all", "prefixed", "bare"), "be all, prefixed or bare")

    def _require(self, name: str, good: bool, what: str) -> None:
        if not good:
            default = getattr(type(self), name)
            raise SeaError(
                f"{name} is {getattr(self, name)}, but it must {what}", hint=f"Type for example: -o {name}={default}"
            )


MIXTURES: Mapping[str, Mapping[str, Any]] = {
    "default": {},
    "paper": {
        "synthetic": 1.0,
        "real": 0.0,
        "text": 1.0,
        "text_rows": "benign",
        "retention": 0.0,
        "prompts": "prefixed",
        "benign": 1 / 3,
        "sft_weight": 0.0,
        "steps": 1,
        "epochs": 3.0,
        "stop_loss": 0.0,
    },
}
"""Mixtures by name. `paper`: the paper's question with each embedding, benign rows as text, one in three; no more."""


def find_mixture(name: str) -> Mapping[str, Any]:
    """Return the settings of a mixture. Raises SeaError for an unknown name."""
    if name not in MIXTURES:
        reject_unknown({name: None}, list(MIXTURES))
    return MIXTURES[name]


def parse_weights(data: str, config: AlignConfig) -> dict[str, float]:
    """Read `--data text` or `--data synthetic=2,text=1`: what is not named is left out.

    Raises:
        SeaError: an unknown kind, or a weight that is no number.
    """
    given: dict[str, float] = {}
    for part in data.split(","):
        kind, equals, number = (piece.strip() for piece in part.partition("="))
        if kind not in KINDS:
            reject_unknown({kind: None}, KINDS)
        try:
            given[kind] = float(number) if equals else getattr(config, kind) or 1.0
        except ValueError as error:
            raise SeaError(f"--data {part} has no number", hint="Type: --data synthetic=2,text=1.5") from error
    return {kind: given.get(kind, 0.0) for kind in KINDS}


@dataclass(frozen=True)
class AlignRequest:
    """What one alignment is told.

    Attributes:
        method: `dpo` or `sft`.
        config: our numbers.
        trainer: keywords of TRL's SFTConfig or DPOConfig, passed on unread.
        lora: keywords of PEFT's LoraConfig, passed on unread.
        full: train all weights of the language model, without an adapter.
    """

    method: Method = "dpo"
    config: AlignConfig = AlignConfig()
    trainer: Mapping[str, Any] = field(default_factory=dict)
    lora: Mapping[str, Any] = field(default_factory=dict)
    full_finetune: bool = False

    def __post_init__(self) -> None:
        if self.method not in ("dpo", "sft"):
            raise SeaError(f"there is no method {self.method!r}", hint="Type --method dpo, or --method sft")
        if self.full_finetune and self.lora:
            raise SeaError("--full trains without an adapter, so lora settings mean nothing", hint="Leave one out.")
