"""The settings of an alignment, and the named mixtures of training examples."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal, TypeAlias

from annotated_types import Ge, Gt, Le, Lt

from sea_core.config import Config, override, reject_unknown, setting_names, validate
from sea_core.errors import SeaError, suggest
from sea_core.model.quantization import Quantization
from sea_core.registry import Registry
from sea_core.runs.paired import MIN_CHANGED

Method: TypeAlias = Literal["dpo", "sft"]
Answers: TypeAlias = Literal["direct", "read-first"]
Weight: TypeAlias = Annotated[float, Ge(0)]
KINDS = ("synthetic", "real", "text", "retention", "pairs")
"""The kinds of training examples (see `mixture`), each with its weight in `AlignConfig`."""


@dataclass(frozen=True)
class AlignConfig(Config):
    """Settings of the alignment. Those of TRL's trainer are `trainer.KEY`, those of PEFT's LoRA `lora.KEY`."""

    synthetic: Weight = 2.0
    """Training examples for each synthetic embedding: a question about it, and the example's answer."""
    real: Weight = 1.0
    """Training examples for each medium that `sea encode` stored."""
    text: Weight = 1.5
    """Training examples in plain text for each embedding. Without embeddings, and with `text_examples=benign`, for each
    text example."""
    retention: Weight = 2.0
    """Questions about the content and the style of each synthetic embedding. Without them a model that learns to refuse
    forgets what it sees."""
    pairs: Weight = 0.0
    """Minimal pairs: training examples for each harmful embedding that started at a benign medium (`benign-start`): its
    question about that medium, untouched, with the medium's response. The runs must include that of `sea encode` on the
    same media."""
    text_examples: Literal["all", "benign"] = "all"
    """Which examples are trained on as plain text."""
    prompts: Literal["all", "prefixed", "bare"] = "all"
    """How questions about a synthetic embedding are worded: the paper's prefixed question, the bare one, or both and
    other wordings. A model learns to refuse only the wordings it was trained on."""
    answers: Answers = "direct"
    """What answers a question about a synthetic embedding in training. `direct`: the example's answer (the paper's
    way). `read-first`: a sentence that says what the medium shows, and then the example's answer."""
    read_first_ratio: Annotated[float, Gt(0), Le(1)] = 1.0
    """`answers=read-first`: ratio of the questions about a synthetic embedding that are answered so; the others are
    answered directly."""
    given_ratio: Annotated[float, Ge(0), Lt(1)] = 0.5
    """`answers=read-first`: ratio of the read-first examples in which the description is given with the prompt, and the
    embedding is that of another phrase. There the decision alone is learnt, from the words. They are added to the
    others."""
    benign_ratio: Annotated[float, Ge(0), Le(1)] | Literal["given"] = "given"
    """Ratio of benign examples; the more numerous class is subsampled to reach it. `given`: use all examples."""
    steps: Annotated[int, Gt(0)] = 320
    """Minimum number of updates, however small the set: too few give a small loss and a model that has not learnt."""
    epochs: Annotated[float, Ge(0)] = 1.0
    """Minimum number of passes over the training examples."""
    stop_loss: Annotated[float, Ge(0)] = 0.001
    """Stop early when the mean loss since the last log is below this. 0: never."""
    sft_weight: Weight = 1.0
    """DPO: weight of the chosen answer's negative log-likelihood, added to the preference loss, which alone may lower
    the likelihood of both answers."""
    train_projector: bool = False
    """Train the projector too."""
    held_out: Annotated[int, Ge(0)] = 16
    """Examples held out of training for the spot check: a tenth of all, or of small sets up to a quarter, until 6
    harmful and 6 benign ones are held out; at most this many."""
    seed: int = 0
    """Seed for the sampling and order of training examples, and for the initial LoRA weights."""

    @property
    def trains_on_embeddings(self) -> bool:
        """Whether any kind of training examples but plain text is wanted."""
        return any(getattr(self, kind) for kind in KINDS if kind != "text")


MIN_HELD_OUT = MIN_CHANGED
"""Of harmful and of benign examples: a change of fewer cannot be distinguished from chance (see `outcome`)."""
ONE_HELD_OUT_IN = 4
"""Of few examples one in so many is held out."""
NEEDED = ONE_HELD_OUT_IN * MIN_HELD_OUT
"""How many harmful, and how many benign, examples it takes to hold MIN_HELD_OUT out."""


@dataclass(frozen=True)
class MixturePreset:
    """A named set of alignment settings.

    Attributes:
        name: what `--mixture` takes.
        settings: the fields of `AlignConfig` that differ from their defaults.
    """

    name: str
    settings: Mapping[str, Any]

    def config(self) -> AlignConfig:
        """Return the mixture's settings as a config."""
        return AlignConfig(**self.settings)


PAPER_SETTINGS: Mapping[str, Any] = {
    "synthetic": 1.0,
    "real": 0.0,
    "text": 1.0,
    "text_examples": "benign",
    "retention": 0.0,
    "prompts": "prefixed",
    "benign_ratio": 1 / 3,
    "sft_weight": 0.0,
    "steps": 1,
    "epochs": 3.0,
    "stop_loss": 0.0,
}
MIXTURES: Registry[MixturePreset] = Registry(
    "mixture", (MixturePreset("default", {}), MixturePreset("paper", PAPER_SETTINGS))
)
"""`paper`: the paper's question with each embedding, and benign examples as text so that they are one in three."""


def parse_weights(data: str, config: AlignConfig) -> dict[str, float]:
    """Read the weights of `--data text` or `--data synthetic=2,text=1`; kinds that are not named get 0.

    Args:
        config: has the weights of kinds that are named without a number.

    Raises:
        SeaError: an unknown kind, or a weight that is not a number.
    """
    weights = dict.fromkeys(KINDS, 0.0)
    for part in data.split(","):
        kind, equals, number = (piece.strip() for piece in part.partition("="))
        if kind not in KINDS:
            raise SeaError(f"there is no kind of training examples {kind!r}", hint=suggest(kind, KINDS))
        try:
            weights[kind] = float(number) if equals else getattr(config, kind) or 1.0
        except ValueError as error:
            raise SeaError(f"--data {part} has no number", hint="Type: --data synthetic=2,text=1.5") from error
    return weights


@dataclass(frozen=True)
class AlignRequest:
    """How a model is aligned.

    Attributes:
        method: `dpo` or `sft`.
        config: SEA's settings.
        trainer: keywords of TRL's SFTConfig or DPOConfig, passed on unchanged.
        lora: keywords of PEFT's LoraConfig, passed on unchanged.
        full_finetune: train all weights of the language model, without LoRA.
    """

    method: Method = "dpo"
    config: AlignConfig = field(default_factory=AlignConfig)
    trainer: Mapping[str, Any] = field(default_factory=dict)
    lora: Mapping[str, Any] = field(default_factory=dict)
    full_finetune: bool = False

    def __post_init__(self) -> None:
        validate(self, example="--{name} {value}")
        if self.method == "dpo" and self.config.answers == "read-first" and not self.config.sft_weight:
            raise SeaError(
                "with answers=read-first, DPO learns the description by its SFT term, which has the weight 0",
                hint="Type -o sft_weight=1, or --answers direct.",
            )
        if self.full_finetune and self.lora:
            raise SeaError(
                "training all weights uses no LoRA, but lora settings are given",
                hint="Leave out --full-finetune, or the settings -o lora.KEY=VALUE.",
            )

    def require_trainable(self, quantization: Quantization) -> None:
        """Raise SeaError if weights in this quantisation cannot be trained so."""
        if quantization and self.full_finetune:
            raise SeaError(
                "quantised weights cannot be trained",
                hint="Leave out --full-finetune, or train whole weights: --quantize none",
            )


PASSED_ON = ("trainer", "lora")
"""The prefixes of settings that TRL and PEFT take."""


def make_request(
    method: str,
    shared: Mapping[str, Any],
    own: Mapping[str, Any],
    *,
    mixture: str = "default",
    data: str | None = None,
    full_finetune: bool = False,
    origins: Mapping[str, str] | None = None,
) -> AlignRequest:
    """Return how a model is aligned. What comes later overrides: the mixture, `shared`, the kinds of `data`, `own`.

    Args:
        shared: settings of several alignments, with dotted names: of a file, or of a study.
        own: settings of this alignment.
        mixture: the name of a mixture.
        data: the kinds that are trained on, as `parse_weights` reads them; None for those of the settings.
        origins: the file that a setting was read from, for errors.

    Raises:
        SeaError: a setting, the mixture or a kind is unknown, or a value is not allowed.
    """
    config, passed_on = override(MIXTURES.get(mixture).config(), shared, origins=origins)
    if data is not None:
        config, _ = override(config, parse_weights(data, config))
    config, more = override(config, own)
    passed_on |= more
    groups = {group: _of_group(passed_on, group) for group in PASSED_ON}
    unknown = [name for name in passed_on if name.partition(".")[0] not in PASSED_ON or "." not in name]
    reject_unknown(unknown, [*setting_names(config), *(f"{group}.KEY" for group in PASSED_ON)], origins=origins)
    return AlignRequest(method, config, groups["trainer"], groups["lora"], full_finetune)  # type: ignore[arg-type]


def _of_group(settings: Mapping[str, Any], group: str) -> dict[str, Any]:
    """Return the settings of a group, without its prefix."""
    prefix = f"{group}."
    return nested({name.removeprefix(prefix): value for name, value in settings.items() if name.startswith(prefix)})


def nested(flat: Mapping[str, Any]) -> dict[str, Any]:
    """Return settings with dotted names as groups of settings, which TRL and PEFT take in some places."""
    nested: dict[str, Any] = {}
    for key, value in flat.items():
        name, dot, inner = key.partition(".")
        if dot:
            nested.setdefault(name, {})[inner] = value
        else:
            nested[name] = value
    return nested
