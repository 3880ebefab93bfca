"""The whole chain of commands on tiny models of many families, with the adapters that `--plugin auto` derives.

For each family: warm, optimize, verify, align with the export checked in a fresh process, and answers to a benchmark.
The models know a few phrases by heart: the numbers say that a family is carried, and nothing about a real model. Needs
sea-toy, and the tests' helpers: PYTHONPATH=tests python benchmarks/chain.py
"""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from pathlib import Path
from tempfile import TemporaryDirectory

from helpers.chain import PHRASES, Chain, run_chain
from helpers.cli import sea
from helpers.families import FAMILIES, write_checkpoint

MODALITIES = ("image", "audio")
FAULTS = (AssertionError, RuntimeError, TypeError, ValueError, LookupError, AttributeError)
COLUMNS = ("family", "modality", "OSR", "steps", "VSR", "export", "answers", "seconds")


def parse_arguments() -> Namespace:
    parser = ArgumentParser(description=__doc__)
    parser.add_argument("families", nargs="*", help="names; default: all that need no further library")
    parser.add_argument("--phrases", type=int, default=PHRASES, help="how many phrases a model is taught")
    return parser.parse_args()


def describe(chain: Chain) -> list[str]:
    seconds = sum(chain.seconds.values())
    figures = [f"{chain.osr:.2f}", f"{chain.steps:.0f}", f"{chain.vsr:.2f}", f"{chain.export:.1g}"]
    return [*figures, str(chain.answered), f"{seconds:.0f}"]


def main() -> None:
    arguments = parse_arguments()
    names = arguments.families or [name for name, family in FAMILIES.items() if not family.needs]
    print(f"| {' | '.join(COLUMNS)} |\n|{'---|' * len(COLUMNS)}", flush=True)
    with TemporaryDirectory() as temporary:
        folder = Path(temporary)
        for modality in MODALITIES:
            sea("bench", "build", modality, "--out", folder / f"bench-{modality}", "--limit", 1)
        for name in names:
            write_checkpoint(name, folder / name / "model")
            for modality in (m for m in FAMILIES[name].media if m in MODALITIES):
                out, benchmark = folder / name / modality, folder / f"bench-{modality}"
                try:
                    cells = describe(
                        run_chain("auto", folder / name / "model", modality, benchmark, out, arguments.phrases)
                    )
                except FAULTS as error:  # the table goes on with the next family
                    cells = [f"{type(error).__name__}: {str(error).strip().splitlines()[-1]}"]
                print(f"| {' | '.join([name, modality, *cells])} |", flush=True)


if __name__ == "__main__":
    main()
