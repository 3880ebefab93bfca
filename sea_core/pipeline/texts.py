"""People's texts of a text safety set, and whether a model's tokenizer can read them as text."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from sea_core.data.examples import Example, PreparedExample
from sea_core.errors import at
from sea_core.extraction.styles import read_styles
from sea_core.model.text_check import NamedText, RefusedText, find_refused
from sea_core.pipeline.model_target import ModelTarget


def check_texts(
    target: ModelTarget, examples: Sequence[Example], path: Path, styles: Path | None = None
) -> tuple[RefusedText, ...]:
    """Return the texts of examples, and of a style set, that the model cannot read as text. No weights are loaded.

    Raises:
        ModelError: the tokenizer cannot be loaded.
        SeaError: the style set cannot be read.
    """
    mllm = replace(target, device="meta", dtype=target.dtype_name()).load()
    return find_refused(mllm, (*_set_texts(examples, path), *_style_texts(target, styles)))


def goal_texts(examples: Sequence[PreparedExample], path: Path) -> Iterator[NamedText]:
    """Yield the goals of prepared examples, with the line of each."""
    for prepared in examples:
        where = at(path, prepared.example.line)
        for goal in prepared.goals:
            yield NamedText(where, "goal", goal.prompt, asked=True)
            yield NamedText(where, "goal", goal.answer)


def _set_texts(examples: Sequence[Example], path: Path) -> Iterator[NamedText]:
    for example in examples:
        where, found = at(path, example.line), example.extraction
        yield NamedText(where, "instruction", example.instruction, asked=True)
        for name in ("response", "chosen", "rejected"):
            if (text := getattr(example, name)) is not None:
                yield NamedText(where, name, text)
        if found:
            yield NamedText(where, "detoxified", found.detoxified, asked=True)
            yield NamedText(where, "phrase", found.phrase)
            yield NamedText(where, "sentence", found.sentence)


def _style_texts(target: ModelTarget, styles: Path | None) -> Iterator[NamedText]:
    for style in read_styles(styles) if styles else target.adapter.styles:
        yield NamedText(str(styles or "the adapter's styles"), "style", style)
