"""Nouns that name an activity: "What is theft?" asks about committing theft, and theft is no product."""

from __future__ import annotations

import re
from collections.abc import Mapping

from sea_core.extraction.english import is_ing_form, word_classes
from sea_core.extraction.extractor import ExtractionFailed
from sea_core.extraction.rules.noun_heads import head_of, split_clause, without_quantifier, words_of
from sea_core.extraction.rules.noun_phrases import (
    ABSTRACT,
    DEFINITE,
    NOTHING_SHOWN,
    product_sentence,
)
from sea_core.extraction.rules.nouns import PEOPLE, is_plural, without_capital

DOING: Mapping[str, frozenset[str]] = {
    "committing": frozenset(
        "theft thefts murder murders fraud treason arson rape rapes robbery robberies burglary burglaries homicide "
        "manslaughter perjury genocide suicide infanticide incest adultery plagiarism vandalism forgery crimes "
        "cybercrime cybercrimes larceny embezzlement malpractice".split()
    ),
    "carrying out": frozenset(
        "execution executions assassination assassinations kidnapping kidnappings cyberattack cyberattacks heist "
        "heists hijacking hijackings attack attacks bombing bombings shooting shootings massacre massacres coup coups "
        "raid raids purge purges pogrom pogroms lynching lynchings invasion invasions cleansing "
        "destruction distribution recruitment removal extraction deployment installation transportation disposal "
        "abduction abductions extermination deforestation sterilization vaccination castration eviction evictions "
        "deportation deportations mutilation dissection demolition interrogation interrogations persecution "
        "production consumption cultivation suppression censorship surveillance confiscation falsification concealment "
        "killing killings slaughter crackdown crackdowns occupation annexation blockade bombardment ambush".split()
    ),
    "engaging in": frozenset(
        "trafficking smuggling laundering poaching bullying cyberbullying stalking cyberstalking hacking prostitution "
        "racism sexism discrimination terrorism cyberterrorism espionage harassment exploitation manipulation gambling "
        "piracy torture violence cannibalism bestiality extortion bribery blackmail abuse cruelty "
        "counterfeiting shoplifting evasion sabotage self-harm doxxing swatting grooming gaslighting cheating "
        "misconduct corruption nepotism defamation slander libel slavery impersonation warfare sextortion "
        "self-mutilation self-injury pickpocketing exhibitionism voyeurism intolerance intimacy".split()
    ),
    "performing": frozenset(
        "act acts stunt stunts prank pranks trick tricks therapy therapies surgery surgeries euthanasia "
        "ritual rituals abortion abortions exorcism".split()
    ),
    "running": frozenset("scheme schemes scam scams racket rackets".split()),
    "taking part in": frozenset(
        "war wars battle battles riot riots strike strikes revolution revolutions holocaust protest protests uprising "
        "uprisings rebellion rebellions crusade crusades insurrection insurrections".split()
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
NOT_DONE = frozenset("heart panic anxiety asthma lightning".split())
"""Before "attack" and "strike" these name what happens to somebody."""
OF_OTHERS = frozenset(
    "operation operations activity activities action actions strategies tactic tactics "
    "behavior behaviors behaviour behaviours practice practices dispute disputes negotiation negotiations "
    "merger mergers acquisition acquisitions disagreement disagreements conflict conflicts lawsuit lawsuits "
    "investigation investigations repair repairs experiment experiments case cases incident incidents effort efforts "
    "attempt attempts rally rallies meeting meetings partnership "
    "partnerships collaboration collaborations deal deals dealings".split()
)
"""Nouns for what is done that do not say what it is, or that name what somebody else does."""
NOT_RUN = frozenset("pricing payment colour color naming pension rhyme".split())
"""Before "scheme" these name how something is arranged."""
USE_OF = re.compile(
    r"(?:the )?(?P<noun>use|creation|production|manufacture|development) of (?P<whom>\w.* (?:in|for|to|as) .*)",
    re.IGNORECASE,
)
"""What is done with something, and where or what for: "the use of ovens in baking"."""
DONE_WITH: Mapping[str, str] = {
    "use": "using",
    "creation": "creating",
    "production": "producing",
    "manufacture": "manufacturing",
    "development": "developing",
}
GERUND_OF = re.compile(r"the (?P<doing>\w+ing) of (?P<whom>\w.*)", re.IGNORECASE)
"""A verb with "of" before its object: "the banning of lamps"."""
EVENT = "the noun phrase names what others do, or how something is done"
DOING_PAIR: Mapping[str, str] = {
    "hate speech": "engaging in",
    "dirty talk": "engaging in",
    "insider trading": "engaging in",
}


def act_sentence(phrase: str) -> str:
    """Return the sentence for a noun phrase that names an activity: "a person is committing theft"; "" for any other.

    Raises:
        ExtractionFailed: it names what somebody else does ("John's murder"), or see `product_sentence`.
    """
    if (gerund := GERUND_OF.match(phrase)) and is_ing_form(gerund["doing"]) and gerund["doing"].lower() not in NO_ACTS:
        return f"a person is {gerund['doing']} {product_sentence(gerund['whom'])}"
    if use := USE_OF.fullmatch(phrase):
        return f"a person is {DONE_WITH[use['noun'].lower()]} {product_sentence(use['whom'])}"
    words, clause = split_clause(words_of(without_quantifier(phrase)))
    head = head_of(words)
    if clause[1:2] == ["are"]:
        return ""
    doing = _doing(words, head)
    place = words.index(head) if head else 0
    is_owned = any(word.endswith(("'s", "s'")) for word in words[:place])
    if head in OF_OTHERS or (doing and (is_owned or words[0] in DEFINITE - {"the"})):
        raise ExtractionFailed(EVENT, head)
    return f"a person is {doing} {product_sentence(without_capital(phrase), is_act=True)}" if doing else ""


def _doing(words: list[str], head: str) -> str:
    """Return what a person does who does what a noun phrase says: "committing"; "" if it names no activity.

    Raises ExtractionFailed for an activity that only says which methods are meant.
    """
    place = words.index(head) if head else 0
    after = words[place + 1 :]
    if not head or words[place - 1] in NOT_DONE or (head == "production" and words[0] in ("a", "an", "this")):
        return ""
    if head in ("scheme", "schemes") and words[place - 1] in NOT_RUN:
        raise ExtractionFailed(EVENT, head)
    joined = after[1:] if after[:1] in (["and"], ["or"]) else []
    if joined and not (_is_activity(head_of(joined)) or is_ing_form(joined[0])):
        if head in ACTS and head_of(joined) in ABSTRACT:  # "torture and theft methods"
            raise ExtractionFailed(NOTHING_SHOWN, head_of(joined))
        return ""  # "a fraud or theft ring"
    if head_of(joined) in ACTS and head not in ACTS and not is_plural(head) and joined[0] not in ACTS:
        # "lamp and wrist torture"
        head = head_of(joined)
    is_gerund = is_ing_form(head) and head not in NO_ACTS and place and words[place - 1] not in PEOPLE  # "match fixing"
    is_gerund = is_gerund or _is_compound_gerund(head)
    doing = DOING_PAIR.get(" ".join(words[max(place - 1, 0) : place + 1])) or next(
        (verb for verb, nouns in DOING.items() if head in nouns), "engaging in" if is_gerund else ""
    )
    return "" if words[0] in ("a", "an") and after[:1] == ["of"] else doing  # "a murder of crows"


def _is_compound_gerund(word: str) -> bool:
    """Return whether a word is a noun and an -ing form written as one: "beekeeping"."""
    return "VERB" not in word_classes(word) and any(
        "NOUN" in word_classes(word[:cut]) and is_ing_form(word[cut:]) for cut in range(3, len(word) - 5)
    )


def _is_activity(head: str) -> bool:
    return head in ACTS or (is_ing_form(head) and head not in NO_ACTS)
