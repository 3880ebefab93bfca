"""Conversations: a list of turns, each with a role and a text or a list of parts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sea_core.data.examples import Example
from sea_core.data.formats.common import build_example
from sea_core.data.media_columns import PLACEHOLDER
from sea_core.data.record import Record, SkipRecord, preview

ROLES: Mapping[str, str] = {
    "user": "user",
    "human": "user",
    "assistant": "assistant",
    "gpt": "assistant",
    "model": "assistant",
    "system": "system",
    "observation": "tool",
    "function_call": "tool",
    "function": "tool",
    "tool": "tool",
    "tool_call": "tool",
    "tool_response": "tool",
}
MEDIA_PARTS = {
    "image": "image",
    "image_url": "image",
    "video": "video",
    "video_url": "video",
    "audio": "audio",
    "audio_url": "audio",
    "input_audio": "audio",
}
LATER_ANSWER = "the answers belong to a later question than the first"
UNANSWERED = "the conversation ends without an answer"
TOOLS = "the conversation calls tools"
FIRST_ONLY = "several questions: the first and its answer are used"
LATER_MEDIA = "a later question than the first has media of its own"
SYSTEM_PROMPT = "a system prompt, which is not used"


@dataclass(frozen=True, slots=True)
class Tags:
    """What a file calls the keys of a turn, and its roles."""

    role: tuple[str, ...] = ("from", "role")
    content: tuple[str, ...] = ("value", "content")
    roles: Mapping[str, str] = field(default_factory=lambda: ROLES)


@dataclass(frozen=True, slots=True)
class Turn:
    """One turn. `within` are the media that its parts name, as (kind, reference)."""

    role: str
    text: str
    media: tuple[tuple[str, Any], ...] = ()


def read_turns(record: Record, column: str, tags: Tags) -> list[Turn]:
    """Return the turns of a column, which holds one turn or a list of them. Raises DataError for anything else."""
    value = record.decoded(column)
    found = [_turn(record, column, item, tags) for item in (value if isinstance(value, list) else [value])]
    if not found:
        raise record.column_error(
            column, "holds no turns", "Write at least one question and its answer, or take the row out."
        )
    return found


def is_conversation(value: Any) -> bool:
    """Tell whether a value looks like a list of turns."""
    return isinstance(value, list) and bool(value) and all(_is_turn(item) for item in value)


def sft_example(record: Record, talk: Sequence[Turn]) -> Example:
    """Return the SFT row of a conversation: its first question and the answer to it."""
    questions, answers = _ends(record, talk)
    if not answers:
        raise SkipRecord(UNANSWERED)
    later = [turn for turn in answers if turn.role == "user"]
    if any(PLACEHOLDER.search(turn.text) for turn in later):
        raise SkipRecord(LATER_MEDIA)
    if later:
        record.note(FIRST_ONLY)
    return build_example(record, _joined(questions), answers[0].text, inline_media=_within(talk), texts=_texts(talk))


def dpo_example(record: Record, talk: Sequence[Turn], chosen: str, rejected: str) -> Example:
    """Return the DPO row of a conversation that ends with the question to both answers."""
    questions, answers = _ends(record, talk)
    if answers:
        raise SkipRecord(LATER_ANSWER)
    return build_example(
        record, _joined(questions), pair=(chosen, rejected), inline_media=_within(talk), texts=_texts(talk)
    )


def read_answer(record: Record, column: str, tags: Tags) -> str:
    """Return the answer that a column holds: a text, an assistant's turn, or a list that ends with one."""
    if isinstance(record.decoded(column), str):
        return record.text_or_empty(column)
    talk = read_turns(record, column, tags)
    roles = [turn.role for turn in talk]
    if roles[-1:] != ["assistant"]:
        raise SkipRecord(UNANSWERED)
    if "user" in roles[roles.index("assistant") :]:
        raise SkipRecord(LATER_ANSWER)
    return talk[-1].text


def _ends(record: Record, talk: Sequence[Turn]) -> tuple[list[Turn], list[Turn]]:
    """Return the user's turns at the beginning, and all that follows."""
    if any(turn.role == "system" for turn in talk):
        record.note(SYSTEM_PROMPT)
    if any(turn.role == "tool" for turn in talk):
        raise SkipRecord(TOOLS)
    said = [turn for turn in talk if turn.role != "system"]
    begun = next((place for place, turn in enumerate(said) if turn.role != "user"), len(said))
    if not begun:
        raise SkipRecord("the conversation does not begin with a question")
    return said[:begun], said[begun:]


def _joined(questions: Sequence[Turn]) -> str:
    return "\n".join(turn.text for turn in questions)


def _within(talk: Sequence[Turn]) -> list[tuple[str, Any]]:
    return [medium for turn in talk for medium in turn.media]


def _texts(talk: Sequence[Turn]) -> list[str]:
    return [turn.text for turn in talk if turn.role != "assistant"]


def _turn(record: Record, column: str, value: Any, tags: Tags) -> Turn:
    role = _key(value, tags.role)
    content = _key(value, tags.content)
    if not isinstance(role, str) or not isinstance(content, str | list):
        wanted = f'{{"{tags.role[-1]}": "user", "{tags.content[-1]}": "..."}}'
        raise record.column_error(
            column, f"must hold turns, but it holds {preview(value)}", f"Write every turn like {wanted}."
        )
    known = tags.roles.get(role)
    if known is None:
        roles = ", ".join(dict.fromkeys(tags.roles))
        raise record.column_error(
            column, f"has a turn of the role {preview(role)}, which is not known", f"Known roles: {roles}."
        )
    if isinstance(content, str):
        return Turn(known, record.valid_text(content, column).strip())
    texts: list[str] = []
    within: list[tuple[str, Any]] = []
    for part in content:
        _part(record, column, part, texts, within)
    return Turn(known, " ".join(texts).strip(), tuple(within))


def _part(record: Record, column: str, part: Any, texts: list[str], within: list[tuple[str, Any]]) -> None:
    """Add one part of a turn: its text, or a placeholder and, where it names one, its medium."""
    told = part.get("type") if isinstance(part, dict) else None
    if told == "text" and isinstance(text := part.get("text", part.get("value")), str):
        texts.append(record.valid_text(text, column))
    elif isinstance(told, str) and told in MEDIA_PARTS:
        kind = MEDIA_PARTS[told]
        texts.append(f"<{kind}>")
        named = [part[key] for key in (told, kind, "path", "url", "value") if part.get(key) not in (None, "")]
        within += [(kind, named[0])] if named else []
    else:
        raise record.column_error(
            column,
            f"has a part that is neither text nor a medium: {preview(part)}",
            'Write parts like {"type": "text", "text": "..."} and {"type": "image"}.',
        )


def _key(value: Any, keys: Sequence[str]) -> Any:
    return next((value[key] for key in keys if key in value), None) if isinstance(value, dict) else None


def _is_turn(value: Any) -> bool:
    return (
        isinstance(value, dict) and bool({"role", "from"} & value.keys()) and bool({"content", "value"} & value.keys())
    )
