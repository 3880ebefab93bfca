"""What a processor makes of a medium besides its content: the prompt's part for it, and inputs that follow from it.

Most families put one run of a placeholder token into the prompt, whose length an adapter knows. Others write tiles,
line breaks or time stamps, and tell the language model which tokens are a medium's. All of this follows from the
medium's size, so it is read from the processor's own output for a blank medium of that size, and used in every other
prompt.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from sea_core.errors import ModelError

TEXT_INPUTS = ("input_ids", "attention_mask")
"""The inputs that a prompt makes by itself."""


@dataclass(frozen=True, eq=False)
class TokenInput:
    """An input with a value for each token, such as token types or a cross-attention mask.

    Attributes:
        before, after: the value of tokens before and after the medium.
        within: the values of the medium's tokens.
    """

    before: Tensor
    within: Tensor
    after: Tensor

    def values(self, begin: int | None, width: int) -> Tensor:
        """Return the values of a sequence, (width, ...), whose medium begins at `begin`, if it has one."""
        if begin is None:
            return _repeat(self.before, width)
        after = width - begin - len(self.within)
        return torch.cat([_repeat(self.before, begin), self.within, _repeat(self.after, after)])


@dataclass(frozen=True, eq=False)
class MediumForm:
    """What a processor makes of every medium of one size.

    Attributes:
        marker: the ids that the chat template writes for a medium; empty where it writes none.
        position: where the medium begins in a prompt without a marker: the processor itself puts it there.
        expansion: the ids that the processor makes of them.
        token_inputs: the inputs with a value for each token, by name.
    """

    marker: tuple[int, ...]
    position: int
    expansion: tuple[int, ...]
    token_inputs: Mapping[str, TokenInput]

    def expand(self, ids: Sequence[int]) -> list[int]:
        """Return a chat's ids with its one marker expanded. Raises ModelError unless it has exactly one."""
        found = _find(ids, self.marker) if self.marker else [self.position]
        if len(found) != 1:
            raise ModelError(
                f"the chat template wrote {len(found)} markers of a medium in a prompt about one",
                hint="Check the adapter's `conversation` against the checkpoint's chat template.",
            )
        (begin,) = found
        return [*ids[:begin], *self.expansion, *ids[begin + len(self.marker) :]]

    def begin(self, ids: Sequence[int], placeholder_id: int) -> int | None:
        """Return where the medium begins in a sequence; None without placeholders."""
        return ids.index(placeholder_id) - self.expansion.index(placeholder_id) if placeholder_id in ids else None


@dataclass(frozen=True, eq=False)
class ReadPrompt:
    """A question about a medium.

    Attributes:
        text_ids: as the chat template writes the question without a medium.
        chat_ids: as it writes the question about a medium.
        inputs: what the processor makes of that.
    """

    text_ids: Sequence[int]
    chat_ids: Sequence[int]
    inputs: Mapping[str, Any]

    @property
    def ids(self) -> list[int]:
        ids: list[int] = self.inputs["input_ids"][0].tolist()
        return ids


def read_form(prompts: Sequence[ReadPrompt]) -> MediumForm:
    """Read the form of a medium from prompts of different lengths about it.

    Raises:
        ModelError: the chat template writes nothing for a medium, or the processor does anything else to a prompt than
            to expand one marker in it.
    """
    first = prompts[0]
    # The processor may repeat a token that the template wrote: only together do they show where the medium is.
    spans = _changed(first.text_ids, first.chat_ids), _changed(first.ids, first.chat_ids)
    begin, end = min(span[0] for span in spans), max(span[1] for span in spans)
    if begin > end:
        raise ModelError(
            "neither the chat template nor the processor writes anything for a medium",
            hint="Give a chat template that does: --chat-template FILE",
        )
    after = len(first.chat_ids) - end
    marker, expansion = tuple(first.chat_ids[begin:end]), tuple(first.ids[begin : len(first.ids) - after])
    form = MediumForm(marker, begin, expansion, _token_inputs(prompts, begin, len(expansion)))
    changed = "this checkpoint's processor changes a prompt in other places than the medium's own"
    if any(len(_find(prompt.chat_ids, marker)) != 1 for prompt in prompts if marker) or any(
        form.expand(prompt.chat_ids) != prompt.ids for prompt in prompts
    ):
        raise ModelError(changed, hint="Write a plugin whose `inputs` makes the model's prompt: sea plugins new NAME")
    return form


def _changed(ids: Sequence[int], chat: Sequence[int]) -> tuple[int, int]:
    """Return where a chat begins and ends to differ from other ids."""
    shorter, begin, end = min(len(chat), len(ids)), 0, 0
    while begin < shorter and chat[begin] == ids[begin]:
        begin += 1
    while end < shorter - begin and chat[-1 - end] == ids[-1 - end]:
        end += 1
    if list(ids) == list(chat):
        return len(chat), 0  # the empty span, which widens no other
    return begin, len(chat) - end


def _token_inputs(prompts: Sequence[ReadPrompt], begin: int, length: int) -> dict[str, TokenInput]:
    """Find the inputs whose second dimension is the prompt's length in every prompt."""
    names = [name for name in prompts[0].inputs if all(_follows_tokens(p.inputs, name) for p in prompts)]
    found = {}
    for name in names:
        values = prompts[0].inputs[name][0].cpu()
        before, within, after = values[:begin], values[begin : begin + length], values[begin + length :]
        for part in (before, after):
            if len(part) and not all(torch.equal(value, part[0]) for value in part):
                raise ModelError(
                    f"the processor's {name} differs within the text, so that it is unknown for another question",
                    hint="Write a plugin whose `inputs` makes the model's prompt: sea plugins new NAME",
                )
        zero = torch.zeros_like(within[0])
        found[name] = TokenInput(before[0] if len(before) else zero, within, after[0] if len(after) else zero)
    return found


def _follows_tokens(inputs: Mapping[str, Any], name: str) -> bool:
    value, length = inputs[name], inputs["input_ids"].shape[1]
    if name in TEXT_INPUTS or not isinstance(value, Tensor) or value.is_floating_point():
        return False
    return value.ndim >= 2 and tuple(value.shape[:2]) == (1, length)


def _find(ids: Sequence[int], part: Sequence[int]) -> list[int]:
    size = len(part)
    return [i for i in range(len(ids) - size + 1) if tuple(ids[i : i + size]) == tuple(part)]


def _repeat(value: Tensor, count: int) -> Tensor:
    return value[None].expand(count, *value.shape)
