"""What must be neither printed nor stored: the API key, and whatever in a server's address is secret."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from urllib.parse import parse_qsl, unquote, urlsplit

from sea_core.llm.types import Completion

REMOVED = "(secret)"
IN_MESSAGES, IN_COMPLETIONS = 4, 12
"""How long a secret is to be searched for in messages, and in what a model wrote, where ordinary words must stay."""


@dataclass(frozen=True)
class Secrets:
    """The secrets of one server. Texts are shown and stored without them."""

    values: tuple[str, ...]

    @classmethod
    def of(cls, key: str, address: str) -> Secrets:
        """Return the key, and the password and the parameters in an address."""
        found = [key]
        try:
            url = urlsplit(address)
            found += [url.password or "", *(value for _, value in parse_qsl(url.query))]
        except ValueError:
            pass
        found += [unquote(value) for value in found]
        return cls(tuple(sorted({value for value in found if len(value) >= IN_MESSAGES}, key=len, reverse=True)))

    def removed(self, text: str, shortest: int = IN_MESSAGES) -> str:
        """Return a text without the secrets that have a length."""
        for value in self.values:
            text = text.replace(value, REMOVED) if len(value) >= shortest else text
        return text

    def removed_from(self, completion: Completion) -> Completion:
        """Return a completion without the secrets: a server may repeat what it was sent."""
        text = None if completion.text is None else self.removed(completion.text, IN_COMPLETIONS)
        return replace(
            completion, text=text, detail=self.removed(completion.detail), model=self.removed(completion.model)
        )


def shown_address(address: str) -> str:
    """Return the address of a server without user, password and parameters."""
    without_user = re.sub(r"^([^/]*//)?[^/]*@", r"\1", address)
    return re.split(r"[?#]", without_user)[0]


def shown_variable(name: str) -> str:
    """Return the name of an environment variable for a message; not one that looks like the key itself."""
    return name if re.fullmatch(r"[A-Z_][A-Z0-9_]*", name) else "NAME"
