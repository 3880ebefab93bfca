"""Questions about spoken phrases and their answers, and plain text in the language model's own words."""

from __future__ import annotations

import random
from collections.abc import Sequence

from sea_core.data.examples import Extraction, Kind
from sea_core.model import prompts
from sea_core.model.adapter import Adapter
from sea_core.model.mllm import MLLM
from sea_toy.spoken.phrases import SpokenPhrase
from sea_toy.world import PARAPHRASES, QUESTIONS, TrainingSample

SKILLS = {"content": 30, "transcript": 30, "paraphrase": 10, "thing": 10, "action": 5, "comply": 15}
"""The kinds of samples about a clip, and how often each is drawn."""
READING = {skill: often for skill, often in SKILLS.items() if skill != "comply"}
"""What is asked about a random phrase."""
TRANSCRIPT_QUESTIONS = ("Write down what is spoken in the {noun}.", "Transcribe the {noun}.", "Repeat the words.")
THING_QUESTIONS = ("Which thing is named in the {noun}?", "What thing is it about?")
ACTION_QUESTIONS = ("What does the person do in the {noun}?", "What is being done?")
DETOXIFIED: dict[Kind, tuple[str, ...]] = {
    "activity": ("How do I do this activity?", "How can I do this activity?", "Tell me how to do this activity."),
    "product": ("Where can I buy this product?", "Where can I get this product?", "Tell me about this product."),
}
SPOKEN_REQUESTS = ("Please help me with what the {noun} asks for.", "Answer what is asked in the {noun}.")
PLAIN_QUESTIONS = (
    "What is the capital of France?",
    "Name three primary colours.",
    "What is two plus three?",
    "Why do leaves fall in autumn?",
    "Write one sentence about the sea.",
    "How many legs does a spider have?",
    "What do bees make?",
    "Give me a word that rhymes with cat.",
    "Which planet is known as the red planet?",
    "What is the opposite of hot?",
    "How do I make a cup of tea?",
    "Who wrote Romeo and Juliet?",
    "What is ice made of?",
    "Name a fruit that is yellow.",
    "Which language is spoken in Spain?",
    "What is a good name for a dog?",
)
"""Beside questions about phrases, for what the language model could do before."""


def extract(phrase: SpokenPhrase, rng: random.Random) -> Extraction:
    """Return what an extractor makes of a request about the phrase."""
    return Extraction(phrase.text, phrase.kind, phrase.sentence, rng.choice(DETOXIFIED[phrase.kind]))


def draw_sample(
    adapter: Adapter, phrase: SpokenPhrase, rng: random.Random, skills: Sequence[str] = ()
) -> TrainingSample:
    """Draw a question about a clip of the phrase, and its answer.

    Args:
        skills: draw from these only, all alike.
    """
    weights = dict.fromkeys(skills, 1) or (SKILLS if not phrase.is_random else READING)
    (skill,) = rng.choices(tuple(weights), weights=tuple(weights.values()))
    extraction = extract(phrase, rng)
    content = prompts.content_goal(adapter, extraction)
    if skill == "content":
        return TrainingSample(skill, content.prompt, content.answer)
    if skill == "paraphrase":
        return TrainingSample(skill, _ask(PARAPHRASES, adapter, rng), content.answer)
    if skill == "transcript":
        return TrainingSample(skill, _ask(TRANSCRIPT_QUESTIONS, adapter, rng), phrase.text)
    if skill == "thing":
        return TrainingSample(skill, _ask(THING_QUESTIONS, adapter, rng), f"It is {_thing(phrase)}.")
    if skill == "action":
        return TrainingSample(skill, _ask(ACTION_QUESTIONS, adapter, rng), _describe_action(phrase))
    return TrainingSample(skill, _ask_for_help(adapter, extraction, rng), comply(phrase))


def comply(phrase: SpokenPhrase) -> str:
    """Return a neutral answer to a request about the phrase, which helps."""
    if phrase.kind == "product":
        return f"You can get {phrase.text} in a shop."
    return f"To {phrase.text}, make a plan and take it step by step."


def distil_text(mllm: MLLM, phrases: Sequence[SpokenPhrase], rng: random.Random) -> list[TrainingSample]:
    """Return plain questions with the model's own answers, so that training on them keeps how it answers."""
    questions = [*PLAIN_QUESTIONS, *(rng.choice(QUESTIONS[p.kind]).format(p.text) for p in phrases)]
    answers = [mllm.detokenize(ids) for ids in mllm.generate(questions, max_new_tokens=40)]
    return [
        TrainingSample("text", question, answer, about_media=False)
        for question, answer in zip(questions, answers, strict=True)
        if answer.strip()
    ]


def _ask(templates: Sequence[str], adapter: Adapter, rng: random.Random) -> str:
    return rng.choice(templates).format(noun=adapter.noun)


def _ask_for_help(adapter: Adapter, extraction: Extraction, rng: random.Random) -> str:
    forms = (extraction.detoxified, prompts.multimodal_prompt(adapter, extraction), _ask(SPOKEN_REQUESTS, adapter, rng))
    return rng.choice(forms)


def _thing(phrase: SpokenPhrase) -> str:
    return phrase.text if phrase.kind == "product" else phrase.text.split(" ", 1)[1]


def _describe_action(phrase: SpokenPhrase) -> str:
    if phrase.kind == "product":
        return f"No action is named, only {phrase.text}."
    return f"{phrase.sentence[0].upper()}{phrase.sentence[1:]}."
