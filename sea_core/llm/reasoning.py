"""The reasoning of a model is not part of its answer: it contains drafts that are discarded."""

from __future__ import annotations

BEGIN, END = "<think>", "</think>"


def strip_reasoning(text: str) -> str:
    """Return the text after the reasoning; an empty text if the reasoning does not end."""
    _, ended, answer = text.rpartition(END)  # some chat templates put the opening tag into the prompt
    text = answer if ended else text
    return text.partition(BEGIN)[0].lstrip() if BEGIN in text or ended else text
