"""Nouns that name an activity: "What is theft?" asks about committing theft, and theft is no product."""

from __future__ import annotations

from collections.abc import Mapping

from sea_core.extraction.english import is_ing_form
from sea_core.extraction.rules.noun_phrases import DEFINITE, head_of, product_sentence, split_clause, words_of
from sea_core.extraction.rules.nouns import PEOPLE, without_capital

DOING: Mapping[str, frozenset[str]] = {
    "committing": frozenset(
        "theft thefts murder murders fraud treason arson rape rapes robbery robberies burglary burglaries homicide "
        "manslaughter perjury genocide suicide infanticide incest adultery plagiarism vandalism forgery crimes "
        "cybercrime cybercrimes larceny embezzlement malpractice".split()
    ),
    "carrying out": frozenset(
        "execution executions assassination assassinations kidnapping kidnappings cyberattack cyberattacks heist "
        "heists hijacking hijackings".split()
    ),
    "engaging in": frozenset(
        "trafficking smuggling laundering poaching bullying cyberbullying stalking cyberstalking hacking prostitution "
        "racism sexism discrimination terrorism cyberterrorism espionage harassment exploitation manipulation gambling "
        "piracy torture violence cannibalism bestiality extortion bribery blackmail abuse cruelty "
        "counterfeiting shoplifting evasion sabotage self-harm doxxing swatting grooming gaslighting cheating "
        "misconduct corruption nepotism defamation slander libel slavery impersonation espionage warfare sextortion "
        "self-mutilation self-injury pickpocketing".split()
    ),
}
"""What a person does who does what the noun says."""
ACTS = frozenset[str]().union(*DOING.values())
NO_ACTS = frozenset(
    "warming building meeting painting drawing clothing ring string wedding feeling being meaning setting recording "
    "writing saying evening morning ceiling lighting housing flooring packaging bedding opening ending beginning "
    "landing hearing offering filing listing rating ranking reading finding blessing dealing thing lightning covering "
    "coating understanding engineering king spring wing swing sibling darling ping pudding dressing stocking earring "
    "briefing screening crossing dwelling heading warning gathering outing showing shooting bombing killing cleansing "
    "ageing aging suffering burning training banking parking gaming marketing advertising casting modeling".split()
)
"""Nouns that end as verbs do: "global warming", and events."""
PAIRS: Mapping[str, str] = {"hate speech": "engaging in", "insider trading": "engaging in"}


def act_sentence(phrase: str) -> str:
    """Return the sentence for a noun phrase that names an activity: "a person is committing theft"; "" for any other.

    Of an event ("the theft of May", "John's murder") nobody could say that a person is committing it.

    Raises:
        ExtractionFailed: see `product_sentence`.
    """
    words, clause = split_clause(words_of(phrase))
    head = head_of(words)
    if not head or clause[1:2] == ["are"] or words[0] in DEFINITE or any(word.endswith(("'s", "s'")) for word in words):
        return ""
    place = words.index(head)
    joined = words[place + 2 :] if words[place + 1 : place + 2] in (["and"], ["or"]) else []
    if joined and not (is_ing_form(joined[0]) or ACTS & {*joined}):  # "a fraud or theft ring"
        return ""
    if words[0] in ("a", "an") and words[place + 1 : place + 2] == ["of"]:  # "a murder of crows"
        return ""
    is_gerund = is_ing_form(head) and head not in NO_ACTS and place and words[place - 1] not in PEOPLE  # "match fixing"
    doing = PAIRS.get(" ".join(words[max(place - 1, 0) : place + 1])) or next(
        (verb for verb, nouns in DOING.items() if head in nouns), "engaging in" if is_gerund else ""
    )
    return f"a person is {doing} {product_sentence(without_capital(phrase))}" if doing else ""
