"""Go over all multimodal classes of transformers: `python -m families`, with tests/ as a Python path."""

from __future__ import annotations

import argparse
import json
import os
import warnings
from fnmatch import fnmatchcase
from importlib.util import find_spec
from pathlib import Path

from families.child import SECONDS

LIBRARIES = ("scipy", "timm", "torchvision")
"""What a few classes need, beside the project's own libraries."""


def main() -> None:
    """Write a line of JSON for each class and modality, and print them with a summary."""
    parser = argparse.ArgumentParser(prog="families", description=__doc__)
    parser.add_argument("--only", default="*", help="patterns of model types, separated by ;")
    parser.add_argument("--out", type=Path, default=Path("families.jsonl"), help="default: %(default)s")
    parser.add_argument("--seconds", type=float, default=SECONDS, help="for each pair (default: %(default)s)")
    parser.add_argument("--docs", type=Path, help="the page to write about all classes")
    options = parser.parse_args()
    missing = [name for name in LIBRARIES if find_spec(name) is None]
    if options.docs and options.only != "*":
        parser.error("--docs is about all classes, so --only cannot be given with it")
    if options.docs and missing:
        parser.error(f"--docs is about all classes, and a few of them need: pip install {' '.join(missing)}")
    warnings.filterwarnings("ignore")
    # One thread, and by the environment: a pool of threads does not survive a fork.
    os.environ |= {"OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1", "TRANSFORMERS_VERBOSITY": "error"}
    _go_over(options)


def _go_over(options: argparse.Namespace) -> None:
    from families.libraries import declare_torchvision

    declare_torchvision()

    from families.classes import list_classes
    from families.derivation import prove
    from families.document import write_page
    from families.matrix import examine

    chosen = [t for t in list_classes() if any(fnmatchcase(t, pattern) for pattern in options.only.split(";"))]
    entries = []
    with options.out.open("w", encoding="utf-8") as file:
        for entry in (entry for model_type in chosen for entry in examine(model_type, prove, options.seconds)):
            print(json.dumps(entry.to_json()), file=file, flush=True)
            outcome = entry.outcome
            print(f"{entry.model_type:24} {entry.modality:6} {outcome.done!s:6} {outcome.reason[:300]}", flush=True)
            entries.append(entry)
    done = [entry for entry in entries if entry.outcome.done]
    classes = {entry.class_name for entry in done}
    print(f"{len(classes)} of {len(chosen)} classes, {len(done)} pairs")
    if options.docs:
        options.docs.write_text(write_page(entries), encoding="utf-8")


if __name__ == "__main__":
    main()
