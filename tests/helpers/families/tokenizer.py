"""The tokenizer of a bundled model, with the special tokens of a family."""

from __future__ import annotations

import base64
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


def write_tekken(folder: Path, special: Mapping[int, str]) -> None:
    """Replace a checkpoint's tokenizer by one of bytes in mistral-common's form; `special` tokens by their ids."""
    for name in ("tokenizer.json", "tokenizer_config.json"):
        (folder / name).unlink()
    tokens = [special.get(i, f"<SPECIAL_{i}>") for i in range(max(special) + 1)]
    content = {
        "config": {
            "pattern": r"\p{L}+|\p{N}|[^\p{L}\p{N}]",
            "num_vocab_tokens": 256,
            "default_vocab_size": 256 + len(tokens),
            "default_num_special_tokens": len(tokens),
            "version": "v7",
        },
        "vocab": [{"rank": i, "token_bytes": base64.b64encode(bytes([i])).decode()} for i in range(256)],
        "special_tokens": [{"rank": i, "token_str": token, "is_control": True} for i, token in enumerate(tokens)],
    }
    (folder / "tekken.json").write_text(json.dumps(content), encoding="utf-8")
