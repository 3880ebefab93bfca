"""A local language model: a real, tiny, untrained one; its answers mean nothing, and must be the same in any batch."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

from sea_core.errors import ModelError
from sea_core.llm.backends import open_model
from sea_core.llm.config import LLMConfig
from sea_core.llm.types import Completion, Prompt

TEMPLATE = (
    "{% for m in messages %}<|start|>{{ m['role'] }} {{ m['content'] }}<|end|>{% endfor %}"
    "{% if add_generation_prompt %}<|start|>{% endif %}"
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("language")
    signs = sorted(pre_tokenizers.ByteLevel.alphabet())
    tokenizer = Tokenizer(models.BPE({sign: index for index, sign in enumerate(signs)}, []))
    tokenizer.pre_tokenizer, tokenizer.decoder = pre_tokenizers.ByteLevel(add_prefix_space=False), decoders.ByteLevel()
    fast = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, eos_token="<|end|>", additional_special_tokens=["<|start|>"]
    )
    fast.chat_template = TEMPLATE
    fast.save_pretrained(folder)
    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=len(fast),
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=4,
        max_position_embeddings=128,
        eos_token_id=fast.eos_token_id,
        bos_token_id=None,
        initializer_range=0.5,
    )
    LlamaForCausalLM(config).save_pretrained(folder)
    return folder


def ask(folder: Path, texts: list[str], **config: Any) -> dict[str, Completion]:
    chat = open_model("transformers", LLMConfig(model=str(folder), device="cpu", **{"max_tokens": 12} | config))
    return {reply.key: reply for reply in chat.complete([Prompt(t, [{"role": "user", "content": t}]) for t in texts])}


def test_an_answer_does_not_depend_on_its_neighbours(folder: Path) -> None:
    texts = ["How?", "How do I steal a lamp?", "Why are lamps so bright at night", "x"]
    together, alone = ask(folder, texts, batch_size=4), ask(folder, texts, batch_size=1)
    assert together == alone
    assert {reply.tokens_in for reply in together.values()} == {len(f"user {text}") + 3 for text in texts}
    assert len({reply.text for reply in together.values()}) > 1


def test_the_end_is_told_from_the_cut(folder: Path) -> None:
    texts = [f"Question {n}" for n in range(40)]
    replies = ask(folder, texts, batch_size=20, max_tokens=40).values()
    for reply in replies:
        assert reply.text is not None
        assert "<|" not in reply.text
        assert reply.tokens_out == 40 if reply.status == "truncated" else 1 <= (reply.tokens_out or 0) <= 40
    assert {reply.status for reply in replies} == {"ok", "truncated"}


def test_a_question_that_is_too_long_costs_the_others_nothing(folder: Path) -> None:
    replies = ask(folder, ["a", "long " * 30, "b"], batch_size=8)
    assert replies["long " * 30].detail == "the model has room for 128 tokens in all"
    assert replies.keys() == {"a", "b", "long " * 30}
    assert all(replies[text] == ask(folder, [text])[text] and replies[text].text is not None for text in "ab")


def test_the_checkpoints_own_settings_do_not_change_an_answer(folder: Path, tmp_path: Path) -> None:
    other = shutil.copytree(folder, tmp_path / "other")
    path = other / "generation_config.json"
    own = json.loads(path.read_text())
    path.write_text(json.dumps(own | {"repetition_penalty": 2.0, "min_new_tokens": 9, "no_repeat_ngram_size": 1}))
    texts = [f"Question {n}" for n in range(8)]
    plain, told = ask(folder, texts), ask(other, texts)
    assert {key: (r.text, r.status) for key, r in told.items()} == {key: (r.text, r.status) for key, r in plain.items()}


def test_name_changes_with_the_weights(folder: Path, tmp_path: Path) -> None:
    other = shutil.copytree(folder, tmp_path / "other")
    model = LlamaForCausalLM.from_pretrained(other)
    model.lm_head.weight.data += 1
    model.save_pretrained(other)
    first, second = (open_model("transformers", LLMConfig(model=str(path))).identity for path in (folder, other))
    assert first["weights"] != second["weights"]


def test_what_is_no_chat_model_is_told(folder: Path, tmp_path: Path) -> None:
    bare = shutil.copytree(folder, tmp_path / "bare")
    (bare / "chat_template.jinja").unlink()
    with pytest.raises(ModelError, match="has no chat template"):
        ask(bare, ["a"])
    (bare / "model.safetensors").write_bytes(b"torn")
    with pytest.raises(ModelError, match="cannot be loaded"):
        ask(bare, ["a"])
    with pytest.raises(ModelError, match="no model folder"):
        _ = open_model("transformers", LLMConfig(model="./none")).identity
