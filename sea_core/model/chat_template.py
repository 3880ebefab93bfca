"""A chat template is a program of the checkpoint: transformers runs it in a sandbox, and what it raises gets words."""

from __future__ import annotations

import traceback
from collections.abc import Iterator
from contextlib import contextmanager

from sea_core.errors import ModelError, one_line

OWN_FRAME = "<template>"
"""The file that Python names for a line of a compiled template."""


@contextmanager
def template_errors(checkpoint: str) -> Iterator[None]:
    """Raise ModelError for whatever the chat template of a checkpoint raises inside the block."""
    from jinja2 import TemplateError

    try:
        yield
    except (
        TemplateError,
        ArithmeticError,
        LookupError,
        AttributeError,
        RecursionError,
        TypeError,
        ValueError,
    ) as error:
        frames = traceback.extract_tb(error.__traceback__)
        if not isinstance(error, TemplateError) and all(frame.filename != OWN_FRAME for frame in frames):
            raise
        raise ModelError(
            f"the chat template of {checkpoint} fails: {type(error).__name__}: {one_line(error)}",
            hint="Download the checkpoint again, from a source that you trust, or replace its chat_template.jinja.",
        ) from error
