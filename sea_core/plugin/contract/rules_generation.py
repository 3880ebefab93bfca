"""Rules about batches and generation."""

from __future__ import annotations

import torch

from sea_core.model.embedding import Embedding
from sea_core.model.numerics import max_rounding
from sea_core.plugin.contract.rule import LONG_QUESTION, AdapterUnderTest, NotTested, require, rule
from sea_core.plugin.contract.rules_seam import padding_side

MAX_NEW_TOKENS = 8
BEAMS = 2


@rule("Padding must have no influence: check `inputs` and `split` for a batch, the attention mask and the positions.")
def batch_encoding(subject: AdapterUnderTest) -> None:
    """Encoding a batch of media gives the embeddings of each alone."""
    batched = subject.mllm.encode(list(subject.media.values()))
    for (name, alone), embedding in zip(subject.embeddings.items(), batched, strict=True):
        lengths = f"the {name}'s embedding has {len(alone)} vectors alone and {len(embedding)} in a batch"
        require(alone.features.shape == embedding.features.shape, lengths)
        subject.require_same(embedding.features, alone.features, f"the {name} encoded in a batch")
    subject.require_two_shapes()


@rule("Padding must have no influence: check the attention mask and `position_ids`.")
def batch(subject: AdapterUnderTest) -> None:
    """Logits and answers in a batch are those of each prompt alone."""
    mllm = subject.mllm
    pairs = _unequal_prompts(subject)
    questions, embeddings = [question for question, _ in pairs], [embedding for _, embedding in pairs]
    prompts = [mllm.prompt_ids(question, e) for question, e in pairs]
    answers = [mllm.answer_ids("A lamp." * n) for n, _ in enumerate(pairs, 1)]
    with torch.no_grad():
        logits, _, index = mllm.answer_logits(mllm.batch(prompts, answers), embeddings)
        for i, (ids, answer, e) in enumerate(zip(prompts, answers, embeddings, strict=True)):
            alone = mllm.answer_logits(mllm.batch([ids], [answer]), [e])[0]
            subject.require_same(logits[index == i], alone, f"prompt {i + 1} in a batch of {len(pairs)}")
    batched = mllm.generate(questions, embeddings, MAX_NEW_TOKENS)
    single = [mllm.generate([question], [e], MAX_NEW_TOKENS)[0] for question, e in pairs]
    texts = f"generated in a batch: {mllm.detokenize(batched[0])!r}, alone: {mllm.detokenize(single[0])!r}"
    require(batched == single, texts)


@rule("Embeddings must reach the prompts with placeholders only: check the attention mask and `position_ids`.")
def mixed_batch(subject: AdapterUnderTest) -> None:
    """A batch may mix prompts about media and prompts in plain text."""
    mllm, embedding = subject.mllm, subject.embeddings["sample"]
    if not mllm.mechanism.mixes_batches:
        raise NotTested(
            "not every model that is replayed takes such a batch, so it is aligned one example at a time: nothing is "
            "to be corrected"
        )
    text, about = mllm.prompt_ids("How are you?", None), mllm.prompt_ids(subject.question(), embedding)
    with torch.no_grad():
        logits, _, index = mllm.answer_logits(mllm.batch([text, about], [[mllm.end_id]] * 2), [embedding])
        text_alone = mllm.answer_logits(mllm.batch([text], [[mllm.end_id]]))[0]
        about_alone = mllm.answer_logits(mllm.batch([about], [[mllm.end_id]]), [embedding])[0]
    subject.require_same(logits[index == 0], text_alone, "plain text in a batch with media")
    subject.require_same(logits[index == 1], about_alone, "media in a batch with plain text")


@rule("`generate` must compute what the forward computes: check the attention mask and the positions that it makes.")
def greedy(subject: AdapterUnderTest) -> None:
    """Greedy decoding agrees with the argmax of the teacher-forced logits."""
    mllm = subject.mllm
    for question, embedding in _unequal_prompts(subject):
        (answer,) = mllm.generate([question], [embedding], MAX_NEW_TOKENS)
        if len(answer) < MAX_NEW_TOKENS:
            answer = [*answer, mllm.end_id]
        with torch.no_grad():
            batch = mllm.batch([mllm.prompt_ids(question, embedding)], [answer])
            logits, targets, _ = mllm.answer_logits(batch, [embedding])
        logits[:, mllm.placeholder_id] = -torch.inf  # `generate` suppresses it
        gap = (logits.amax(1) - logits.gather(1, targets[:, None])[:, 0]).max().item()
        rounding = max_rounding(logits[logits.isfinite()], mllm.dtype)
        problem = f"{mllm.detokenize(answer)!r} was generated, but one of its tokens is {gap:.3g} logits below the best"
        require(gap <= rounding, problem)


@rule("The prompt or the positions differ between the two: fix the rules before this one first.")
def media_answer(subject: AdapterUnderTest) -> None:
    """Generating from an embedding gives the answer that its medium gives."""
    mllm = subject.mllm
    for name, medium in subject.media.items():
        inputs = mllm.media_inputs([subject.question()], [medium])
        with mllm.greedy_settings(MAX_NEW_TOKENS) as settings:
            output = mllm.model.generate(**inputs, generation_config=settings)[0]
        ids = output[inputs["input_ids"].shape[1] :].tolist()
        ordinary = ids[: ids.index(mllm.end_id)] if mllm.end_id in ids else ids
        (ours,) = mllm.generate([subject.question()], [subject.embeddings[name]], MAX_NEW_TOKENS)
        texts = f"{mllm.detokenize(ours)!r} from the embedding, {mllm.detokenize(ordinary)!r} from the medium"
        require(ours == ordinary, texts)


@rule("`generate` must repeat each embedding together with its prompt: check `position_ids` for repeated prompts.")
def beam_search(subject: AdapterUnderTest) -> None:
    """The same holds for beam search in a batch."""
    mllm = subject.mllm
    questions = [subject.question(LONG_QUESTION), subject.question()]
    embeddings = list(subject.embeddings.values())
    with padding_side(mllm, "left"):
        inputs = mllm.media_inputs(questions, list(subject.media.values()))
    ids, mask = inputs["input_ids"], inputs["attention_mask"]
    more = mllm.mechanism.generation_inputs(ids, mask, embeddings)
    with torch.no_grad(), mllm.greedy_settings(MAX_NEW_TOKENS) as settings:
        settings.num_beams = BEAMS
        ordinary = mllm.model.generate(**inputs, generation_config=settings)
        with mllm.inject(embeddings):
            ours = mllm.model.generate(input_ids=ids, attention_mask=mask, generation_config=settings, **more)
    answers, expected = (output[:, ids.shape[1] :].tolist() for output in (ours, ordinary))
    texts = f"{mllm.detokenize(answers[0])!r} from the embeddings, {mllm.detokenize(expected[0])!r} from the media"
    require(answers == expected, texts)


RULES = (batch_encoding, batch, mixed_batch, greedy, media_answer, beam_search)


def _unequal_prompts(subject: AdapterUnderTest) -> list[tuple[str, Embedding]]:
    """Return questions and embeddings that make prompts of unequal length.

    Embeddings are shortened, but for those with a grid, and where their length has no influence on the prompt: a
    projector from a fixed number of vectors takes no other.
    """
    blank, sample = subject.embeddings.values()
    half, count = len(sample) // 2, subject.adapter.placeholders
    can_shorten = not subject.mllm.replayed and not sample.grid and half > 0 and count(half) != count(len(sample))
    short = sample.with_features(sample.features[:half]) if can_shorten else sample
    return [(subject.question(LONG_QUESTION), blank), (subject.question(), short), (subject.question(), sample)]
