"""The reasoning of a model is not part of its answer: it contains drafts that are discarded.

Imports nothing of SEA: `sea bench export` copies this file into other evaluation harnesses.
"""

from __future__ import annotations

import re

_NAME = r"(?:seed:)?(?:think(?:ing)?|thoughts?|reasoning|reflection|scratchpad)"
BEGIN = re.compile(
    rf"<{_NAME}>|\[THINK\]|◁think▷|<\|(?:begin_of_|start_)?{_NAME}\|>|<unused94>(?:thought)?"
    r"|<\|channel\|>(?:analysis|commentary)|^\s*analysis(?=[A-Z])|^\s*here is my thought process:",
    re.IGNORECASE,
)
"""Marks that open reasoning: of most models, Mistral, Kimi, OpenThinker and Cohere, Gemma, gpt-oss (with its special
tokens, or without them: `analysisThe user ...`), and Granite."""
END = re.compile(
    rf"</{_NAME}>|\[/THINK\]|◁/think▷|<\|(?:/|end_of_|end_){_NAME}\|>|<unused95>"
    r"|<\|channel\|>final<\|message\|>|(?<=\S)assistantfinal"
    r"|^\s*here is my thought process:[\s\S]*?\bhere is my response:",
    re.IGNORECASE,
)
"""Marks that end it. Some chat templates put the opening mark into the prompt."""
SPECIAL_TOKEN = re.compile(
    r"<\|[^|<>\n]{1,40}\|>|<\uff5c[^\uff5c<>\n]{1,40}\uff5c>|</?s>|</?(?:answer|response)>"
    r"|<(?:pad|eos|bos|unk|mask|sep|cls|start_of_turn|end_of_turn|end_of_utterance|image|video|audio)>"
    r"|\[(?:PAD|EOS|BOS|UNK|SEP|CLS|MASK)\]"
)
"""Tokens that models end, fill or divide their text with, where a tokenizer did not leave them out, and answer tags."""


def strip_reasoning(text: str) -> str:
    """Return the text after the reasoning; an empty text if the reasoning does not end."""
    ends = [end.end() for end in END.finditer(text)]
    answer = text[ends[-1] :] if ends else text
    begin = BEGIN.search(answer)
    answer = answer[: begin.start()] if begin else answer
    return answer.lstrip() if begin or ends else answer


def answer_text(text: str) -> str:
    """Return what a model's reply says: without reasoning, special tokens and the space around it."""
    return SPECIAL_TOKEN.sub(" ", strip_reasoning(text)).strip()
