"""Minimal pairs: a harmful example's question with the medium that its embedding was edited from, before the edit.

The question is the same and so is most of the medium; what the edit put there is the only reason to refuse.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from sea_core.alignment.config import AlignConfig, Method
from sea_core.alignment.dataset import TrainingExample
from sea_core.alignment.embedding_source import StoredEmbedding
from sea_core.alignment.questions import own_questions, stored_responses
from sea_core.errors import SeaError
from sea_core.model.adapter import Adapter

ROUNDING = (
    "An embedding must be the same to the last bit: encode the media on the same kind of device, with the --dtype of "
    "sea optimize, and with --batch-size 1, the default."
)


def pair_examples(
    adapter: Adapter, trained: Sequence[StoredEmbedding], method: Method, config: AlignConfig
) -> list[TrainingExample]:
    """Return `config.pairs` training examples for each harmful embedding whose benign medium is among `trained`.

    The medium answers with its own response. The questions are drawn as those of the embedding itself.

    Raises:
        SeaError: pairs are wanted, and there is none.
    """
    made = [example for example in _pairs(adapter, trained, method, config) if config.pairs]
    if config.pairs and not made:
        raise SeaError(
            "there are no pairs: no harmful embedding started at a benign medium of these runs",
            hint="Make the embeddings with sea optimize --recipe benign-start --benign-media FOLDER, and add the run "
            f"of sea encode FOLDER, with the same model; or type -o pairs=0. {ROUNDING}",
        )
    return made


def describe_missing_media(stored: Sequence[StoredEmbedding], trained: Sequence[StoredEmbedding]) -> str:
    """Return a warning if the medium of some harmful embeddings that are trained on is not stored; otherwise "".

    Args:
        stored: the embeddings of all runs: media that are held out have no pairs either, as they should.
    """
    media = {each.record["sha256"] for each in stored if each.is_real and not each.harmful}
    starts = [each.record["start"] for each in trained if each.harmful and each.record["start"]]
    lacking = sum(start not in media for start in starts)
    if not lacking:
        return ""
    return (
        f"{lacking} of {len(starts)} harmful embeddings that started at a benign medium have no pair: no run has the "
        f"embedding of that medium. {ROUNDING}"
    )


def _pairs(
    adapter: Adapter, trained: Sequence[StoredEmbedding], method: Method, config: AlignConfig
) -> Iterator[TrainingExample]:
    media = {each.record["sha256"]: each for each in trained if each.is_real and not each.harmful}
    for embedding in trained:
        medium = media.get(embedding.record["start"])
        responses = stored_responses(medium, method) if medium else None
        if medium and responses and embedding.harmful:
            drawn = own_questions(adapter, embedding, responses, config, config.pairs)
            yield from (TrainingExample.about("pairs", question, medium) for question in drawn)
