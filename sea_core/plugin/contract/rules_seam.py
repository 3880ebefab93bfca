"""Rules about the seam: E is captured where the adapter says, and injected there."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from itertools import groupby
from pathlib import Path

import torch
from torch import nn

from sea_core.errors import DataError
from sea_core.model.embedding import Embedding, stack
from sea_core.model.mllm import MLLM
from sea_core.model.numerics import changes_logits
from sea_core.model.proof import (
    another_embedding_changes_something,
    encoder_is_skipped,
    nothing_leaks_past_the_seam,
    own_embedding_changes_nothing,
    without_weights,
)
from sea_core.plugin.contract.rule import (
    LONG_QUESTION,
    AdapterUnderTest,
    RuleViolation,
    listed,
    require,
    require_error,
    rule,
)


@rule("Check `checkpoint`, `architectures`, `load`, `projector`, `backbone` and `language_model` against the model.")
def parts(subject: AdapterUnderTest) -> None:
    """The model loads, and the adapter finds its parts in it."""
    mllm, adapter = subject.mllm, subject.adapter
    modules = set(mllm.model.modules())
    for name in ("backbone", "projector", "language_model"):
        module = getattr(adapter, name)(mllm.model)
        require(isinstance(module, nn.Module) and module in modules, f"`{name}` does not return a module of the model")
        require(getattr(adapter, name)(mllm.model) is module, f"`{name}` returns a different module on every call")
    same_token = f"`placeholder` and `end_token` are the same token, {adapter.placeholder!r}"
    require(mllm.placeholder_id != mllm.end_id, same_token)
    require(bool(mllm.encoder_parameters()), "no parameter belongs to the encoder: all are behind the seam")


@rule("`blank_input` must not draw random numbers, and the model must be in evaluation mode.")
def blank(subject: AdapterUnderTest) -> None:
    """The blank input is the same every time."""
    adapter, mllm = subject.adapter, subject.mllm
    first, second = (mllm.encode([adapter.blank_input(mllm.processor)])[0] for _ in range(2))
    is_same = first.grid == second.grid and torch.equal(first.features, second.features)
    require(is_same, "two blank inputs have different embeddings")


@rule("Raise DataError in `read_media`, with a hint that names the file types it reads.")
def files(subject: AdapterUnderTest) -> None:
    """A file of another type raises an error with advice."""
    processor = subject.mllm.processor
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "letter.txt"
        file.write_text("Dear reader, this is a letter.")
        require_error(lambda: subject.adapter.read_media(file, processor), "a text file given to `read_media`")


@rule("Check `placeholder`, `placeholders`, `split` and `conversation` against the prompt that `inputs` makes.")
def prompt(subject: AdapterUnderTest) -> None:
    """The prompt for an embedding is the model's ordinary prompt."""
    for name, medium in subject.media.items():
        embedding = subject.embeddings[name]
        shape = tuple(embedding.features.shape)
        require(len(shape) == 2, f"`split` returned an E of shape {shape} instead of (n_features, d_encoder)")
        ordinary = subject.mllm.media_inputs([subject.question()], [medium])["input_ids"][0].tolist()
        ours = subject.mllm.prompt_ids(subject.question(), embedding)
        ours_count, ordinary_count = (ids.count(subject.mllm.placeholder_id) for ids in (ours, ordinary))
        counts = f"an E of {len(embedding)} vectors makes {ours_count} placeholders, the ordinary prompt has "
        require(ours_count == ordinary_count, f"{counts}{ordinary_count}")
        require(ours == ordinary, _text_difference(subject.mllm, ours, ordinary))


@rule("`conversation` must hand on the question as it is; `placeholder` and `end_token` must be added tokens.")
def literals(subject: AdapterUnderTest) -> None:
    """The names of special tokens in a question or an answer are text, or are refused with advice."""
    mllm, marks = subject.mllm, subject.mllm.text_tokenizer.marks
    question, blank = subject.question(), subject.blank

    def special(ids: Sequence[int]) -> list[str]:
        return [marks[i] for i in ids if i in marks]

    # All literals at once, and those of the adapter alone: one may be refused, and others not.
    for literal in (" ".join(marks.values()), subject.adapter.placeholder, marks[mllm.end_id]):
        with suppress(DataError):
            found = special(mllm.answer_ids(f"{literal} {question}"))
            require(found == [marks[mllm.end_id]], f"an answer with {literal!r} holds the tokens {listed(found)}")
        with suppress(DataError):
            found = special(mllm.prompt_ids(f"{literal} {question}", blank))
            expected = special(mllm.prompt_ids(question, blank))
            require(found == expected, f"a question with {literal!r} holds the tokens {listed(found)}")


@rule(
    "The prompt, the positions or the projector differ from the ordinary forward: check `projector` and `split`.",
    needs="prompt",
)
def injection(subject: AdapterUnderTest) -> None:
    """Injecting a medium's own embedding changes nothing, at any position."""
    own_embedding_changes_nothing(subject.proof)


@rule("`projector` must be the only way from the encoder to the language model.")
def leak(subject: AdapterUnderTest) -> None:
    """With another medium's embedding, the ordinary forward is that of the other medium, to the last bit."""
    nothing_leaks_past_the_seam(subject.proof)


@rule("Check the attention mask and the positions that `inputs` and `position_ids` make for padded sequences.")
def padding(subject: AdapterUnderTest) -> None:
    """The same holds in a batch that is padded on the left or on the right."""
    mllm = subject.mllm
    questions = [subject.question(LONG_QUESTION), subject.question()]
    for side in ("left", "right"):
        with padding_side(mllm, side), mllm.inject(), torch.no_grad():
            inputs = mllm.media_inputs(questions, list(subject.media.values()))
            ids, mask = inputs["input_ids"], inputs["attention_mask"]
            ordinary = mllm.hidden(**inputs)
            embeddings = stack(list(subject.embeddings.values()))
            injected = mllm.hidden(input_ids=ids, attention_mask=mask, **embeddings)
        is_token = mask.bool()
        subject.require_same(
            mllm.logits(injected[is_token]), mllm.logits(ordinary[is_token]), f"a batch padded on the {side}"
        )
    subject.require_two_shapes()


@rule("The model ignores what crosses the seam: check `placeholder` and `projector`, or the weights.")
def perturbation(subject: AdapterUnderTest) -> None:
    """Injecting another embedding changes the hidden states."""
    another_embedding_changes_something(subject.proof)


@rule("`inputs` must pass the media on, and the model must use them.")
def media(subject: AdapterUnderTest) -> None:
    """A sample and the blank input give different logits."""
    blank, sample = (subject.ordinary_logits(medium)[-1] for medium in subject.media.values())
    require(changes_logits(sample, blank), "the logits for the sample are those for the blank input")


@rule("Something between E and the logits cuts the graph (no_grad, detach), or a weight is trainable.")
def gradient(subject: AdapterUnderTest) -> None:
    """The gradient reaches every vector of E, and no weight."""
    features = subject.blank.features.to(subject.mllm.wide_dtype).requires_grad_(True)
    logits = subject.differentiable_logits(subject.blank.with_features(features))
    require(logits.requires_grad, "the logits have no graph")
    torch.autograd.backward(logits.log_softmax(-1)[:, 0].sum())
    if features.grad is None:
        raise RuleViolation("no gradient reaches E")
    require(bool(features.grad.isfinite().all()), "the gradient is not finite")
    without = int((features.grad == 0).all(-1).sum())
    require(without == 0, f"no gradient reaches {without} of the {len(features)} vectors of E")
    trained = [name for name, p in subject.mllm.model.named_parameters() if p.requires_grad or p.grad is not None]
    require(not trained, f"the gradient also reaches {len(trained)} weights, for example {trained[:1]}")


@rule("The backbone must accept `inputs_embeds`, and not run the encoder if there are no media inputs.")
def encoder_skipped(subject: AdapterUnderTest) -> None:
    """The encoder, a quarter or more of all before the decoder, does not run when an embedding is injected."""
    encoder_is_skipped(subject.proof)
    blank = subject.blank
    with without_weights(subject.mllm.encoder_parameters()):
        subject.mllm.generate([subject.question()], [blank], 1)


@rule("Do not let the projector truncate, fill or broadcast: an embedding of the wrong shape must raise an error.")
def shape(subject: AdapterUnderTest) -> None:
    """An embedding of the wrong shape raises an error with advice."""
    blank, features = subject.blank, subject.blank.features
    wider = blank.with_features(torch.cat([features, features[:, :1]], dim=1))
    require_error(lambda: _run(subject, wider), "a wider embedding")
    require_error(lambda: _run(subject, blank.with_features(features[None])), "a 3-D embedding")
    require_error(lambda: _run(subject, blank, repeat=2), "an embedding with half of the prompt's vectors")


@rule("Register every forward hook in a `with` block that removes it, and none in an adapter's method.")
def hooks(subject: AdapterUnderTest) -> None:
    """No forward hook remains, not even after an error."""
    mllm, adapter = subject.mllm, subject.adapter
    before = _count_hooks(subject)
    mllm.encode([adapter.blank_input(mllm.processor)])
    subject.injected_logits(subject.blank)
    for find in (adapter.backbone, adapter.projector, adapter.language_model):
        find(mllm.model)
    after = _count_hooks(subject)
    require(after == before, f"the model's modules had {before} hooks before, and {after} after")
    require_error(lambda: _run(subject, subject.blank, repeat=2), "an embedding that is too short")
    after = _count_hooks(subject)
    require(after == before, f"the model's modules had {before} hooks before an error, and {after} after")


RULES = (
    parts,
    blank,
    files,
    prompt,
    literals,
    injection,
    leak,
    padding,
    perturbation,
    media,
    gradient,
    encoder_skipped,
    shape,
    hooks,
)


def _text_difference(mllm: MLLM, ours: Sequence[int], ordinary: Sequence[int]) -> str:
    """Return how two prompts with the same number of placeholders differ, from shortly before the difference."""
    texts = [_shown(mllm, ids) for ids in (ours, ordinary)]
    same = next((n for n, (a, b) in enumerate(zip(*texts, strict=False)) if a != b), 0)
    begin = max(0, same - 40)
    shown = [repr(f"{'...' * (begin > 0)}{text[begin : begin + 120]}") for text in texts]
    more = len(ordinary) > len(ours)
    remedy = ". The processor adds text around the placeholders: use `replay`" if more else ""
    return (
        f"the text around the placeholders differs from the ordinary prompt: {shown[0]} instead of {shown[1]}{remedy}"
    )


def _shown(mllm: MLLM, ids: Sequence[int]) -> str:
    """Return the text of a prompt, with one placeholder and their number for each run of them."""
    text = ""
    for is_placeholder, run in groupby(ids, lambda i: i == mllm.placeholder_id):
        part = list(run)
        text += f"{mllm.adapter.placeholder} x {len(part)}" if is_placeholder else mllm.tokenizer.decode(part)
    return text


@contextmanager
def padding_side(mllm: MLLM, side: str) -> Iterator[None]:
    """Set the side on which the tokenizer pads a batch."""
    original = mllm.tokenizer.padding_side
    mllm.tokenizer.padding_side = side
    try:
        yield
    finally:
        mllm.tokenizer.padding_side = original


def _run(subject: AdapterUnderTest, embedding: Embedding, repeat: int = 1) -> None:
    """Run the model on an embedding and the blank's prompt, with each of its placeholders `repeat` times."""
    mllm = subject.mllm
    ids = mllm.prompt_ids(subject.question(LONG_QUESTION), subject.blank)
    prompt = [i for i in ids for _ in range(repeat if i == mllm.placeholder_id else 1)]
    mllm.answer_logits(mllm.batch([prompt], [[mllm.end_id]]), [embedding])


def _count_hooks(subject: AdapterUnderTest) -> int:
    names = ("_forward_pre_hooks", "_forward_hooks", "_backward_pre_hooks", "_backward_hooks")
    return sum(len(getattr(module, name)) for module in subject.mllm.model.modules() for name in names)
