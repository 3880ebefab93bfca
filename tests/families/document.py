"""The page of the reference that says which models of transformers are carried: docs/reference/families.md."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

import transformers

from families.classes import list_classes
from families.matrix import Entry
from families.processors import find_library
from families.shape import SHAPES

MECHANISMS = ("splice", "replay")
COMMAND = "PYTHONPATH=tests python -m families --docs docs/reference/families.md"

PAGE = """# Models of transformers

What `--plugin auto` finds in each multimodal class of transformers {version}. This page is written by
`{command}`.

Each class is built with a tiny config and random weights. SEA derives from two forward passes where E crosses from the
encoder to the projector, and proves it with two made inputs: the embedding's own E changes nothing, another E changes
something, nothing of the medium gets past the seam, the encoder is skipped, a gradient reaches E, and E is not made of
codes. No processor and no trained weights take part. With a checkpoint, `--plugin auto` derives and proves everything
again, with the checkpoint's processor, and refuses what does not hold there.

{proved} of {classes} classes are carried, in {pairs} pairs of a class and a modality:

{counts}

**Shape**: what has to be known to put E in its place; the first that applies.

{shapes}

**Seam**: the module that E crosses into, or whose output E is. **Skips**: the part of the modules before the language
model that do not run when E is given. **Mechanism**: `splice` puts P(E) in place of the placeholders' embeddings, and
needs nothing else; `replay` runs the model's own forward pass with E in it. It is that of the class alone: a processor
that replaces what the chat template writes needs `replay` also where the class could be spliced. Aya Vision's template
writes `<image>`, of which its processor makes `<|IMG_PATCH|>`. `sea modalities --model MODEL` says what a checkpoint
with its processor needs. **Library**: what the processor needs beside SEA's own libraries, as transformers' tables have
it.

## Derived

{derived}

## Not carried

{missing}
"""


def write_page(entries: Sequence[Entry]) -> str:
    """Return the page about all classes."""
    # Some classes have several model types.
    single = {(entry.class_name, entry.modality): entry for entry in reversed(entries)}.values()
    derived = [entry for entry in single if "shape" in entry.outcome.facts]
    missing = [entry for entry in single if "shape" not in entry.outcome.facts]
    proved = [entry for entry in derived if entry.outcome.done]
    return PAGE.format(
        version=transformers.__version__,
        command=COMMAND,
        proved=len({entry.class_name for entry in proved}),
        classes=len(set(list_classes().values())),
        pairs=len(proved),
        counts=_counts(proved),
        shapes="\n".join(f"- {name}: {meaning}" for name, meaning in SHAPES.items()),
        derived=_table(
            ("class", "modality", "shape", "seam", "skips", "mechanism of the class", "proved", "library"),
            map(_derived, derived),
        ),
        missing=_table(("class", "modality", "why"), map(_missing, missing)),
    )


def _counts(proved: Sequence[Entry]) -> str:
    counts = Counter((entry.modality, entry.outcome.facts["mechanism"]) for entry in proved)
    return "\n".join(
        f"- {modality}: {sum(counts[modality, m] for m in MECHANISMS)} pairs, "
        + ", ".join(f"{counts[modality, m]} by {m}" for m in MECHANISMS)
        for modality in ("image", "video", "audio")
    )


def _derived(entry: Entry) -> Sequence[str]:
    facts, outcome = entry.outcome.facts, entry.outcome
    return (
        entry.class_name,
        entry.modality,
        facts["shape"],
        _seam(facts),
        f"{facts['skipped_part']:.0%}",
        facts["mechanism"],
        "yes" if outcome.done else outcome.reason,
        find_library(entry.model_type, entry.modality),
    )


def _seam(facts: dict[str, Any]) -> str:
    places = Counter(facts["seam"])
    return ", ".join(_place(*place.rsplit(":", 1), count) for place, count in places.items())


def _place(module: str, side: str, count: int) -> str:
    more = [["output"] if side == "output" else [], [f"{count} tensors"] if count > 1 else []]
    notes = ", ".join(note for notes in more for note in notes)
    return f"`{module}`" + (f" ({notes})" if notes else "")


def _missing(entry: Entry) -> Sequence[str]:
    return entry.class_name, entry.modality, entry.outcome.reason


def _table(head: Sequence[str], lines: Iterable[Sequence[str]]) -> str:
    cells = [head, ["---"] * len(head), *sorted(lines)]
    return "\n".join(f"| {' | '.join(_escape(cell) for cell in line)} |" for line in cells)


def _escape(cell: str) -> str:
    return cell.replace("|", "\\|")
