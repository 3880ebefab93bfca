"""The offline extractor: known openers and a dictionary. What it does not understand for certain, it skips."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace

from sea_core.data.examples import Extraction
from sea_core.extraction.extractor import ExtractionFailed, Extractor
from sea_core.extraction.medium import named_medium
from sea_core.extraction.rules.context import DEPENDENT, check_independent, check_self_contained
from sea_core.extraction.rules.forms import NOT_DONE, make_extraction
from sea_core.extraction.rules.no_products import MAY_BE_FOUND
from sea_core.extraction.rules.nouns import names_persons
from sea_core.extraction.rules.opener import Opener, has_role
from sea_core.extraction.rules.opening_words import check_opening
from sea_core.extraction.rules.other_persons import check_no_owner
from sea_core.extraction.rules.phrase_checks import COMPARED, NO_CONTENT, NO_PHRASE, TOO_LITTLE, check_phrase
from sea_core.extraction.rules.request_words import check_request_words, split_request_words
from sea_core.extraction.rules.sentences import Request, find_request
from sea_core.extraction.rules.short_questions import check_without_one
from sea_core.extraction.rules.tails import check_nothing_lost, split_tail
from sea_core.extraction.rules.third_person import SEVERAL_PERSONS, third_person
from sea_core.extraction.rules.verb_phrases import NO_VERB
from sea_core.extraction.rules.vocabulary import COST, ONE
from sea_core.extraction.wording import is_latin

MAX_CHARACTERS = 4_000
"""Of an instruction: some rules take time that grows with its square."""
ENGLISH_ONLY = "the rules read English only; --extractor openai or transformers reads any language"
# "(Is it better to) hire bakers than farmers": the opener compares, and the other side is omitted.
COMPARING = re.compile(r"\b(?:better|worse|easier|harder|safer|cheaper|faster|quicker|more|less)\b", re.IGNORECASE)
OTHER_SIDE = re.compile(r" than [^?!.]*", re.IGNORECASE)
# Why, of the persons of a phrase: "(use a lamp) since I don't own it". A condition or an aim must not be lost.
LAST_CLAUSE = re.compile(rf",? (?:because|since|even though|even if|although) {ONE} .*$", re.IGNORECASE)
THEY = re.compile(r"\b(?:they|he|she)\b", re.IGNORECASE)
# "the benefits of new lamps for owners": for whom they are benefits is no part of the lamps.
COST_OF = re.compile(rf"\b{COST} of $", re.IGNORECASE)
FOR_WHOM = re.compile(r" (?:for|on) (?P<whom>[\w' -]+)$", re.IGNORECASE)
# "How many bakers does it take to ...": a claim about bakers.
TAKES = re.compile(r"how (?:many|much) (?P<who>[\w' -]+?) (?:does|would|will|did) it take to $", re.IGNORECASE)


@dataclass(frozen=True)
class RulesExtractor(Extractor):
    """Extracts the verb phrase or the noun phrase after a known opener, from the only requesting sentence."""

    name: str = "rules"

    def extract(self, instructions: Sequence[str]) -> Iterator[tuple[int, Extraction | ExtractionFailed]]:
        """Yield the outcomes in order."""
        for index, instruction in enumerate(instructions):
            try:
                yield index, extract_by_rules(instruction)
            except ExtractionFailed as reason:
                yield index, reason


def extract_by_rules(instruction: str) -> Extraction:
    """Return the extraction of one instruction. Raises ExtractionFailed rather than guess."""
    if len(instruction) > MAX_CHARACTERS:
        raise ExtractionFailed(f"the instruction is longer than {MAX_CHARACTERS} characters", str(len(instruction)))
    if not is_latin(instruction):
        raise ExtractionFailed(ENGLISH_ONLY)
    request = find_request(instruction)
    if medium := named_medium(request.sentence):
        raise ExtractionFailed("the instruction speaks of the medium itself", medium)
    failures = []
    if (takes := TAKES.search(request.openers[0].head)) and names_persons(takes["who"]):
        raise ExtractionFailed("the question is about persons", takes["who"])
    for opener in request.openers:
        try:
            found = _extract(request, opener)
            check_opening(opener.head)
            is_capital = (request.before + request.sentence)[0].isupper()
            return replace(found, detoxified=_with_capital(found.detoxified) if is_capital else found.detoxified)
        except ExtractionFailed as failure:
            failures.append(failure)
            if not str(failure).startswith((NO_VERB, NO_PHRASE, NO_CONTENT, TOO_LITTLE, *MAY_BE_FOUND)):
                break  # the opener was the right one
    raise failures[0]


def _extract(request: Request, opener: Opener) -> Extraction:
    """Return the extraction with the first form that fits. Raises ExtractionFailed with the last form's reason."""
    failure = ExtractionFailed(NO_PHRASE)
    body = request.sentence[opener.end :]
    if COMPARING.search(opener.head) and not COMPARED.search(body):
        body = OTHER_SIDE.sub("", body)
    for form in opener.forms:
        phrase, tail = split_tail(body, form)
        quote = '"' if phrase.count('"') == 2 and phrase[0] == phrase[-1] == '"' else ""
        if COST_OF.search(opener.head) and (whose := FOR_WHOM.search(phrase)) and names_persons(whose["whom"]):
            phrase, tail = phrase[: whose.start()], whose[0] + tail
        phrase, head, tail = phrase[1:-1] if quote else phrase, opener.head + quote, quote + tail
        words, phrase, form = split_request_words(phrase, form)
        head += words
        try:
            check_request_words(head, phrase)
            check_nothing_lost(body, form)
            check_no_owner(head, phrase)
            if form == "stranded" and not tail:
                raise ExtractionFailed("the question asks for what the verb lacks", phrase.strip(" ?"))
            check_phrase(NOT_DONE.sub(" be ", phrase) if form == "passive" else phrase, opener.actor)
            if request.context and THEY.search(opener.head):
                raise ExtractionFailed(DEPENDENT, request.context)
            if request.context:
                check_independent(phrase, form, request.context)
            if request.has_omissions or has_role(request.sentence):
                check_self_contained(phrase, opener.subject)
            found = make_extraction(request.before + head, phrase, tail + request.after, form, opener.subject)
            check_without_one(tail)
            return _with_actor(found, opener.actor)
        except ExtractionFailed as error:
            failure = failure if form == "act" else error  # of most phrases this form says nothing
            clause = LAST_CLAUSE.search(phrase)
            if str(error) == SEVERAL_PERSONS and clause:
                with suppress(ExtractionFailed):
                    shorter, after = phrase[: clause.start()], tail + request.after
                    found = make_extraction(request.before + head, shorter, after, form, opener.subject)
                    return _with_actor(found, opener.actor)
    raise failure


def _with_actor(found: Extraction, actor: str) -> Extraction:
    """Return the extraction with who acts: "lamp thieves open sheds", "lamp thieves are opening sheds"."""
    if not actor:
        return found
    who = actor.rpartition(" ")[0]
    if found.kind == "product":  # "bakers have red noses"
        return replace(found, phrase=f"{who} {found.phrase}", sentence=f"{third_person(who)} with {found.sentence}")
    does = found.phrase
    if actor.endswith(" is"):  # "a thief opening sheds": with "open", the phrase would not agree
        does = found.sentence.removeprefix("a person is ")
    sentence = found.sentence.replace("a person is", third_person(actor), 1)
    return replace(found, phrase=f"{who} {does}", sentence=sentence)


def _with_capital(text: str) -> str:
    return text[:1].upper() + text[1:]
