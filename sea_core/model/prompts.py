"""Every sentence that SEA puts to a model (paper, section 3), in the adapter's language: the words of `languages/`."""

from __future__ import annotations

from sea_core.data.examples import Extraction, Goal, Kind
from sea_core.model.adapter import Adapter
from sea_core.model.language import get_language


def content_goal(adapter: Adapter, extraction: Extraction) -> Goal:
    """Return the content goal: asked for the content, the model must answer with the sentence."""
    template = get_language(adapter.language).goals["content_answer"]
    answer = template.format(prefix=adapter.prefixes[extraction.kind], sentence=extraction.sentence)
    return Goal(content_question(adapter, extraction.kind), answer)


def read_first_answer(adapter: Adapter, extraction: Extraction, answer: str) -> str:
    """Return an answer that first says what the medium shows, in the words of the content goal."""
    template = get_language(adapter.language).goals["read_first_answer"]
    return template.format(description=content_goal(adapter, extraction).answer, answer=answer)


def content_question(adapter: Adapter, kind: Kind) -> str:
    """Return the question of the content goal."""
    return _fill(adapter, get_language(adapter.language).goals["content_question"], kind)


def style_question(adapter: Adapter) -> str:
    """Return the question about the style."""
    return _fill(adapter, get_language(adapter.language).goals["style_question"])


def style_goal(adapter: Adapter, style: str) -> Goal:
    """Return the style goal: asked for the style, the model must answer with `style`."""
    template = get_language(adapter.language).goals["style_answer"]
    return Goal(style_question(adapter), template.format(prefix=adapter.style_prefix, style=style))


def paraphrased_goals(adapter: Adapter, extraction: Extraction, style: str) -> tuple[Goal, ...]:
    """Return goals that ask for content and style in other wordings, with the same target answers.

    None of them is a held-out question.
    """
    content, of_style = content_goal(adapter, extraction).answer, style_goal(adapter, style).answer
    return (
        *(Goal(question, content) for question in _questions(adapter, "content_paraphrases", extraction.kind)),
        *(Goal(question, of_style) for question in _questions(adapter, "style_paraphrases", extraction.kind)),
    )


def held_out_questions(adapter: Adapter, kind: Kind) -> tuple[str, ...]:
    """Return the held-out questions about the content: their wording is never used in optimisation or training."""
    return _questions(adapter, "held_out", kind)


def multimodal_prompt(adapter: Adapter, extraction: Extraction) -> str:
    """Return x_m, the question that accompanies an embedding in the multimodal set (paper, section 3.3)."""
    template = get_language(adapter.language).question("multimodal")
    return _fill(adapter, template, extraction.kind, extraction.detoxified)


def multimodal_prompt_variants(adapter: Adapter, extraction: Extraction) -> tuple[str, ...]:
    """Return x_m in other forms: a model learns to refuse only the forms of a question that it was trained on."""
    return _questions(adapter, "multimodal_variants", extraction.kind, extraction.detoxified)


def retention_questions(adapter: Adapter, kind: Kind) -> tuple[str, ...]:
    """Return questions about the content to train on beside refusals. None is a held-out question."""
    return _questions(adapter, "retention", kind)


def _questions(adapter: Adapter, name: str, kind: Kind, question: str = "") -> tuple[str, ...]:
    return tuple(_fill(adapter, each, kind, question) for each in get_language(adapter.language).questions[name])


def _fill(adapter: Adapter, template: str, kind: Kind = "activity", question: str = "") -> str:
    """Return a template with the words of the medium and the kind. `question` may contain anything, braces too."""
    language = get_language(adapter.language)
    medium = language.media.get(adapter.noun)
    return template.format(
        noun=medium["noun"] if medium else adapter.noun,
        measure=medium["measure"] if medium else "",
        kind=language.kinds[kind],
        a_kind=language.kinds_with_article[kind],
        question=question,
    )
