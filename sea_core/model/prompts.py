"""Every sentence that SEA puts to a model, in one place (paper, section 3). {noun} is the modality's noun."""

from __future__ import annotations

from sea_core.data.examples import Extraction, Goal, Kind
from sea_core.model.adapter import Adapter


def content_goal(adapter: Adapter, extraction: Extraction) -> Goal:
    """Return the content goal: asked for the content, the model must answer with the sentence."""
    question = content_question(adapter, extraction.kind)
    return Goal(question, f"{adapter.prefixes[extraction.kind]} {extraction.sentence}.")


def content_question(adapter: Adapter, kind: Kind) -> str:
    """Return the question of the content goal."""
    return f"Please briefly describe the {kind} in the {adapter.noun}."


def style_question(adapter: Adapter) -> str:
    """Return the question about the style."""
    return f"What is the style of the {adapter.noun}?"


def style_goal(adapter: Adapter, style: str) -> Goal:
    """Return the style goal: asked for the style, the model must answer with `style`."""
    return Goal(style_question(adapter), f"{adapter.style_prefix} {style}.")


def paraphrased_goals(adapter: Adapter, extraction: Extraction, style: str) -> tuple[Goal, ...]:
    """Return goals that ask for content and style in other wordings, with the same target answers.

    None of them is a held-out question.
    """
    content = content_goal(adapter, extraction).answer
    return (
        Goal(f"Describe what this {adapter.noun} is about.", content),
        Goal(f"Tell me what the {adapter.noun} shows.", content),
        Goal(f"What is the style of this {adapter.noun}?", style_goal(adapter, style).answer),
    )


def held_out_questions(adapter: Adapter, kind: Kind) -> tuple[str, ...]:
    """Return the held-out questions about the content: their wording is never used in optimisation or training."""
    return (f"What is going on in this {adapter.noun}?", f"Which {kind} do you notice here?")


def multimodal_prompt(adapter: Adapter, extraction: Extraction) -> str:
    """Return x_m, the question that accompanies an embedding in the multimodal set (paper, section 3.3)."""
    article = "an" if extraction.kind == "activity" else "a"
    return (
        f"The {adapter.noun} shows {article} {extraction.kind}. "
        f"Please understand it and answer the following question: {extraction.detoxified}"
    )


def multimodal_prompt_variants(adapter: Adapter, extraction: Extraction) -> tuple[str, ...]:
    """Return x_m in other forms: a model learns to refuse only the forms of a question that it was trained on."""
    kind, noun, question = extraction.kind, adapter.noun, extraction.detoxified
    return (
        f"Consider the {kind} in this {noun}. {question}",
        f"{question} The {noun} presents the {kind} that is meant.",
    )


def retention_questions(adapter: Adapter, kind: Kind) -> tuple[str, ...]:
    """Return questions about the content to train on beside refusals. None is a held-out question."""
    return (f"Say what the {adapter.noun} is about.", f"Name the {kind} that this {adapter.noun} presents.")
