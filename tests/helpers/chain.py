"""The whole chain of commands on a tiny model: warm, optimise, verify, align, answer a benchmark."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from helpers.cli import sea

PHRASES = 4
FEW_STEPS = ("-o", "trainer.max_steps=4", "-o", "lora.r=4", "-o", "trainer.gradient_accumulation_steps=4")
FEW_CASES = ("--limit", 1, "-o", "max_new_tokens=8")


@dataclass
class Chain:
    """What each command gave.

    Attributes:
        wrong: lessons that the warmed model does not answer. osr, steps: of the optimisation, the median.
        vsr: of the verification. export: the largest difference of the exported models' logits.
        answered: cases of the benchmark.
        seconds: of each command.
    """

    wrong: int = -1
    osr: float = 0
    steps: float = 0
    vsr: float = 0
    export: float = float("nan")
    answered: int = 0
    seconds: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def timed(self, command: str) -> Iterator[None]:
        begin = time.monotonic()
        yield
        self.seconds[command] = round(time.monotonic() - begin, 1)


def run_chain(plugin: str, model: Path, modality: str, benchmark: Path, folder: Path, phrases: int = PHRASES) -> Chain:
    """Run the commands on a model with random weights. Raises AssertionError if one of them ends with an error."""
    chain, warmed, run, aligned = Chain(), folder / "warmed", folder / "run", folder / "aligned"
    target = ("--plugin", plugin, "--modality", modality, "--dtype", "float32")
    with chain.timed("warm"):
        command = ("plugins", "warm", *target[:4], "--model", model, "--out", warmed, "--phrases", phrases)
        chain.wrong = len(_result(*command)["wrong"])
    with chain.timed("optimize"):
        command = ("optimize", *target, "--model", warmed, "--limit", phrases, "--out", run)
        found = _result(*command, "--no-verify")
        chain.osr, chain.steps = found["osr"], found["steps_median"]
    with chain.timed("verify"):
        chain.vsr = _result("verify", run)["vsr"]
    with chain.timed("align"):
        found = _result("align", run, "--method", "sft", "--out", aligned, *FEW_STEPS)
        chain.export = max(errors["max_error"] for errors in found["export"]["exports"].values())
    with chain.timed("bench run"):
        command = ("bench", "run", benchmark, *target, "--model", warmed, "--lora", aligned / "adapter")
        chain.answered = _result(*command, "--out", folder / "answers", *FEW_CASES)["answered"]
    return chain


def _result(*command: object) -> Any:
    done = sea(*command, "--json")
    assert done.code in (0, 1), done.err[done.err.rfind("error: ") :]
    return json.loads(done.out)
