"""The tokenizer of a bundled model, with the special tokens of a family."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tokenizers import Tokenizer
from transformers import PreTrainedTokenizerFast

from sea_llava.adapter import LlavaAdapter

FILE = Path(LlavaAdapter.checkpoint) / "tokenizer.json"


def make_tokenizer(special: Sequence[str], named: Mapping[str, str], fixed: Mapping[int, str]) -> Any:
    """Return the tokenizer with more special tokens, some of which are attributes: `{"image_token": "<image>"}`.

    `fixed`: special tokens that take the place of ordinary ones, by their ids.
    """
    core = json.loads(FILE.read_text())
    names = {token_id: token for token, token_id in core["model"]["vocab"].items()} | dict(fixed)
    core["model"]["vocab"] = {token: token_id for token_id, token in names.items()}
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=Tokenizer.from_str(json.dumps(core)),
        pad_token="<pad>",
        bos_token="<s>",
        eos_token="</s>",
        padding_side="left",
        extra_special_tokens=dict(named),
    )
    tokenizer.add_tokens([*fixed.values(), *special], special_tokens=True)
    return tokenizer
