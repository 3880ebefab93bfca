"""Go over all multimodal classes, and write what came out: `python -m families`, with tests/ as a Python path."""

from __future__ import annotations

import argparse
import json
import os
import time
import warnings
from collections.abc import Iterator
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

os.environ |= {"HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1", "TRANSFORMERS_VERBOSITY": "error"}

from families.build import NotBuilt, build
from families.child import SECONDS, Stopped, run_in_child
from families.classes import list_classes
from families.outcome import Outcome, Prove
from families.pairs import NoPair, Pair, find_pair, list_modalities


def main() -> None:
    """Write a line of JSON for each class and modality, and print a summary."""
    parser = argparse.ArgumentParser(prog="families", description=__doc__)
    parser.add_argument("--only", default="*", help="patterns of model types, separated by ;")
    parser.add_argument("--out", type=Path, default=Path("families.jsonl"), help="default: %(default)s")
    parser.add_argument("--seconds", type=float, default=SECONDS, help="per pair (default: %(default)s)")
    options = parser.parse_args()
    warnings.filterwarnings("ignore")
    chosen = [t for t in list_classes() if any(fnmatchcase(t, p) for p in options.only.split(";"))]
    done: list[dict[str, Any]] = []
    with options.out.open("w", encoding="utf-8") as file:
        for model_type in chosen:
            for entry in examine(model_type, run_only, options.seconds):
                file.write(json.dumps(entry) + "\n")
                file.flush()
                print(f"{model_type:24} {entry['modality']:6} {entry['done']!s:6} {entry['reason'][:400]}", flush=True)
                done += [entry] if entry["done"] else []
    print(f"{len({entry['model_type'] for entry in done})} of {len(chosen)} classes, {len(done)} pairs")


def run_only(pair: Pair) -> Outcome:
    """Ask nothing more of a pair than that it runs."""
    shapes = {n: list(v.shape) for n, v in pair.a.items() if hasattr(v, "shape")}
    return Outcome(True, facts={"inputs": shapes, "token_id": pair.token_id})


def examine(model_type: str, prove: Prove, seconds: float = SECONDS) -> Iterator[dict[str, Any]]:
    """Yield what came out for each modality of a model type, each in a child process."""
    base = {"model_type": model_type, "class_name": list_classes()[model_type]}
    try:
        modalities = next(run_in_child(_list_modalities, model_type, seconds=seconds))
    except (Stopped, StopIteration) as why:
        yield {**base, "modality": "", "done": False, "reason": str(why), "facts": {}, "seconds": 0.0}
        return
    if isinstance(modalities, str):
        yield {**base, "modality": "", "done": False, "reason": modalities, "facts": {}, "seconds": 0.0}
        return
    for modality in modalities:
        start = time.perf_counter()
        try:
            entry = vars(next(run_in_child(_examine, model_type, modality, prove, seconds=seconds)))
        except (Stopped, StopIteration) as why:
            entry = vars(Outcome(False, str(why)))
        yield {**base, "modality": modality, **entry, "seconds": round(time.perf_counter() - start, 1)}


def _list_modalities(model_type: str) -> Iterator[list[str] | str]:
    """Yield the modalities, or the reason why there are none."""
    try:
        yield list_modalities(build(model_type)[0]) or "its forward takes no media"
    except NotBuilt as why:
        yield f"not built: {why}"


def _examine(model_type: str, modality: str, prove: Prove) -> Iterator[Outcome]:
    try:
        yield prove(find_pair(model_type, modality))
    except NotBuilt as why:
        yield Outcome(False, f"not built: {why}")
    except NoPair as why:
        yield Outcome(False, f"no inputs: {why}")


if __name__ == "__main__":
    main()
