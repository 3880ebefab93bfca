"""One way to ask a language model many questions: extractors, judges and scene descriptions stand on it.

    chat = open_chat("openai", config)
    for reply in journaled(chat, Journal(path), questions):
        ...

Replies come as they are ready, each with its question's key. Importing this package loads no client and no model.
"""

from __future__ import annotations

from sea_core.chat.config import ChatConfig
from sea_core.chat.journaled import Spent, journaled, spent
from sea_core.chat.kinds import KINDS, open_chat
from sea_core.chat.nouns import Chat, Message, Question, Reply, Status
from sea_core.chat.parse import json_object

__all__ = [
    "KINDS",
    "Chat",
    "ChatConfig",
    "Message",
    "Question",
    "Reply",
    "Spent",
    "Status",
    "journaled",
    "json_object",
    "open_chat",
    "spent",
]
