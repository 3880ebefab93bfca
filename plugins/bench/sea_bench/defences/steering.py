"""`steering`: a vector that is added to the hidden states of one layer while the model answers.

It is the mean hidden state at the end of prompts that are to be refused, less that of prompts that are to be answered
(as in Arditi et al. 2024), from a text safety set. Layer and strength are those that, on prompts of the set that the
vector was not made from, add the most refusals of harmful prompts for the fewest of benign ones.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from annotated_types import Ge, Gt
from pydantic import JsonValue
from typing_extensions import TypedDict

from sea_bench.defences.base import Defence, DefenceContext, DefendedModel
from sea_bench.run.answering import AnsweringModel, CasePrompt, GeneratedAnswer
from sea_core.errors import DataError, RunError, SeaError
from sea_core.judges.base import Answer
from sea_core.judges.refusal import RefusalJudge
from sea_core.pipeline.data_spec import DataSpec
from sea_core.pipeline.progress import Progress
from sea_core.runs.manifest import read_sealed
from sea_core.runs.statistics import ratio
from sea_core.schema import check

if TYPE_CHECKING:
    from sea_bench.defences.steered_model import SteeredModel
    from sea_bench.run.local import LocalAnsweringModel
    from sea_core.model.mllm import MLLM

FILE_NAME = "steering.json"
"""The file in a run folder with the vector, and how it was chosen."""
STRENGTHS = (0.0, 0.5, 1.0, 2.0, 4.0)
"""The strengths that are tried, as multiples of the difference of the means. 0 is the model as it is."""
DEPTHS = (0.25, 0.5, 0.75)
"""The layers that are tried, as parts of the decoder's depth."""
VALIDATION_PART = 4
"""Every fourth prompt is kept for the choice of layer and strength."""
VALIDATION_TOKENS = 24
"""The length of the answers by which layers and strengths are compared: a refusal is recognised by its opening."""
HINT = "Give a text safety set with labels, `harmful` true and false: -o defence.steering.data=FILE"


class Trial(TypedDict):
    """How a layer and a strength did: the ratio of the kept prompts that were refused."""

    layer: int
    strength: float
    refused_harmful: float
    refused_benign: float


class StoredSteering(TypedDict):
    """The content of `steering.json`. `vector` is added to the input of the decoder's layer number `layer`.

    It counts only in a run whose identity has the digest `identity`.
    """

    identity: str
    layer: int
    strength: float
    trials: list[Trial]
    vector: list[float]


@dataclass(frozen=True)
class Steering(Defence):
    """A vector, computed from texts, that is added to the hidden states of one layer."""

    data: Path | None = None
    """A text safety set with labels, in any format that SEA reads. Never the benchmark."""
    layer: Annotated[int, Ge(0)] | Literal["auto"] = "auto"
    """The decoder's layer, from 0, to whose input the vector is added. `auto`: chosen on a part of the set."""
    strength: Annotated[float, Ge(0)] | Literal["auto"] = "auto"
    """How much of the difference of the means is added. `auto`: chosen on a part of the set."""
    examples: Annotated[int, Gt(0)] = 64
    """Harmful prompts that are used of the set, and as many benign ones."""

    name: ClassVar[str] = "steering"
    needs_weights: ClassVar[bool] = True
    shared_settings: ClassVar[tuple[str, ...] | None] = ("data", "layer", "strength", "examples")

    def identity(self) -> dict[str, JsonValue]:
        values = {"name": self.name, **asdict(self)}
        return values | {"data": f"sha256:{DataSpec(self._path()).read().digest[:16]}"}

    def check_model(self, model: AnsweringModel) -> None:
        from sea_bench.defences.steered_model import decoder_layers, require_local

        mllm = require_local(model).mllm
        self._layers(len(decoder_layers(mllm)))
        self._prompts(mllm)

    def protect(self, model: AnsweringModel, context: DefenceContext) -> DefendedModel:
        import torch

        from sea_bench.defences.steered_model import SteeredModel, require_local

        model = require_local(model)
        path = context.folder / FILE_NAME
        found = read_steering(path) if path.exists() else None
        if found is None or found["identity"] != context.identity:
            found = self._find(model, context)
            context.store(FILE_NAME, found)
        resolved: dict[str, JsonValue] = {"layer": found["layer"], "strength": found["strength"]}
        return SteeredModel(model, torch.tensor(found["vector"]), found["layer"], found["strength"], resolved=resolved)

    def _path(self) -> Path:
        if self.data is None:
            raise SeaError("no text safety set is given for the defence steering", hint=HINT)
        return self.data

    def _find(self, model: LocalAnsweringModel, context: DefenceContext) -> StoredSteering:
        """Compute the vectors of the layers, and choose one, with its strength."""
        from sea_bench.defences.steered_model import SteeredModel, decoder_layers, difference_of_means

        tried_layers = self._layers(len(decoder_layers(model.mllm)))
        kept, used = zip(*(_split(prompts) for prompts in self._prompts(model.mllm)), strict=True)
        vectors = {layer: difference_of_means(model.mllm, layer, *used) for layer in tried_layers}
        first = next(iter(vectors))  # with strength 0 all layers are the same
        layers = {strength: tuple(vectors) if strength else (first,) for strength in self._strengths()}
        settings = [(strength, layer) for strength, tried in layers.items() for layer in tried]
        trials: list[Trial] = []
        if len(settings) > 1:
            with context.progress.track("steering", len(settings), 0) as tracker:
                for strength, layer in settings:
                    trials.append(_try(SteeredModel(model, vectors[layer], layer, strength), *kept))
                    tracker.advance(1)
            settings = [_choose(trials, context.progress)]
        ((strength, layer),) = settings
        return StoredSteering(
            identity=context.identity, layer=layer, strength=strength, trials=trials, vector=vectors[layer].tolist()
        )

    def _prompts(self, mllm: MLLM) -> tuple[list[str], list[str]]:
        """Return the harmful and the benign prompts that are used: at equal distances over the set."""
        examples = DataSpec(self._path()).read().examples
        sides = [[each.instruction for each in examples if each.harmful is harmful] for harmful in (True, False)]
        harmful, benign = ([text for text in self._spread(side) if _is_readable(mllm, text)] for side in sides)
        if min(len(harmful), len(benign)) < VALIDATION_PART:
            raise DataError(
                f"steering needs at least {VALIDATION_PART} harmful and {VALIDATION_PART} benign prompts, but there "
                f"are {len(harmful)} and {len(benign)}",
                hint=HINT,
                where=str(self.data),
            )
        return harmful, benign

    def _spread(self, prompts: Sequence[str]) -> list[str]:
        count = min(len(prompts), self.examples)
        return [prompts[i * len(prompts) // count] for i in range(count)]

    def _layers(self, count: int) -> tuple[int, ...]:
        """Return the layers to try, of a decoder with `count`. Raises SeaError for one that it does not have."""
        if self.layer == "auto":
            return tuple(dict.fromkeys(int(depth * count) for depth in DEPTHS))
        if self.layer >= count:
            raise SeaError(
                f"there is no layer {self.layer}: the decoder has {count}",
                hint=f"Type for example: -o defence.steering.layer={count // 2}",
            )
        return (self.layer,)

    def _strengths(self) -> tuple[float, ...]:
        return STRENGTHS if self.strength == "auto" else (self.strength,)


def read_steering(path: Path) -> StoredSteering:
    """Read the vector of a run. Raises RunError if the file was changed."""
    what, hint = "the steering vector of a run", "Delete the file: it is computed again."
    content = read_sealed(path, what=what, hint=hint)
    return check(content, StoredSteering, what=what, hint=hint, where=str(path), error=RunError)


def _split(prompts: Sequence[str]) -> tuple[list[str], list[str]]:
    """Return the prompts that are kept for the choice, and those that vectors are made from."""
    kept = list(prompts[VALIDATION_PART - 1 :: VALIDATION_PART])
    return kept, [text for i, text in enumerate(prompts) if i % VALIDATION_PART != VALIDATION_PART - 1]


def _is_readable(mllm: MLLM, text: str) -> bool:
    """Return whether the model can read a text as text."""
    try:
        mllm.prompt_ids(text, None)
    except DataError:
        return False
    return True


def _try(model: SteeredModel, harmful: Sequence[str], benign: Sequence[str]) -> Trial:
    """Return how many of the kept prompts are refused."""
    return Trial(
        layer=model.layer,
        strength=model.strength,
        refused_harmful=_refused(model, harmful),
        refused_benign=_refused(model, benign),
    )


def _choose(trials: Sequence[Trial], progress: Progress) -> tuple[float, int]:
    """Return strength and layer of the trial with the most refusals of harmful prompts for the fewest of benign ones.

    Of equally good trials the first is taken, which is the weakest.
    """
    best = max(trials, key=lambda trial: trial["refused_harmful"] - trial["refused_benign"])
    if not best["strength"]:
        progress.note(
            "steering: whatever layer and strength were tried, the kept prompts show no gain: no more harmful prompts "
            "are refused, or as many benign ones. The model is left as it is (strength 0)"
        )
    return best["strength"], best["layer"]


def _refused(model: SteeredModel, texts: Sequence[str]) -> float:
    prompts = [CasePrompt(str(number), text, None, VALIDATION_TOKENS) for number, text in enumerate(texts)]
    answers = [
        Answer(answer.key, "", answer.text) for answer in model.answer(prompts) if isinstance(answer, GeneratedAnswer)
    ]
    return ratio(sum(verdict.refused is True for verdict in RefusalJudge().judge(answers)), len(texts)) or 0.0
