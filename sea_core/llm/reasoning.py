"""What a reasoning model thinks aloud is no answer: drafts and doubts stand there."""

from __future__ import annotations

BEGIN, END = "<think>", "</think>"


def strip_reasoning(text: str) -> str:
    """Return what follows the thoughts; an empty text when they are not at their end."""
    _, ended, answer = text.rpartition(END)  # some templates write the opening mark into the question
    text = answer if ended else text
    return text.partition(BEGIN)[0].lstrip() if BEGIN in text or ended else text
