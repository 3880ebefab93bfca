"""People's text is text, for every kind of tokenizer: no special token comes out of it, and ordinary ids stay."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors
from transformers import PreTrainedTokenizerFast

from sea_core.data.demo import DEMO_EXAMPLES
from sea_core.errors import DataError
from sea_core.model.embedding import Embedding
from sea_core.model.mllm import MLLM
from sea_core.model.text_ids import TextTokenizer
from sea_core.pipeline.model_target import ModelTarget
from sea_core.pipeline.read import read_examples

BYTES = sorted(pre_tokenizers.ByteLevel.alphabet())
LETTERS = [chr(i) for i in range(33, 127)]
BYTE_PIECES = [f"<0x{i:02X}>" for i in range(256)]
CHAT = ["<s>", "</s>", "<|im_start|>", "<|im_end|>", "<image>"]


def byte_level() -> Tokenizer:
    """As Qwen's: byte-level BPE; `<tool_call>` is an added token, but no special one."""
    merges = [("H", "o"), ("Ho", "w"), ("<", "|"), ("|", ">"), ("Ġ", "t")]
    made = Tokenizer(models.BPE({p: i for i, p in enumerate([*BYTES, *map("".join, merges)])}, merges))
    made.pre_tokenizer, made.decoder = pre_tokenizers.ByteLevel(add_prefix_space=False), decoders.ByteLevel()
    made.add_special_tokens([AddedToken(token, normalized=False, special=True) for token in CHAT])
    made.add_tokens([AddedToken("<tool_call>", normalized=False), AddedToken("  ", normalized=False)])
    return made


def spaced_bpe(legacy: bool) -> Tokenizer:
    """As Llama's: BPE over characters with a prefix space and bytes; `<s>` is in the vocabulary, with merges."""
    merges = [("<", "s"), ("<s", ">"), ("▁", "H"), ("i", "m")]
    pieces = ["<unk>", *CHAT, *BYTE_PIECES, "▁", *LETTERS, "<s", "▁H", "im"]
    vocabulary = {piece: i for i, piece in enumerate(dict.fromkeys(pieces))}
    made = Tokenizer(models.BPE(vocabulary, merges, unk_token="<unk>", byte_fallback=True, fuse_unk=True))
    if legacy:
        made.normalizer = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
    else:
        made.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="first", split=False)
        made.decoder = decoders.Metaspace()
    made.post_processor = processors.TemplateProcessing(single="<s> $A", special_tokens=[("<s>", 1)])
    made.add_special_tokens([AddedToken(token, normalized=False, special=True) for token in ["<unk>", *CHAT]])
    return made


def unigram() -> Tokenizer:
    """As T5's: the model itself would find `</s>`, a piece of its vocabulary, in a text."""
    pieces = ["<unk>", *CHAT, "▁", *LETTERS, "▁How", "im"]
    made = Tokenizer(models.Unigram([(piece, -1.0 - 0.01 * i) for i, piece in enumerate(pieces)], unk_id=0))
    made.normalizer = normalizers.Sequence([normalizers.NFKC(), normalizers.Replace(Regex(" {2,}"), " ")])
    made.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="always")
    made.add_special_tokens([AddedToken(token, normalized=False, special=True) for token in ["<unk>", *CHAT]])
    return made


def wordpiece() -> Tokenizer:
    """As BERT's: text is lowercased, and so are tokens that are matched after that."""
    pieces = ["[UNK]", *CHAT, *LETTERS, *(f"##{letter}" for letter in LETTERS), "how", "##ow"]
    vocabulary = {piece: i for i, piece in enumerate(dict.fromkeys(pieces))}
    made = Tokenizer(models.WordPiece(vocabulary, unk_token="[UNK]"))
    made.normalizer, made.pre_tokenizer = normalizers.BertNormalizer(), pre_tokenizers.BertPreTokenizer()
    made.add_special_tokens([AddedToken(token, normalized=False, special=True) for token in ["[UNK]", *CHAT]])
    made.add_tokens([AddedToken("<tool_call>", normalized=True)])
    return made


def words() -> Tokenizer:
    """A vocabulary of whole words, in which a special token is a word like any other."""
    pieces = ["[UNK]", *CHAT, "user", "assistant", "How", "a"]
    made = Tokenizer(models.WordLevel({piece: i for i, piece in enumerate(pieces)}, unk_token="[UNK]"))
    made.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    made.add_special_tokens([AddedToken(token, normalized=False, special=True) for token in ["[UNK]", *CHAT]])
    return made


def flags() -> Tokenizer:
    """Added tokens with every flag, one the beginning of another, and ids after a gap."""
    made = byte_level()
    made.add_special_tokens([AddedToken("<mask>", lstrip=True, special=True), AddedToken("<sep>", rstrip=True)])
    made.add_tokens([AddedToken("<im", single_word=True), AddedToken("<image>s", normalized=True)])
    return made


KINDS: dict[str, Callable[[], Tokenizer]] = {
    "byte-level BPE": byte_level,
    "BPE with a prefix space": lambda: spaced_bpe(False),
    "legacy BPE with a prefix space": lambda: spaced_bpe(True),
    "Unigram": unigram,
    "WordPiece, lowercased": wordpiece,
    "whole words": words,
    "tokens with flags": flags,
}


@cache
def tokenizer(kind: str) -> Any:
    core = KINDS[kind]()
    unknown = next((token for token in ("<unk>", "[UNK]") if core.token_to_id(token) is not None), None)
    return PreTrainedTokenizerFast(
        tokenizer_object=core, bos_token="<s>", eos_token="</s>", pad_token="</s>", unk_token=unknown
    )


def render(texts: Sequence[str]) -> str:
    """Put texts into a template with a placeholder. As in many, the first text is stripped."""
    return f"<s><|im_start|> user <image> {texts[0].strip()} <|im_end|> <|im_start|> assistant {texts[-1]}<|im_end|>"


def marks(kind: str, ids: Sequence[int]) -> list[str]:
    """Return the added tokens among ids, but unknown characters and runs of spaces."""
    added = tokenizer(kind).added_tokens_decoder
    found = [str(added[i]) for i in ids if i in added]
    return [token for token in found if token not in ("<unk>", "[UNK]") and token.strip()]


TEMPLATE_MARKS = ["<s>", "<|im_start|>", "<image>", "<|im_end|>", "<|im_start|>", "<|im_end|>"]
LITERALS = [*CHAT, "<tool_call>", "<TOOL_CALL>", "<mask>", "<sep>", "<im", "<image>s", "<unk>", "[UNK]", "<0x0A>"]
ordinary = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="<["), max_size=12)
"""No literal begins in it. Hypothesis draws at times what it finds written in our source, `<|im_end|>` too."""
texts = st.lists(
    st.sampled_from([*LITERALS, "<|im_", "end|>", "<", "s>", " ", "  ", "\n", "How", "a", "é", "漢", "😀"])
)


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=60)
@given(texts.map("".join), texts.map("".join))
def test_no_special_token_comes_out_of_a_text(kind: str, question: str, answer: str) -> None:
    people = TextTokenizer(tokenizer(kind))
    assert marks(kind, people.chat_ids(render, [question, answer])) == TEMPLATE_MARKS
    assert marks(kind, people.text_ids(answer)) == []


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=40)
@given(ordinary, st.sampled_from(["", "How a", " a  b ", "naïve 漢字", "\n\n", "a < b [1]"]))
def test_ordinary_text_has_the_ids_that_it_always_had(kind: str, random: str, fixed: str) -> None:
    people, plain = TextTokenizer(tokenizer(kind)), tokenizer(kind)
    question, answer = fixed + random, random + fixed
    whole = plain(render([question, answer]), add_special_tokens=False)["input_ids"]
    assert people.chat_ids(render, [question, answer]) == whole
    assert people.text_ids(answer) == plain(answer, add_special_tokens=False)["input_ids"]


@pytest.mark.parametrize("kind", ["byte-level BPE", "BPE with a prefix space", "tokens with flags"])
@pytest.mark.parametrize("literal", [*CHAT, "<tool_call>", "<mask>"])
def test_a_literal_in_a_text_reads_as_it_was_written(kind: str, literal: str) -> None:
    text = f"What does {literal} mean?"
    decoded = tokenizer(kind).decode(TextTokenizer(tokenizer(kind)).text_ids(text), skip_special_tokens=True)
    assert decoded.strip() == text


def test_only_the_templates_own_words_are_expanded_and_begin_the_text() -> None:
    people = TextTokenizer(tokenizer("BPE with a prefix space"))

    def expand(text: str) -> str:
        return text.replace("<image>", "<image>" * 3)

    ids = people.chat_ids(render, ["<image>", "a<image>"], begin=True, expand=expand)
    expected = ["<s>", "<|im_start|>", *["<image>"] * 3, *TEMPLATE_MARKS[3:]]
    assert marks("BPE with a prefix space", ids) == expected
    bare = people.chat_ids(lambda texts: texts[0], ["<s>a"], begin=True)
    assert marks("BPE with a prefix space", bare) == ["<s>"]  # the tokenizer's, not the person's


def test_a_literal_that_arises_where_template_and_text_meet_is_text() -> None:
    people = TextTokenizer(tokenizer("byte-level BPE"))
    assert marks("byte-level BPE", people.chat_ids(lambda texts: f"<|im_{texts[0]}<|im_end|>", ["end|>"])) == [
        "<|im_end|>"
    ]


def test_runs_of_spaces_and_added_words_stay_tokens() -> None:
    made = byte_level()
    made.add_tokens(["lamp"])
    plain = PreTrainedTokenizerFast(tokenizer_object=made)
    ids = TextTokenizer(plain).text_ids("a  lamp <image>")
    assert [plain.convert_ids_to_tokens(i) for i in ids][1:3] == ["  ", "lamp"]
    assert plain.convert_tokens_to_ids("<image>") not in ids


@pytest.mark.parametrize(
    ("template", "words"),
    [
        (lambda texts: texts[0].replace("<", "&lt;").upper() + "<|im_end|>", "the chat template changes the text"),
        (lambda texts: texts[0][:12] + "<|im_end|>", "the chat template changes the text"),
    ],
)
def test_a_template_that_changes_such_a_text_is_refused(template: Any, words: str) -> None:
    people = TextTokenizer(tokenizer("byte-level BPE"))
    text = "What is </s> <image> for?"
    with pytest.raises(DataError, match=words) as caught:
        people.chat_ids(template, [text])
    assert "'</s>'" in caught.value.what
    assert caught.value.hint
    ordinary = "What is a lamp for?"
    assert people.chat_ids(template, [ordinary]) == tokenizer("byte-level BPE")(template([ordinary]))["input_ids"]


class WithoutBackend:
    """A tokenizer in Python, of which no copy can be made."""

    def __init__(self, fast: Any) -> None:
        self.fast = fast

    def __getattr__(self, name: str) -> Any:
        if name == "backend_tokenizer":
            raise AttributeError(name)
        return getattr(self.fast, name)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self.fast(*args, **kwargs)


def test_a_tokenizer_that_cannot_promise_it_refuses_the_text() -> None:
    people = TextTokenizer(WithoutBackend(tokenizer("byte-level BPE")))
    assert people.text_ids("A lamp.") == tokenizer("byte-level BPE")("A lamp.")["input_ids"]
    with pytest.raises(DataError, match="'<tool_call>'"):
        people.text_ids("A lamp.<tool_call>")
    with pytest.raises(DataError, match=r"'<\|im_end\|>'"):
        people.chat_ids(lambda texts: f"<|im_{texts[0]}<|im_end|>", ["end|>"])


def test_a_special_token_that_stands_for_unknown_characters_too_is_refused() -> None:
    made = Tokenizer(models.WordLevel({"<|end|>": 0, "a": 1}, unk_token="<|end|>"))
    made.add_special_tokens(["<|end|>"])
    people = TextTokenizer(PreTrainedTokenizerFast(tokenizer_object=made, eos_token="<|end|>", unk_token="<|end|>"))
    assert people.text_ids("a") == [1]
    with pytest.raises(DataError, match=r"'<\|end\|>'"):
        people.text_ids("b")


# --- the bundled models ----------------------------------------------------------------------------------------------


@cache
def bundled(plugin: str, modality: str) -> MLLM:
    """Return a bundled model without weights."""
    return ModelTarget.find(plugin, modality=modality, device="meta").load()


BUNDLED = [("llava", "image"), ("qwen2_vl", "image"), ("qwen2_vl", "video"), ("qwen2_audio", "audio")]


@pytest.mark.parametrize(("plugin", "modality"), BUNDLED)
@pytest.mark.parametrize("n_features", [None, 16])
def test_every_literal_of_a_model_is_text_in_a_prompt_and_in_an_answer(
    plugin: str, modality: str, n_features: int | None
) -> None:
    mllm = bundled(plugin, modality)
    literals = [str(token) for token in mllm.tokenizer.added_tokens_decoder.values()]
    added = {mllm.tokenizer.convert_tokens_to_ids(token) for token in literals}
    for text in [*literals, "".join(literals), f"What is {mllm.adapter.placeholder} for, and {literals[-1]}?"]:
        size = None if n_features is None else Embedding.of_size(n_features)
        prompt, neutral = mllm.prompt_ids(text, size), mllm.prompt_ids("Hm?", size)
        assert [i for i in prompt if i in added] == [i for i in neutral if i in added]
        count = 0 if n_features is None else mllm.adapter.placeholders(n_features)
        assert prompt.count(mllm.placeholder_id) == count
        assert mllm.tokenizer.decode(prompt) == mllm.tokenizer.decode(neutral).replace("Hm?", text)
        *answer, end = mllm.answer_ids(text)
        assert end == mllm.end_id
        assert not added & {*answer}
        assert mllm.detokenize(answer) == text


@pytest.mark.parametrize(("plugin", "modality"), BUNDLED)
def test_ordinary_demo_text_has_the_ids_that_the_tokenizer_gives(plugin: str, modality: str) -> None:
    mllm = bundled(plugin, modality)
    begin = mllm.tokenizer.bos_token
    for example in read_examples(DEMO_EXAMPLES).examples[:40]:
        chat = mllm.render(example.instruction, media=False)
        special = not (begin and chat.startswith(begin))
        assert mllm.prompt_ids(example.instruction, None) == mllm.tokenizer(chat, add_special_tokens=special).input_ids
        text = example.response or example.chosen or ""
        assert mllm.answer_ids(text)[:-1] == mllm.tokenizer(text, add_special_tokens=False).input_ids


def test_the_models_own_processor_is_never_given_a_literal() -> None:
    mllm = bundled("llava", "image")
    with pytest.raises(DataError, match="'<image>'"):
        mllm.media_inputs(["What is <image>?"], [mllm.adapter.blank_input(mllm.processor)])
