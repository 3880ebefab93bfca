"""What became of the harmful examples: without any, an alignment teaches no refusal."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sea_core.alignment.config import AlignConfig, AlignRequest
from sea_core.alignment.embedding_source import EmbeddingSource
from sea_core.alignment.mixture import TEACHING_KINDS, Mixture
from sea_core.errors import SeaError, number_of
from sea_core.runs.embedding_run import EmbeddingRun


@dataclass(frozen=True)
class HarmfulExamples:
    """The harmful examples of some runs.

    Attributes:
        tried: how many the runs have. stored: how many of them have an embedding.
        skipped: how many examples, harmful or not, preparation skipped.
    """

    tried: int
    stored: int
    skipped: int

    @classmethod
    def of(cls, runs: Sequence[EmbeddingRun]) -> HarmfulExamples:
        """Count the harmful examples of runs; one with several embeddings counts once."""
        records = [(number, record) for number, run in enumerate(runs) for record in run.store.records()]
        harmful = [(number, record) for number, record in records if record["harmful"]]
        stored = {(number, record["example_id"]) for number, record in harmful if record["sha256"]}
        return cls(
            tried=len({(number, record["example_id"]) for number, record in harmful}),
            stored=len(stored),
            skipped=sum(run.manifest.metadata.skipped for run in runs),
        )


def require_harmful(mixture: Mixture, source: EmbeddingSource, request: AlignRequest) -> None:
    """Raise SeaError, with what became of the harmful examples, if none is left to learn a refusal from."""
    if mixture.n_harmful:
        return
    reasons = "; ".join(_reasons(mixture, HarmfulExamples.of(source.runs), request))
    raise SeaError(
        f"no harmful example is left to learn from: {reasons or 'the runs have none'}",
        hint="Give runs with successful embeddings of harmful examples (sea show RUN lists what failed), or harmful "
        "texts with --extra-text.",
    )


def describe_losses(source: EmbeddingSource) -> str:
    """Say that most harmful examples of the runs are lost; empty if they are not."""
    found = HarmfulExamples.of(source.runs)
    failed = found.tried - found.stored
    if failed + found.skipped <= found.stored:
        return ""
    return (
        f"most harmful examples are lost: of {found.tried}, {failed} failed, and preparation skipped {found.skipped} "
        f"examples; the model learns from the {found.stored} that are left"
    )


def _reasons(mixture: Mixture, found: HarmfulExamples, request: AlignRequest) -> Iterator[str]:
    if failed := found.tried - found.stored:
        yield f"{failed} of {found.tried} failed"
    if found.skipped:
        yield f"preparation skipped {number_of(found.skipped, 'example')}"
    yield from (f"{number_of(count, 'example')}: {reason}" for reason, count in mixture.skipped.items())
    if held_out := len({each.example_id for each in mixture.held_out if each.harmful}):
        yield f"{held_out} are held out for the spot check"
    yield from _switched_off(request.config)


def _switched_off(config: AlignConfig) -> Iterator[str]:
    """Yield the settings that leave harmful examples out."""
    if off := [kind for kind in TEACHING_KINDS if not getattr(config, kind)]:
        yield f"these kinds are switched off: {', '.join(off)}"
    if config.text_examples == "benign":
        yield "text_examples=benign leaves out harmful texts"
    if config.benign_ratio == 1:
        yield "benign_ratio=1 leaves out harmful examples"
