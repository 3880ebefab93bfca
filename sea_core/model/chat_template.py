"""A chat template is a program of the checkpoint: transformers runs it in a sandbox, and what it raises gets words.

A checkpoint without one, as of a base model, is given one by the user.
"""

from __future__ import annotations

import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sea_core.errors import ModelError, at, one_line
from sea_core.schema import read_bytes

if TYPE_CHECKING:
    from sea_core.model.mllm import MLLM

FILE_NAME = "chat_template.jinja"
"""The file of a checkpoint in which transformers looks for its chat template."""
OWN_FRAME = "<template>"
"""The file that Python names for a line of a compiled template."""
DAMAGED_HINT = "Download the checkpoint again, from a source that you trust, or replace its chat_template.jinja."
MISSING_HINT = f"Write one in Jinja, or take that of the instruction-tuned model, and type: --chat-template {FILE_NAME}"
EXAMPLE_HINT = "A chat template puts messages between a model's own marks; compare that of a similar model."
PROBE = "What is shown here?"


def write_template(folder: Path, text: str) -> None:
    """Write the chat template of the checkpoint in a folder."""
    (folder / "chat_template.json").unlink(missing_ok=True)  # the older form, which would come first
    (folder / FILE_NAME).write_text(text, encoding="utf-8")


@contextmanager
def template_errors(checkpoint: str, hint: str = DAMAGED_HINT, missing_hint: str = MISSING_HINT) -> Iterator[None]:
    """Raise ModelError for whatever the chat template of a checkpoint raises inside the block, or where it has none.

    Args:
        hint: what to do about a template that fails. missing_hint: about a checkpoint without one.
    """
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
        is_own = isinstance(error, TemplateError) or any(frame.filename == OWN_FRAME for frame in frames)
        if not is_own and _is_missing(error):
            raise ModelError(f"{checkpoint} has no chat template", hint=missing_hint) from error
        if not is_own:
            raise
        raise ModelError(
            f"the chat template of {checkpoint} fails: {type(error).__name__}: {one_line(error)}", hint=hint
        ) from error


def _is_missing(error: Exception) -> bool:
    """Return whether transformers says that there is no chat template: of a processor, or of a tokenizer."""
    text = str(error)
    return "does not have a chat template" in text or "chat_template is not set" in text


@dataclass(frozen=True)
class ChatTemplate:
    """A chat template that takes the place of a checkpoint's own.

    Attributes:
        text: the template, in Jinja.
        source: where it is from, for messages: a file, or a run that stores it.
    """

    text: str
    source: str

    @classmethod
    def read(cls, path: Path) -> ChatTemplate:
        """Read a file.

        Raises:
            ModelError: it cannot be read, or is not Jinja.
        """
        from jinja2 import TemplateSyntaxError
        from transformers.utils.chat_template_utils import render_jinja_template

        try:
            text = read_bytes(path).decode()
            render_jinja_template([], chat_template=text)  # no chat: it is compiled only
        except OSError as error:
            raise ModelError(
                f"the chat template cannot be read: {error.strerror}",
                hint="Give a Jinja file to --chat-template.",
                where=str(path),
            ) from error
        except UnicodeDecodeError as error:
            raise ModelError("this is not a text in UTF-8", hint=EXAMPLE_HINT, where=str(path)) from error
        except TemplateSyntaxError as error:
            raise ModelError(
                f"this is not Jinja: {one_line(error)}", hint=EXAMPLE_HINT, where=at(path, error.lineno)
            ) from error
        return cls(text, str(path))

    def require_fit(self, mllm: MLLM) -> None:
        """Check that the prompts of a model that uses it have the question, and a mark for a medium.

        Raises:
            ModelError: they have not, or the template fails.
        """
        prompt, with_medium = (self._render(mllm, media) for media in (False, True))
        if PROBE not in prompt or PROBE not in with_medium:
            raise ModelError("the chat template leaves out the question", hint=EXAMPLE_HINT, where=self.source)
        placeholder, noun = mllm.adapter.placeholder, mllm.adapter.noun
        counts = [text.count(placeholder) for text in (prompt, with_medium)]
        # Where the model runs its own forward pass, its processor makes placeholders of whatever mark there is.
        if prompt == with_medium or (not mllm.replayed and counts != [0, 1]):
            raise ModelError(
                f"the chat template puts {counts[0]} placeholders {placeholder} in a prompt without a medium, and "
                f"{counts[1]} in one with one {noun}",
                hint=f"Write {placeholder} where a part of a message has the type {mllm.adapter.modality!r}.",
                where=self.source,
            )

    def _render(self, mllm: MLLM, media: bool) -> str:
        chat = mllm.adapter.conversation(PROBE, media)
        with template_errors(self.source, hint=EXAMPLE_HINT):
            return mllm.adapter.chat_text(mllm.processor, chat)


_GIVEN: ContextVar[ChatTemplate | None] = ContextVar("_GIVEN", default=None)


@contextmanager
def given(template: ChatTemplate | None) -> Iterator[None]:
    """Let processors that are loaded inside the block use a template, if there is one."""
    token = _GIVEN.set(template)
    try:
        yield
    finally:
        _GIVEN.reset(token)


def given_template() -> str:
    """Return the text of the template that is given in place of the checkpoint's own; empty for none."""
    template = _GIVEN.get()
    return template.text if template else ""


def use_given_template(processor: Any) -> None:
    """Let a processor, and its tokenizer, use the given template, if there is one."""
    if text := given_template():
        processor.chat_template = processor.tokenizer.chat_template = text
