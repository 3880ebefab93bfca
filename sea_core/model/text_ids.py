"""People's text is text: token ids in which no special token comes out of a question, an answer or a message.

A tokenizer turns every literal of its added tokens (`<image>`, `<|im_end|>`, `<tool_call>`) into that token, wherever
it stands. Here only the chat template's own literals become tokens. Ordinary text is tokenised as ever. For any other,
a copy of the tokenizer, the *guarded* one, knows the same added tokens by secret names: the template's literals are
replaced by these names, and the same literal in a person's text is a sequence of ordinary characters.
"""

from __future__ import annotations

import json
import re
import secrets
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from sea_core.errors import DataError

Render = Callable[[Sequence[str]], str]
"""Puts people's texts into a chat template."""
NONCE = secrets.token_hex(12)
"""Makes names that no text contains. Ids do not depend on it."""
SLOT = re.compile(rf"text{NONCE}(\d{{8}})")
"""Finds the neutral words of `_slots`."""


@dataclass(frozen=True)
class TextTokenizer:
    """A tokenizer that keeps people's text apart from its added tokens.

    Attributes:
        tokenizer: a tokenizer of transformers.
        reserved: more tokens that no text may become: the placeholder and the end token, which usually are added ones.
    """

    tokenizer: Any
    reserved: Collection[str] = ()

    def text_ids(self, text: str) -> list[int]:
        """Return the ids of a text alone, without special tokens.

        Raises:
            DataError: the tokenizer would turn a part of it into an added token, and cannot be kept from it.
        """
        ids = self._encode(text)
        if self._is_plain(text) and not self._mark_ids(ids):
            return ids
        if self._guarded is None:
            raise self._refusal([text], ids)
        ids = self._guarded.encode(text, False)
        if self._mark_ids(ids):
            raise self._refusal([text], ids)
        return ids

    def chat_ids(
        self, render: Render, texts: Sequence[str], *, begin: bool = False, expand: Callable[[str], str] = str
    ) -> list[int]:
        """Return the ids of a chat: a template with people's texts in it.

        Args:
            begin: add the tokenizer's own special tokens, such as begin-of-text, unless the template begins with it.
            expand: edits the template's own words; it repeats the placeholder.

        Raises:
            DataError: a text would become an added token, and the tokenizer or the template cannot be kept from it.
        """
        own, rendered = render(_slots(len(texts))), render(texts)
        bos = self.tokenizer.bos_token
        special = begin and not (bos and own.startswith(bos))
        expanded = expand(own)
        if self._is_ordinary(own, rendered, texts):
            return self._encode(expand(rendered), special)
        return self._guarded_chat_ids(own, expanded, rendered, texts, special)

    def require_ordinary(self, render: Render, texts: Sequence[str]) -> None:
        """Raise DataError if the plain tokenizer finds more added tokens in a chat than the template's."""
        if not self._is_ordinary(render(_slots(len(texts))), rendered := render(texts), texts):
            raise self._refusal(texts, self._encode(rendered), self._encode(render(_slots(len(texts)))))

    def _is_ordinary(self, own: str, rendered: str, texts: Sequence[str]) -> bool:
        """Compare added tokens: a literal may also arise where a template and a text meet."""
        if not all(map(self._is_plain, texts)):
            return False
        return self._mark_ids(self._encode(rendered)) == self._mark_ids(self._encode(own))

    def _guarded_chat_ids(
        self, own: str, expanded: str, rendered: str, texts: Sequence[str], special: bool
    ) -> list[int]:
        """Tokenise the template's own words with the added tokens, and the texts without."""
        guarded, spans, expected = self._guarded, _spans(own, rendered, texts), self._encode(expanded, special)
        if guarded is None or guarded.encode(guarded.rename(expanded), special) != expected:
            raise self._refusal(texts, self._encode(rendered), self._encode(own))
        if spans is None:
            why = "the chat template changes the text, and "
            raise self._refusal(texts, self._encode(rendered), self._encode(own), why)
        ids = guarded.encode(_fill(guarded.rename(expanded), spans), special)
        if self._mark_ids(ids) != self._mark_ids(expected):
            raise self._refusal(texts, ids, expected)
        return ids

    def _encode(self, text: str, special: bool = False) -> list[int]:
        ids: list[int] = self.tokenizer(text, add_special_tokens=special)["input_ids"]
        return ids

    def _is_plain(self, text: str) -> bool:
        """Return whether no literal of an added token is in a text."""
        return not (self._literals and self._literals.search(text))

    @cached_property
    def marks(self) -> Mapping[int, str]:
        """The tokens that no text may become, by id: all added ones but words and white space."""
        added = {i: token for i, token in self.tokenizer.added_tokens_decoder.items() if not _is_word(token)}
        reserved = {self.tokenizer.convert_tokens_to_ids(token): token for token in self.reserved}
        lacking = (None, self.tokenizer.unk_token_id)  # what a tokenizer gives for a token that it does not have
        known = {i: token for i, token in reserved.items() if i not in lacking}
        return {i: str(token) for i, token in added.items()} | known

    @cached_property
    def _literals(self) -> re.Pattern[str] | None:
        """Finds the literals of marks in a text, as the tokenizer does: leftmost, then longest."""
        literals = sorted(set(self.marks.values()), key=len, reverse=True)
        return re.compile("|".join(map(re.escape, literals))) if literals else None

    @cached_property
    def _unknown(self) -> int | None:
        """The id of unknown characters, which is no mark; None if it is the begin, end or padding token as well."""
        named = {self.tokenizer.bos_token_id, self.tokenizer.eos_token_id, self.tokenizer.pad_token_id}
        unknown = self.tokenizer.unk_token_id
        return None if unknown in named else unknown

    def _mark_ids(self, ids: Sequence[int]) -> list[int]:
        """Return the ids that are marks, in their order."""
        return [i for i in ids if i in self.marks and i != self._unknown]

    @cached_property
    def _guarded(self) -> GuardedTokenizer | None:
        backend = getattr(self.tokenizer, "backend_tokenizer", None)
        return GuardedTokenizer.copy(backend, self.marks) if hasattr(backend, "to_str") else None

    def _refusal(self, texts: Sequence[str], found: Sequence[int], own: Sequence[int] = (), why: str = "") -> DataError:
        """Return the error that names the literal in a text, or the token that a template alone does not have."""
        literal = next((match[0] for text in texts if self._literals and (match := self._literals.search(text))), None)
        more = Counter(self._mark_ids(found)) - Counter(self._mark_ids(own))
        token = literal or next((self.marks[i] for i in more), "unknown")
        return DataError(
            f"{why}a part of the text would become the special token {token!r} of this model's tokenizer",
            hint=f"Write {token!r} in another way, such as with a space inside, or take the text out.",
        )


@dataclass(frozen=True)
class GuardedTokenizer:
    """A copy of a tokenizer that knows some of its tokens by secret names only.

    Attributes:
        backend: the copy.
        names: the secret name of each literal.
        literals: finds the literals.
    """

    backend: Any
    names: Mapping[str, str]
    literals: re.Pattern[str]

    @classmethod
    def copy(cls, backend: Any, marks: Mapping[int, str]) -> GuardedTokenizer | None:
        """Return a copy in which the marks have secret names; None if the ids would be others."""
        from tokenizers import Tokenizer

        names = {literal: f"sea{NONCE}{i:08d}" for i, literal in marks.items()}
        copied = Tokenizer.from_str(json.dumps(_renamed(json.loads(backend.to_str()), names)))
        copied.no_truncation()
        copied.no_padding()
        if any(copied.token_to_id(names[literal]) != i for i, literal in marks.items()):
            return None
        longest_first = sorted(names, key=len, reverse=True)
        return cls(copied, names, re.compile("|".join(map(re.escape, longest_first))))

    def rename(self, template: str) -> str:
        """Replace the literals of a template by their names."""
        return self.literals.sub(lambda match: self.names[match[0]], template)

    def encode(self, text: str, special: bool) -> list[int]:
        """Return the ids of a text in which names, but no literals, are tokens."""
        ids: list[int] = self.backend.encode(text, add_special_tokens=special).ids
        return ids


def _renamed(content: dict[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    """Rename tokens in the JSON of a tokenizer: among the added ones, and in the vocabulary of its model.

    A model may build a token of its vocabulary from characters, too: merges that do are left out.
    """
    for token in content["added_tokens"]:
        token["content"] = names.get(token["content"], token["content"])
    model = content["model"]
    if isinstance(model["vocab"], dict):
        model["vocab"] = {names.get(token, token): i for token, i in model["vocab"].items()}
    else:
        model["vocab"] = [[names.get(token, token), score] for token, score in model["vocab"]]
    if model.get("unk_token"):
        model["unk_token"] = names.get(model["unk_token"], model["unk_token"])
    if "merges" in model:
        pairs = [merge if isinstance(merge, list) else merge.split(" ", 1) for merge in model["merges"]]
        model["merges"] = [pair for pair in pairs if not {*pair, "".join(pair)} & names.keys()]
    return content


def _is_word(token: Any) -> bool:
    """Return whether an added token is text itself, such as a run of spaces: not special, only letters and digits."""
    return not token.special and all(c.isalnum() or c.isspace() or c == "▁" for c in token.content)


def _slots(count: int) -> list[str]:
    """Return neutral words that stand for people's texts in a template."""
    return [f"text{NONCE}{i:08d}" for i in range(count)]


def _spans(own: str, rendered: str, texts: Sequence[str]) -> list[str] | None:
    """Return what a template made of the texts, in the order of its slots: a text as it is, or stripped.

    None if it made anything else of a text.
    """
    first, *rest = SLOT.split(own)
    spans: list[str] = []
    at = len(first) if rendered.startswith(first) else -1
    for number, part in zip(rest[::2], rest[1::2], strict=True):
        text = texts[int(number)]
        versions = (text, text.rstrip(), text.lstrip(), text.strip("\n"), text.strip())
        span = next((each for each in versions if at >= 0 and rendered.startswith(each + part, at)), None)
        if span is None:
            return None
        spans.append(span)
        at += len(span) + len(part)
    return spans if at == len(rendered) else None


def _fill(template: str, spans: Sequence[str]) -> str:
    """Put texts into the slots of a template."""
    left = iter(spans)
    return SLOT.sub(lambda _: next(left), template)
