"""The examples of safety replay: which, in which order, and how many in a step."""

from __future__ import annotations

import random
from collections.abc import Sequence
from fractions import Fraction
from math import floor

from sea_core.alignment.config import AlignConfig
from sea_core.alignment.dataset import TrainingExample
from sea_core.alignment.embedding_source import EmbeddingSource
from sea_core.alignment.mixture import mix
from sea_core.errors import SeaError
from sea_core.model.adapter import Adapter

REPLAY_CONFIG = AlignConfig(text=0, retention=0)
"""The mixture of safety replay: questions about synthetic embeddings, with the responses of their examples."""


class ReplayedExamples:
    """Harmful examples with refusals and benign ones with help, in turn, without end.

    Each side is shuffled anew for each pass over it, by the seed. A step's examples depend on its number only.
    """

    def __init__(self, examples: Sequence[TrainingExample], seed: int) -> None:
        sides = [[e for e in examples if e.harmful is harmful] for harmful in (True, False)]
        self.sides, self.seed = [side for side in sides if side], seed

    @classmethod
    def draw(cls, adapter: Adapter, source: EmbeddingSource, config: AlignConfig) -> ReplayedExamples:
        """Draw the examples of some runs, without those that are held out.

        Raises:
            SeaError: no harmful example has a response.
        """
        examples = mix(adapter, source, (), "sft", config).examples
        if not any(example.harmful for example in examples):
            raise SeaError(
                "the runs have no harmful example with a response to replay: nothing would keep the model refusing",
                hint="Give the run that the model was aligned on.",
            )
        return cls(examples, config.seed)

    @property
    def has_benign(self) -> bool:
        return any(not example.harmful for side in self.sides for example in side)

    def take(self, first: int, last: int) -> list[TrainingExample]:
        """Return the examples from number `first` to before `last`."""
        return [self._get(number) for number in range(first, last)]

    def _get(self, number: int) -> TrainingExample:
        place, index = divmod(number, len(self.sides))
        side = self.sides[index]
        passed, place = divmod(place, len(side))
        order = random.Random(f"{self.seed}:replay:{index}:{passed}").sample(range(len(side)), len(side))
        return side[order[place]]


def replayed_before(step: int, share: float, batch: int) -> int:
    """Return how many examples have been replayed before a step: `share` for each of the `batch` of each step.

    A share that is less than one example a step gives one in some steps, at equal distances.
    """
    return floor(step * batch * Fraction(str(share)))
