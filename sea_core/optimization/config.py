"""The settings of an optimisation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal, TypeAlias

from annotated_types import Ge, Gt, Le, Lt

from sea_core.config import Config

Auto: TypeAlias = Literal["auto"]


@dataclass(frozen=True)
class OptimizeConfig(Config):
    """Settings of the optimisation of synthetic embeddings."""

    lr: Annotated[float, Gt(0), Le(100)] | Auto = 0.1
    """Adam's step size, as a multiple of the blank embedding's root mean square. `auto`: the best of a small grid."""
    steps: Annotated[int, Gt(0)] = 300
    """Maximum number of updates for one example. An example that has not succeeded by then has failed."""
    loss: Annotated[float, Gt(0)] = 0.01
    """An example succeeds only if the mean loss is below this: the first exact answer is too early to generalise."""
    margin: Annotated[float, Ge(0)] | Auto = "auto"
    """An example succeeds only if the logit of each target token exceeds all others by this much. `auto`: more than
    rounding on this model and device can undo, and at least 0.5."""
    batch_size: Annotated[int, Gt(0)] | Auto = "auto"
    """Examples optimised at a time. On a CPU no result depends on it. `auto`: as many as fit into
    memory and keep the device busy."""
    workers: Annotated[int, Ge(0)] | Auto = 1
    """Processes that work on the run. `auto`: one for each GPU; on a CPU one. `0`: only prepare the run, for workers
    that join it (`sea worker`)."""
    packed: bool = True
    """Compute the media once for all goals of an example, where the model family allows it."""
    compile: bool | Auto = "auto"
    """Compile the decoder's layers with torch.compile: one graph for the whole run. `auto`: on a GPU, where it saves
    more seconds than it takes."""
    start: Literal["blank", "solved"] = "blank"
    """What E starts at: the embedding of the blank, as in the paper (`blank`), or the mean of the run's first plain
    embeddings, which start at the blank themselves (`solved`): fewer steps, but on audio less carries over."""
    beta1: Annotated[float, Ge(0), Lt(1)] = 0.9
    """Adam's decay rate of the mean of the gradient."""
    beta2: Annotated[float, Ge(0), Lt(1)] = 0.999
    """Adam's decay rate of the mean of the squared gradient."""
    seed: int = 0
    """Seed for the style of each example (together with its id), and for the recipes that draw random numbers."""
    draws: Annotated[int, Gt(0)] = 1
    """Embeddings for each example and recipe, each in another style."""
    benign_examples: Literal["embed", "text"] = "embed"
    """Benign examples get an embedding of their own activity (`embed`), or stay plain text as in the paper (`text`)."""
