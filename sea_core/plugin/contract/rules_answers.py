"""Rules about answers: batches, generation, and what becomes of the model afterwards."""

from __future__ import annotations

import tempfile
import warnings
from typing import Any

import torch
from torch import nn

from sea_core.model.checkpoint import quiet_loading
from sea_core.model.embedding import Embedding
from sea_core.model.mllm import MLLM
from sea_core.model.numerics import changes_logits, max_rounding
from sea_core.plugin.contract.rule import LONGER, QUESTION, AdapterUnderTest, encoder_parameters, listed, require, rule

TOKENS = 8


@rule("Padding must not be seen: check `inputs` and `split` for a batch, the attention mask and the positions.")
def batch(subject: AdapterUnderTest) -> None:
    """A batch of many gives what each of them gives alone."""
    mllm = subject.mllm
    together = mllm.encode(subject.media)
    for name, one, many in zip(("blank", "signal"), subject.embeddings, together, strict=True):
        require(
            one.features.shape == many.features.shape,
            f"the {name} has {len(one)} rows alone and {len(many)} in a batch",
        )
        subject.require_same(many.features, one.features, f"the {name} encoded in a batch")
    pairs = _unequal(subject)
    questions, shown = [q for q, _ in pairs], [e for _, e in pairs]
    prompts = [mllm.prompt_ids(q, len(e)) for q, e in pairs]
    answers = [mllm.answer_ids("A lamp." * n) for n, _ in enumerate(pairs, 1)]
    with torch.no_grad():
        logits, _, row = mllm.answer_logits(mllm.batch(prompts, answers), shown)
        for i, (ids, answer, e) in enumerate(zip(prompts, answers, shown, strict=True)):
            alone = mllm.answer_logits(mllm.batch([ids], [answer]), [e])[0]
            subject.require_same(logits[row == i], alone, f"row {i} of {len(pairs)}")
    many_said = mllm.generate(questions, shown, TOKENS)
    said = [mllm.generate([q], [e], TOKENS)[0] for q, e in pairs]
    require(
        many_said == said,
        f"generated in a batch: {mllm.detokenize(many_said[0])!r}, alone: {mllm.detokenize(said[0])!r}",
    )


@rule("`generate` must see what the forward sees: check the attention mask and the positions it makes.")
def greedy(subject: AdapterUnderTest) -> None:
    """Greedy decoding says what the teacher-forced argmax says."""
    mllm = subject.mllm
    for question, embedding in _unequal(subject):
        (said,) = mllm.generate([question], [embedding], TOKENS)
        if len(said) < TOKENS:
            said = [*said, mllm.end_id]
        with torch.no_grad():
            asked = mllm.batch([mllm.prompt_ids(question, len(embedding))], [said])
            logits, targets, _ = mllm.answer_logits(asked, [embedding])
        logits[:, mllm.placeholder_id] = -torch.inf  # which `generate` leaves out
        behind = (logits.amax(1) - logits.gather(1, targets[:, None])[:, 0]).max().item()
        most = max_rounding(logits[logits.isfinite()], mllm.dtype)
        require(
            behind <= most, f"{mllm.detokenize(said)!r} was generated, but a token of it is {behind:.3g} logits behind"
        )


@rule("The prompt or the positions differ between the two: compare the rules before this one.")
def media_answer(subject: AdapterUnderTest) -> None:
    """Generating from an embedding gives what generating from its medium gives."""
    mllm = subject.mllm
    for medium, embedding in zip(subject.media, subject.embeddings, strict=True):
        inputs = mllm.media_inputs([subject.ask()], [medium])
        with mllm.greedy_settings(TOKENS) as settings:
            out = mllm.model.generate(**inputs, generation_config=settings)[0, inputs["input_ids"].shape[1] :].tolist()
        ordinary = out[: out.index(mllm.end_id)] if mllm.end_id in out else out
        (ours,) = mllm.generate([subject.ask()], [embedding], TOKENS)
        require(
            ours == ordinary,
            f"{mllm.detokenize(ours)!r} from the embedding, {mllm.detokenize(ordinary)!r} from the medium",
        )


@rule("`load` must read every weight and the processor from the folder, and none from elsewhere.")
def save(subject: AdapterUnderTest) -> None:
    """Saving and loading the model changes no logit."""
    mllm, adapter = subject.mllm, subject.adapter
    with tempfile.TemporaryDirectory() as folder, quiet_loading():
        mllm.model.save_pretrained(folder)
        mllm.processor.save_pretrained(folder)
        model, processor = adapter.load(folder, dtype=mllm.dtype, device=str(mllm.device))
    again = AdapterUnderTest(adapter, lambda: MLLM(adapter, model, processor))
    again.blank_medium, again.signal_medium = subject.media
    for name, one, other in zip(("blank", "signal"), again.embeddings, subject.embeddings, strict=True):
        subject.require_same(again.skipped(one), subject.skipped(other), f"the {name} after saving and loading")


@rule("`language_model` must return the decoder alone: neither the projector nor the encoder may lie in it.")
def lora(subject: AdapterUnderTest) -> None:
    """LoRA lands on the language model only, changes the logits, and can be switched off."""
    mllm = subject.mllm
    decoder = subject.adapter.language_model(mllm.model)
    before = subject.skipped(subject.blank)
    tuned = _with_lora(mllm.model, decoder)
    try:
        inside = {id(p) for p in decoder.parameters()}
        strays = [n for n, p in tuned.named_parameters() if p.requires_grad and id(p) not in inside]
        require(not strays, f"LoRA also landed on {listed(strays[:2])}")
        front = {id(p) for p in (*mllm.projector.parameters(), *encoder_parameters(mllm))}
        require(
            bool(encoder_parameters(mllm)) and not front & inside, "what `language_model` returns holds the projector"
        )
        require(changes_logits(subject.skipped(subject.blank), before), "LoRA does not change the logits")
        with tuned.disable_adapter():
            subject.require_same(subject.skipped(subject.blank), before, "LoRA switched off")
    finally:
        tuned.unload()
        mllm.model.requires_grad_(False)
    subject.require_same(subject.skipped(subject.blank), before, "LoRA taken off")


RULES = (batch, greedy, media_answer, save, lora)


def _with_lora(model: nn.Module, decoder: nn.Module) -> Any:
    from peft import LoraConfig, get_peft_model
    from transformers.pytorch_utils import Conv1D

    names = {module: name for name, module in model.named_modules()}
    targets = [names[m] for m in decoder.modules() if isinstance(m, nn.Linear | Conv1D)]
    require(bool(targets), "there is no linear layer in what `language_model` returns")
    # Random from the start: an untrained LoRA is zero and would change nothing.
    config = LoraConfig(r=2, target_modules=targets, init_lora_weights=False)
    with warnings.catch_warnings(action="ignore", category=FutureWarning):  # the library's, about its own names
        return get_peft_model(model, config)


def _unequal(subject: AdapterUnderTest) -> list[tuple[str, Embedding]]:
    """Return questions with embeddings that make prompts of unequal length, where the rows lie on no grid."""
    blank, signal = subject.embeddings
    short = signal if signal.grid or len(signal) < 2 else signal.with_features(signal.features[: len(signal) // 2])
    return [(subject.ask(LONGER), blank), (subject.ask(QUESTION), short), (subject.ask(QUESTION), signal)]
