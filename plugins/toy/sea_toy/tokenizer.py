"""A byte-level tokenizer for tiny models: it encodes any text, and each word of the toy world is one token."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any


def train_tokenizer(
    corpus: Iterable[str],
    special: Sequence[str],
    *,
    end: str,
    pad: str,
    begin: str | None = None,
    named: Mapping[str, str] | None = None,
    is_chinese: bool = False,
) -> Any:
    """Return a `PreTrainedTokenizerFast` with byte-level BPE merges trained on the corpus.

    Args:
        special: tokens that are never split, in the order of their ids.
        end, pad: the special tokens that end an answer and that pad a batch.
        begin: the special token that the tokenizer puts before every text, as in some families.
        is_chinese: each Chinese character is a token of its own, as nothing separates words.
        named: special tokens that are attributes of the tokenizer: `{"image_token": "<image>"}`.
    """
    from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, processors, trainers
    from transformers import PreTrainedTokenizerFast

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    if is_chinese:
        apart = pre_tokenizers.Split(Regex(r"\p{Han}"), "isolated")
        tokenizer.pre_tokenizer = pre_tokenizers.Sequence([apart, tokenizer.pre_tokenizer])
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=1024,
        special_tokens=list(special),
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,  # where there is no terminal, empty lines on stdout
    )
    tokenizer.train_from_iterator(corpus, trainer)
    if begin is not None:
        tokenizer.post_processor = processors.TemplateProcessing(
            single=f"{begin} $A", pair=f"{begin} $A {begin} $B", special_tokens=[(begin, special.index(begin))]
        )
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        bos_token=begin,
        eos_token=end,
        pad_token=pad,
        **({"extra_special_tokens": dict(named)} if named else {"additional_special_tokens": list(special)}),
    )
