"""`sea prepare` from Python: which examples can be used, and why others are skipped."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from sea_core.data.writers import require_json_name
from sea_core.errors import SeaError
from sea_core.extraction.prepare import Preparation
from sea_core.extraction.prepare import prepare as prepare_examples
from sea_core.llm.config import LLMConfig
from sea_core.pipeline.data_spec import DataSpec, require_prepared
from sea_core.pipeline.extraction import ExtractorSession
from sea_core.pipeline.model_target import ModelTarget
from sea_core.pipeline.progress import SILENT, Progress

if TYPE_CHECKING:
    from sea_core.data.result import ReadResult


@dataclass(frozen=True)
class PreparedSet:
    """A prepared text safety set: what was read, what became of it, and the extractor with its costs."""

    read: ReadResult
    preparation: Preparation
    session: ExtractorSession


def prepare(
    data: DataSpec | Path | str | None,
    model: ModelTarget | str,
    *,
    extractor: str = "rules",
    llm: LLMConfig | None = None,
    seed: int = 0,
    out: Path | str | None = None,
    progress: Progress = SILENT,
) -> PreparedSet:
    """Find the phrases of a text safety set, and write the goals of each example. No multimodal model is loaded.

    Args:
        data: the text safety set, of which `limit` counts the examples looked at; None for the demo examples.
        model: a plugin's name, or a target: its adapter words the goals.
        extractor: which extractor finds the phrases. llm: how it asks a language model.
        seed: draws the styles.
        out: a JSONL file to write every example with its outcome to; you can edit it and pass it to `optimize`.

    Raises:
        DataError: the set cannot be read.
        SeaError: no example can be used, or `out` is the file that is read or has a name of another type.
    """
    spec, adapter, path = DataSpec.of(data), ModelTarget.of(model).adapter, Path(out) if out else None
    if path:
        require_json_name(path)
    session = ExtractorSession.open(extractor, llm or LLMConfig(), path, progress, adapter.language)
    if path and spec.file.exists() and path.resolve() == spec.file.resolve():
        raise SeaError(f"--out {path} is the input file", hint="Give another name: the input would be overwritten.")
    read = spec.read(progress)
    read = replace(read, examples=read.examples[: spec.limit])
    preparation = prepare_examples(
        read.examples, adapter, seed=seed, extractor=session.extractor, styles=spec.style_set()
    )
    if path and (backup := preparation.write(path)):
        progress.note(f"{path} had other contents; they are kept as {backup}")
    require_prepared(preparation, read, spec.file, session.extractor)
    return PreparedSet(read, preparation, session)
