"""Rules about the seam: E is read where the adapter says, and put back there."""

from __future__ import annotations

import tempfile
from pathlib import Path

import torch
from torch import nn

from sea_core.errors import ModelError, PluginError, SeaError
from sea_core.model.embedding import Embedding
from sea_core.model.numerics import changes_logits
from sea_core.plugin.contract.rule import LONGER, AdapterUnderTest, encoder_parameters, require, rule


@rule("Check `checkpoint`, `architectures`, `load`, `projector`, `backbone` and `language_model` against the model.")
def parts(subject: AdapterUnderTest) -> None:
    """The model loads, and the adapter finds its parts in it."""
    mllm, adapter = subject.mllm, subject.adapter
    inside = set(mllm.model.modules())
    for name in ("backbone", "projector", "language_model"):
        found = getattr(adapter, name)(mllm.model)
        require(isinstance(found, nn.Module) and found in inside, f"`{name}` returned no module of the model")
        require(getattr(adapter, name)(mllm.model) is found, f"`{name}` returns another module on every call")
    require(mllm.placeholder_id != mllm.end_id, f"`placeholder` and `end_token` are one token, {adapter.placeholder!r}")
    require(bool(encoder_parameters(mllm)), "no weight of the model is the encoder's: all lie behind the seam")


@rule("`blank_input` must not draw random numbers, and the model must be in evaluation mode.")
def blank(subject: AdapterUnderTest) -> None:
    """The blank input is the same every time."""
    adapter, mllm = subject.adapter, subject.mllm
    first, second = (mllm.encode([adapter.blank_input(mllm.processor)])[0] for _ in range(2))
    require(
        first.grid == second.grid and torch.equal(first.features, second.features), "two blanks have two embeddings"
    )


@rule("Raise DataError in `read_media`, with a hint that says which files it takes.")
def files(subject: AdapterUnderTest) -> None:
    """A file that is no such medium is refused in words."""
    processor = subject.mllm.processor
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "letter.txt"
        file.write_text("Dear reader, this is a letter.")
        try:
            subject.adapter.read_media(file, processor)
        except PluginError:
            raise
        except SeaError as error:
            require(bool(error.hint), f"the refusal does not say what to do: {error.what}")
        else:
            require(False, "`read_media` took a text file for a medium")


@rule("Check `placeholder`, `placeholders`, `split` and `conversation` against what `inputs` makes of the prompt.")
def prompt(subject: AdapterUnderTest) -> None:
    """The prompt for an embedding is the model's ordinary prompt."""
    for medium, embedding in zip(subject.media, subject.embeddings, strict=True):
        require(
            embedding.features.ndim == 2,
            f"`split` gave an E of shape {tuple(embedding.features.shape)}, not (rows, width)",
        )
        ordinary = subject.mllm.media_inputs([subject.ask()], [medium])["input_ids"][0].tolist()
        ours = subject.mllm.prompt_ids(subject.ask(), len(embedding))
        at, held = subject.mllm.placeholder_id, len(embedding)
        seen = f"{held} rows of E make {ours.count(at)} placeholders, the ordinary prompt has {ordinary.count(at)}"
        require(ours == ordinary, seen if ours.count(at) != ordinary.count(at) else "the text around them differs")


@rule("The prompt, the positions or the projector differ from the ordinary forward: check `projector` and `split`.")
def put_back(subject: AdapterUnderTest) -> None:
    """Putting an embedding back in place of its medium changes no logit."""
    for name, medium, embedding in zip(("blank", "signal"), subject.media, subject.embeddings, strict=True):
        subject.require_same(subject.skipped(embedding), subject.ordinary(medium), f"the {name}'s embedding put back")


@rule("The model ignores what crosses the seam: check `placeholder` and `projector`, or the weights.")
def other(subject: AdapterUnderTest) -> None:
    """Another embedding changes the logits."""
    changed = subject.skipped(subject.blank.perturbed())
    require(changes_logits(changed, subject.skipped(subject.blank)), "another embedding gave the same logits")


@rule("`inputs` must hand the media on, and the model must look at them.")
def media(subject: AdapterUnderTest) -> None:
    """A signal gives other logits than a blank."""
    blank, signal = (subject.ordinary(medium)[-1] for medium in subject.media)
    require(changes_logits(signal, blank), "the logits after a signal are the blank's")


@rule("Something between E and the logits cuts the graph (no_grad, detach), or a weight was left trainable.")
def gradient(subject: AdapterUnderTest) -> None:
    """The gradient reaches every row of E, and no weight."""
    rows = subject.blank.features.to(subject.mllm.wide_dtype).requires_grad_(True)
    logits = subject.logits(subject.blank.with_features(rows))
    require(logits.requires_grad, "no gradient comes back from the logits")
    torch.autograd.backward(logits.log_softmax(-1)[:, 0].sum())
    require(rows.grad is not None, "no gradient reaches E")
    assert rows.grad is not None
    require(bool(rows.grad.isfinite().all()), "the gradient is not a number")
    idle = int((rows.grad == 0).all(-1).sum())
    require(idle == 0, f"no gradient reaches {idle} of the {len(rows)} rows of E")
    trained = [name for name, p in subject.mllm.model.named_parameters() if p.requires_grad or p.grad is not None]
    require(not trained, f"the gradient also reaches {trained[:1]} and {len(trained)} weights in all")


@rule("The backbone must take `inputs_embeds` and leave the encoder alone where there are no media inputs.")
def skipped(subject: AdapterUnderTest) -> None:
    """The encoder is not run when an embedding is given: it may even be absent."""
    expected = subject.skipped(subject.blank)
    weights = encoder_parameters(subject.mllm)
    kept = [p.data for p in weights]
    try:
        for p in weights:
            p.data = p.data.new_empty(0)  # whatever runs the encoder now fails
        again = subject.skipped(subject.blank)
        subject.mllm.generate([subject.ask()], [subject.blank], 1)
    except (RuntimeError, IndexError) as error:
        require(False, f"without the encoder's weights the model fails: {str(error).splitlines()[0]}")
    finally:
        for p, data in zip(weights, kept, strict=True):
            p.data = data
    subject.require_same(again, expected, "without the encoder's weights")


@rule("Do not let the projector cut, fill or broadcast: what does not fit must be refused.")
def shape(subject: AdapterUnderTest) -> None:
    """An embedding of another shape is refused, with what was expected."""
    rows = subject.blank.features
    wider = subject.blank.with_features(torch.cat([rows, rows[:, :1]], dim=1))
    deeper = subject.blank.with_features(rows[None])
    for name, wrong in (("wider", wider), ("three-dimensional", deeper)):
        _refused(subject, wrong, len(rows), f"a {name} embedding")
    _refused(subject, subject.blank, 2 * len(rows), "an embedding of half as many rows as the prompt has room for")


@rule("Open every hook in a `with` block that removes it, and none in an adapter's method.")
def hooks(subject: AdapterUnderTest) -> None:
    """No hook is left behind, not even after an error."""
    mllm, adapter = subject.mllm, subject.adapter
    before = _hooks(subject)
    mllm.encode([adapter.blank_input(mllm.processor)])
    subject.skipped(subject.blank)
    for find in (adapter.backbone, adapter.projector, adapter.language_model):
        find(mllm.model)
    require(_hooks(subject) == before, f"there were {before} hooks on the model's modules, now {_hooks(subject)}")
    _refused(subject, subject.blank, 2 * len(subject.blank), "an embedding of half as many rows")
    require(_hooks(subject) == before, f"after an error there are {_hooks(subject)} hooks, {before} before")


RULES = (parts, blank, files, prompt, put_back, other, media, gradient, skipped, shape, hooks)


def _refused(subject: AdapterUnderTest, embedding: Embedding, n_features: int, what: str) -> None:
    mllm = subject.mllm
    batch = mllm.batch([mllm.prompt_ids(subject.ask(LONGER), n_features)], [[mllm.end_id]])
    try:
        mllm.answer_logits(batch, [embedding])
    except ModelError as error:
        require(bool(error.hint), f"{what} is refused without advice: {error.what}")
    else:
        require(False, f"{what} is taken")


def _hooks(subject: AdapterUnderTest) -> int:
    names = ("_forward_pre_hooks", "_forward_hooks", "_backward_pre_hooks", "_backward_hooks")
    return sum(len(getattr(module, name)) for module in subject.mllm.model.modules() for name in names)
