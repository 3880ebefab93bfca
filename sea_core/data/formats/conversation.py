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
NO_QUESTION = "the conversation does not begin with a question"
LATER_MEDIA = "a later question than the first has media of its own"
FIRST_ONLY = "several questions: only the first and its answer are used"
SYSTEM_PROMPT = "a system prompt, which is not used"
ANSWERS = "only the first question is used, and no answer"


@dataclass(frozen=True, slots=True)
class Tags:
    """The names that a file uses for the keys of a turn and for its roles, as LLaMA-Factory's "tags" give them.

    Attributes:
        role, content: possible keys, in order of preference.
        roles: the file's roles to user, assistant, system or tool.
    """

    role: tuple[str, ...] = ("from", "role")
    content: tuple[str, ...] = ("value", "content")
    roles: Mapping[str, str] = field(default_factory=lambda: ROLES)


DEFAULT_TAGS = Tags()


@dataclass(frozen=True, slots=True)
class Turn:
    """One turn of a conversation.

    Attributes:
        role: user, assistant, system or tool.
        text: with placeholders for its media.
        media: (modality, reference) of the media that its parts name.
    """

    role: str
    text: str
    media: tuple[tuple[str, Any], ...] = ()


def read_turns(record: Record, column: str, tags: Tags = DEFAULT_TAGS) -> list[Turn]:
    """Return the turns of a column, which holds one turn or a list of them. Raises DataError for anything else."""
    value = record.decoded(column)
    turns = [_read_turn(record, column, item, tags) for item in (value if isinstance(value, list) else [value])]
    if not turns:
        hint = "Write at least one question and its answer, or delete the record."
        raise record.column_error(column, "has no turns", hint)
    return turns


def is_conversation(value: Any) -> bool:
    """Return whether a value looks like a list of turns."""
    return isinstance(value, list) and bool(value) and all(_is_turn(item) for item in value)


def sft_example(record: Record, turns: Sequence[Turn]) -> Example:
    """Return the SFT example of a conversation: its first question and the answer to it."""
    questions, rest = _split_at_answer(record, turns)
    if not rest:
        raise SkipRecord(UNANSWERED)
    later_questions = [turn for turn in rest if turn.role == "user"]
    if any(PLACEHOLDER.search(turn.text) for turn in later_questions):
        raise SkipRecord(LATER_MEDIA)
    if later_questions:
        record.note(FIRST_ONLY)
    return build_example(record, _join(questions), rest[0].text, inline_media=_inline_media(turns), texts=_texts(turns))


def dpo_example(record: Record, turns: Sequence[Turn], chosen: str, rejected: str) -> Example:
    """Return the DPO example of a conversation that ends with the question of both answers."""
    questions, rest = _split_at_answer(record, turns)
    if rest:
        raise SkipRecord(LATER_ANSWER)
    pair = chosen, rejected
    return build_example(record, _join(questions), pair=pair, inline_media=_inline_media(turns), texts=_texts(turns))


def read_answer(record: Record, column: str, tags: Tags = DEFAULT_TAGS) -> str:
    """Return the answer in a column: a text, an assistant's turn, or a list that ends with one.

    Raises:
        DataError: the column is missing or anything else.
        SkipRecord: the list does not end with the assistant, or has a later question.
    """
    if isinstance(record.decoded(column), str):
        return record.text_or_empty(column)
    turns = read_turns(record, column, tags)
    roles = [turn.role for turn in turns]
    if roles[-1:] != ["assistant"]:
        raise SkipRecord(UNANSWERED)
    if "user" in roles[roles.index("assistant") :]:
        raise SkipRecord(LATER_ANSWER)
    return turns[-1].text


def read_prompt(record: Record, columns: tuple[str, str]) -> list[Turn]:
    """Return the turns with which the chosen and the rejected conversation begin: all but their last ones.

    Raises:
        DataError: a column is missing or no list of turns.
        SkipRecord: the conversations differ before their last turns, or have no other.
    """
    if any(isinstance(record.decoded(column), str) for column in columns):
        raise record.missing_error(("prompt",), "Without it, chosen and rejected must be lists of turns.")
    prompt, other = (read_turns(record, column)[:-1] for column in columns)
    if prompt != other:
        raise SkipRecord("the two conversations differ before the answer")
    if not prompt:
        raise SkipRecord(UNANSWERED)
    return prompt


def prompt_example(record: Record, turns: Sequence[Turn]) -> Example:
    """Return the example of a conversation without an answer, or whose answers are not used: its first question."""
    questions, rest = _split_at_answer(record, turns)
    if rest:
        record.note(ANSWERS)
    return build_example(record, _join(questions), inline_media=_inline_media(turns), texts=_texts(turns))


def _split_at_answer(record: Record, turns: Sequence[Turn]) -> tuple[list[Turn], list[Turn]]:
    """Return the user's turns at the beginning, and all turns after them; system prompts are left out."""
    if any(turn.role == "system" for turn in turns):
        record.note(SYSTEM_PROMPT)
    if any(turn.role == "tool" for turn in turns):
        raise SkipRecord(TOOLS)
    dialogue = [turn for turn in turns if turn.role != "system"]
    end = next((index for index, turn in enumerate(dialogue) if turn.role != "user"), len(dialogue))
    if not end:
        raise SkipRecord(NO_QUESTION)
    return dialogue[:end], dialogue[end:]


def _join(questions: Sequence[Turn]) -> str:
    return "\n".join(turn.text for turn in questions)


def _inline_media(turns: Sequence[Turn]) -> list[tuple[str, Any]]:
    return [medium for turn in turns for medium in turn.media]


def _texts(turns: Sequence[Turn]) -> list[str]:
    return [turn.text for turn in turns if turn.role != "assistant"]


def _read_turn(record: Record, column: str, value: Any, tags: Tags) -> Turn:
    role = _first_value(value, tags.role)
    content = _first_value(value, tags.content)
    if not isinstance(role, str) or not isinstance(content, str | list):
        example = f'{{"{tags.role[-1]}": "user", "{tags.content[-1]}": "..."}}'
        what = f"must hold turns, but it holds {preview(value)}"
        raise record.column_error(column, what, f"Write every turn like {example}.")
    known_role = tags.roles.get(role)
    if known_role is None:
        known = ", ".join(dict.fromkeys(tags.roles))
        raise record.column_error(column, f"has a turn of the unknown role {preview(role)}", f"Known roles: {known}.")
    if isinstance(content, str):
        return Turn(known_role, record.valid_text(content, column).strip())
    texts: list[str] = []
    media: list[tuple[str, Any]] = []
    for part in content:
        _add_part(record, column, part, texts, media)
    return Turn(known_role, " ".join(texts).strip(), tuple(media))


def _add_part(record: Record, column: str, part: Any, texts: list[str], media: list[tuple[str, Any]]) -> None:
    """Add one part of a turn: its text, or a placeholder and, if it names one, its medium."""
    part_type = part.get("type") if isinstance(part, dict) else None
    if part_type == "text" and isinstance(text := part.get("text", part.get("value")), str):
        texts.append(record.valid_text(text, column))
    elif isinstance(part_type, str) and part_type in MEDIA_PARTS:
        modality = MEDIA_PARTS[part_type]
        texts.append(f"<{modality}>")
        keys = (part_type, modality, "path", "url", "value")
        references = [part[key] for key in keys if part.get(key) not in (None, "")]
        media += [(modality, references[0])] if references else []
    else:
        raise record.column_error(
            column,
            f"has a part that is neither text nor a medium: {preview(part)}",
            'Write parts like {"type": "text", "text": "..."} and {"type": "image"}.',
        )


def _first_value(value: Any, keys: Sequence[str]) -> Any:
    return next((value[key] for key in keys if key in value), None) if isinstance(value, dict) else None


def _is_turn(value: Any) -> bool:
    if not isinstance(value, dict):
        return False
    return bool({"role", "from"} & value.keys()) and bool({"content", "value"} & value.keys())
