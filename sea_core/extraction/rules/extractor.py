"""The offline extractor: known openers and a dictionary. What it does not understand for certain, it skips."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace

from sea_core.data.examples import Extraction
from sea_core.extraction.english import FUNCTION_WORDS, content_words, is_ing_form, lemmas, split_words, word_classes
from sea_core.extraction.extractor import ExtractionFailed, Extractor
from sea_core.extraction.leak import is_same_word, placeholder
from sea_core.extraction.medium import named_medium
from sea_core.extraction.repair import fix_agreement
from sea_core.extraction.rules.acts import act_sentence
from sea_core.extraction.rules.grammar_errors import find_grammar_error
from sea_core.extraction.rules.noun_phrases import product_sentence
from sea_core.extraction.rules.nouns import names_persons
from sea_core.extraction.rules.opener import Form, Opener, has_role
from sea_core.extraction.rules.passives import passive_sentence
from sea_core.extraction.rules.past_verbs import check_condition, past_activity_sentence
from sea_core.extraction.rules.request_words import split_request_words
from sea_core.extraction.rules.sentences import Request, find_request
from sea_core.extraction.rules.tails import NEUTRAL, check_nothing_lost, split_tail
from sea_core.extraction.rules.verb_phrases import (
    AS_OTHERS,
    NO_VERB,
    SEVERAL_PERSONS,
    STATE,
    STATES,
    activity_sentence,
    check_asked,
    skip_adverbs,
    third_person,
)
from sea_core.extraction.rules.vocabulary import COST, ONE, any_in
from sea_core.extraction.wording import is_latin

MAX_CHARACTERS = 4_000
"""Of an instruction: some rules take time that grows with its square."""
MAX_WORDS = 37
ENGLISH_ONLY = "the rules read English only; --extractor openai or transformers reads any language"
NO_CONTENT = "the phrase only refers to something mentioned elsewhere"
TOO_LITTLE = "the phrase says too little of what is meant"
DEPENDENT = "the request may depend on a sentence before it"
NO_PHRASE = "the instruction ends after its opener"
COMPARISON = re.compile(r"\bthan\b", re.IGNORECASE)
# "(Is it better to) hire bakers than farmers": the opener compares, and the other side is omitted.
COMPARING = re.compile(r"\b(?:better|worse|easier|harder|safer|cheaper|faster|quicker|more|less)\b", re.IGNORECASE)
OTHER_SIDE = re.compile(r" than [^?!.]*", re.IGNORECASE)
COMPARED = re.compile(r"\b(?:\w+er|more|less|rather|worse|fewer|different)\b.*\bthan\b", re.IGNORECASE)
# "companies collecting data": the noun does something.
DOING = re.compile(r"\w\w+s (?!regarding|concerning|including|involving)\w+ing\b(?! of\b)")
# "How does a lock work?": the verb after the noun phrase belongs to the question.
WORK = re.compile(r"\b(work|cost|last)s\b")
# What else is said of the persons of a phrase: "(use a lamp) if I don't own it", "so that I can sell it".
LAST_CLAUSE = re.compile(
    rf",? (?:if|when|because|so(?: that)?|since|unless|even though|even if|although) {ONE} .*$", re.IGNORECASE
)
UNUSUAL_CHARACTER = re.compile(r"[^\w ,.'$%&()/+\"-]")
NEGATIONS = frozenset(
    "not never cannot cant dont wont didnt doesnt havent hasnt isnt arent wasnt shouldnt couldnt wouldnt".split()
)
# "If you could buy any lamp, what would it be?": "it" is the lamp, and no activity.
WHICH_ONE = re.compile(
    r",? (?:what|which|who|where)(?: \w+)? (?:would|will|could) (?:it|that|they) be\b", re.IGNORECASE
)
MIXED = re.compile(r"\w+ing, (?!\w+ing\b)\w+, (?:and|or) \w+ing\b", re.IGNORECASE)  # "washing, dry, and folding"
AND_ITS = re.compile(r" and its [\w-]+$", re.IGNORECASE)  # "baking a cake and its decoration"
NOT_DONE = re.compile(r" not be ", re.IGNORECASE)
SO_CLAUSE = re.compile(r" so (?=\w)", re.IGNORECASE)
NEGATED_WORDS = 3
RELATIVE = re.compile(r"\b(?:that|which|who)(?='s|\b)", re.IGNORECASE)
AND_NOT = re.compile(r" (?:and|but) not (?=\w)", re.IGNORECASE)  # "steal a lamp and not get caught"
NEEDING = frozenset("cause ensure enable become".split())
"""Verbs with which no phrase can end."""
SLANG = frozenset("u ur r y ya yall n b c ppl bc cuz wut dis dat da".split())
VAGUE = frozenset(
    "live grow do get make go have take use find put give thing things something stuff way figuring out".split()
)
POINTING = frozenset("it this that these those them".split())
REFERRING = POINTING | frozenset("they their theirs there so such one ones same".split())
THAT_CLAUSE = re.compile(r"(?<=[\w,] )(\S+) that (?=\w)", re.IGNORECASE)  # "a bomb that works", not "steal that lamp"
PERSONS = frozenset("he him his she her hers".split())
MIN_INDEPENDENT = 4
MIN_INDEPENDENT_OF_OTHERS = 3
MIN_INDEPENDENT_OF_MATTER = 2
"""Where the sentence before it names the same matter."""
STEALTH = re.compile(
    r"\bwithout (?:\w+ ){0,3}?\w+ing\b|\bsecretly\b|\billegally\b|\bwithout \w+ (?:consent|knowledge)\b", re.I
)
"""What shows that a phrase says itself why it may be wrong."""
PERSONAL_DATA = re.compile(
    r"^(?:your|(?:[A-Z][\w.'-]* )*[A-Z][\w.-]*'s?) .*\b(?:address|number|passwords?|username|login|credentials|"
    r"name|birthday|birth|"
    r"details|email|pin)\b"
)
"""Whose data somebody wants says enough, whatever story stands before it."""
INDEPENDENT = ("base", "asked", "ing", "effect", "passive", "act", "noun", "topic", "judged", "causes")
SECOND_PERSON = re.compile(r"\byou", re.IGNORECASE)
YOUR_ROLE = re.compile(r"\byou(?:'re| are| play| act)\b", re.IGNORECASE)
FIRST_PERSON = re.compile(r"\b(?:i|i'\w+|me|my|mine|we|us|our)\b", re.IGNORECASE)
PART = re.compile(
    r"\b(?:some|any|one|more|both|others)"
    r"(?: (?:across|in|on|to|from|for|at|with|into|and|of(?! the (?:most|least|best|\w+est)))\b|$)",
    re.IGNORECASE,
)
ANAPHORA = frozenset("it they them their theirs".split())
ANOTHER_QUESTION = re.compile(
    r"(?:\b(?:how|what|where|why|when)|^who|, who|^which|, which) (?:can|do|does|did|should|would|could|is|are|will)\b|"
    r"\b(?:can|could|would|do|should|will) (?:you|i) (?:help|tell|do|know|show|give|think|please)\b|"
    r"\b(?:is|are) (?:it|there|that)\b",
    re.IGNORECASE,
)
NOT_SHOWN = any_in(
    "ways?, ones?, days?, weeks?, weekends?, months?, years?, mornings?, afternoons?, "
    "evenings?, nights?, times?, season, summer, winter, spring, country, world, planet, city, town, and, or, but, to, "
    "in, on, for, from, with, by, at, into, up, is, was, as, because, if"
)
SHOWN = re.compile(rf"\b(?:this|these) (?!{NOT_SHOWN}\b)\w+", re.IGNORECASE)
# One thing of several, or another one like it: which, something else says.
OTHER = re.compile(
    r"(?<!or )(?<!and )\bsimilar\b(?! to\b)|\bone of (?:these|those|the(?! \w+est\b| most\b))\b|"
    r"^(?:some )?more (?=[\w-]+s\b)(?!.*\bthan\b)",
    re.IGNORECASE,
)
# Things that only a picture can have made known: text that stands alone does not speak of "the licence plate".
KNOWN_THING = re.compile(
    r"\bthe (?:text|ad|wall(?! of an? )|sign(?! language\b)|logo|label|licen[sc]e plate|"
    r"owner of the (?:car|vehicle)|vehicle|(?:dog|cat)'s|"
    r"router|knife)\b(?! (?-i:[A-Z]))|"  # not "the Wall Street Journal"
    r"\bthe (?:man|woman|boy|girl|guy|lady|building|scene)(?=$|'s\b| (?:in|on) the\b)|\bthe car(?='s\b| based on\b)|"
    r"^(?:create|generate|write|make|compose) .*\b(?:caption|meme|joke|story|poem|tweet|description)\b.*"
    r"\bthe (?:cat|dog|animal|bird|horse|baby|child|car|house|food)"
    r"(?=$|'s\b| (?:in|on|is|as|with)\b)",
    re.IGNORECASE,
)
# "a scene in detail of": words of the request within the phrase.
OF_REQUEST = re.compile(r" (?:in (?:\w+ )?detail|step[ -]by[ -]step) (?!guide|instruction)", re.IGNORECASE)
# "the best place to hide myself that nobody knows": the clause belongs to a word of the opener.
LATE_CLAUSE = re.compile(
    r"\b(?P<before>\w+) (?:myself|yourself|themselves|me|it|them|him|her) (?:that|which)\b", re.IGNORECASE
)
TELLING = frozenset("convince persuade tell show assure remind teach inform warn promise".split())
"""Verbs that "that" may follow: "convince him that ..."."""
INDIRECT = frozenset("who what where when how".split())
NEW_CLAUSE = re.compile(
    r"(?:,|\b(?:and|but|or)) (?:(?:i|you|we|he|she|they|it|there|this|that(?= (?:would|is|was|will))|"
    r"so(?! (?:that )?(?:\w+ ){1,2}(?:can|could|will|would|won't|don't)\b)|"
    r"but|since|because|even(?= (?:though|if|when))|if|when|what|how|"
    r"who(?! (?:(?!(?:is|was|does|has) )\w+(?:s|ed)|had|have) )|where|"
    r"which|is|are|do|does|can|could|would|should|was|please)\b|(?:i|you|we|they|he|she)'\w+)",
    re.IGNORECASE,
)


AFTER_IF = re.compile(r"\bif \S+ $", re.IGNORECASE)
THEY = re.compile(r"\b(?:they|he|she)\b", re.IGNORECASE)
OUR = re.compile(r"\b(?:our|us)\b")
OTHERS = re.compile(r"\b(?:they|them|their)\b", re.IGNORECASE)
# "phishing emails": which ones, and not what is done to them.
OF_KIND = re.compile(
    r"(?:phish|catfish|hack|smuggl|traffick|launder|groom|scamm|spoof)ing "
    r"(?:schemes|scams|emails|attacks|campaigns|operations|rings|networks|websites|tools)\b",
    re.IGNORECASE,
)
EXISTS = re.compile(r"\b(?:is|are) there $", re.IGNORECASE)
# "the benefits of new lamps for owners": for whom they are benefits is no part of the lamps.
COST_OF = re.compile(rf"\b{COST} of $", re.IGNORECASE)
FOR_WHOM = re.compile(r" (?:for|on) (?P<whom>[\w' -]+)$", re.IGNORECASE)
OF_CLAUSE = re.compile(r"\w (?:that|which|who) \w", re.IGNORECASE)
OPINION = re.compile(r"\b(?:feel|think) (?:about|of) $", re.IGNORECASE)
OF_WAYS = re.compile(r" (?:that|which) (?:are|can|could|work) ", re.IGNORECASE)
ARE_GOOD = re.compile(r" (?:that|which) are (?:\w+ly )?[\w-]+(?: (?:and|or|but) (?:\w+ly )?[\w-]+)?$", re.IGNORECASE)
ME = re.compile(r"^((?:\w+ly )?\w+ |.* for )(?:me|us)\b")
# "How many bakers does it take to ...": a claim about bakers.
TAKES = re.compile(r"how (?:many|much) (?P<who>[\w' -]+?) (?:does|would|will|did) it take to $", re.IGNORECASE)
HAPPENED = re.compile(r"\bwhat happened to $", re.IGNORECASE)
# "If I pay you, will you steal a lamp?"
IF_I = re.compile(r"\bif (?:i|we) $", re.IGNORECASE)
ASKED_AFTER = re.compile(r",? (?:then )?(?:will|would|can|could) you (?P<what>.*)", re.IGNORECASE)
EITHER = ("works", "topic", "judged", "causes")
"""Forms that a noun phrase and the -ing form of a verb may have."""
DONE: Mapping[Form, str] = {"past": "done", "simple": "did"}
"""What the detoxified instruction has instead of a verb in the past."""


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
            is_capital = (request.before + request.sentence)[0].isupper()
            return replace(found, detoxified=_with_capital(found.detoxified) if is_capital else found.detoxified)
        except ExtractionFailed as failure:
            failures.append(failure)
            if not str(failure).startswith(
                (NO_VERB, NO_PHRASE, NO_CONTENT, TOO_LITTLE)
            ):  # the opener was the right one
                break
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
            check_nothing_lost(body, form)
            if form == "stranded" and not tail:
                raise ExtractionFailed("the question asks for what the verb lacks", phrase.strip(" ?"))
            _check_phrase(NOT_DONE.sub(" be ", phrase) if form == "passive" else phrase, opener.actor)
            if request.context and THEY.search(opener.head):
                raise ExtractionFailed(DEPENDENT, request.context)
            if request.context:
                _check_independent(phrase, form, request.context)
            if request.has_omissions or has_role(request.sentence):
                _check_self_contained(phrase, opener.subject)
            found = _make_extraction(request.before + head, phrase, tail + request.after, form, opener.subject)
            return _with_actor(found, opener.actor)
        except ExtractionFailed as error:
            failure = failure if form == "act" else error  # of most phrases this form says nothing
            if str(error) == SEVERAL_PERSONS and (shorter := LAST_CLAUSE.sub("", phrase)) != phrase:
                with suppress(ExtractionFailed):
                    found = _make_extraction(request.before + head, shorter, tail + request.after, form, opener.subject)
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


def _check_phrase(phrase: str, actor: str) -> None:
    """Raise ExtractionFailed for a phrase that is unclear in every form."""
    words = split_words(phrase)
    if not words:
        raise ExtractionFailed(NO_PHRASE)
    if unusual := UNUSUAL_CHARACTER.search(phrase):
        raise ExtractionFailed("the phrase has a character whose role is unclear", unusual[0])
    if len(words) > MAX_WORDS:
        raise ExtractionFailed(f"the phrase is longer than {MAX_WORDS} words", str(len(words)))
    # "kill a plant that won't grow": the negation belongs to a later verb.
    positive = split_words(RELATIVE.split(AND_NOT.sub(" ", phrase))[0])[:NEGATED_WORDS]
    if negation := next((word for word in positive if word in NEGATIONS or word.endswith("n't")), None):
        raise ExtractionFailed("the phrase has a negation", negation)
    if phrase.count('"') % 2:
        raise ExtractionFailed("the phrase has a character whose role is unclear", '"')
    if slang := next((word for word in phrase.split() if word in SLANG), None):
        raise ExtractionFailed("the phrase has slang whose grammar is unclear", slang)
    if COMPARISON.search(phrase) and not COMPARED.search(phrase):
        raise ExtractionFailed("the phrase is one side of a comparison", phrase)
    if shown := SHOWN.search(phrase) or OTHER.search(phrase) or _known_thing(phrase):
        raise ExtractionFailed("the phrase speaks of something that is shown", shown[0].strip())
    if error := find_grammar_error(phrase):
        raise ExtractionFailed("the phrase has an error of grammar", error)
    if words[-2:-1] == ["to"] and words[-1] in NEEDING:
        raise ExtractionFailed("the verb lacks its object", words[-1])
    if MIXED.match(phrase):
        raise ExtractionFailed("verbs in different forms are joined", phrase)
    if request := OF_REQUEST.search(phrase):
        raise ExtractionFailed("the phrase has words of the request", request[0].strip())
    if (clause := LATE_CLAUSE.search(phrase)) and not lemmas(clause["before"]) & TELLING:
        raise ExtractionFailed("the phrase has another question or clause", clause[0])
    if clause := ANOTHER_QUESTION.search(phrase) or _new_clause(phrase):
        raise ExtractionFailed("the phrase has another question or clause", clause[0].strip(" ,"))
    if not actor and (person := _person_not_named(words)):
        raise ExtractionFailed("a pronoun refers to a person that the phrase does not name", person)
    content = [word for word in content_words(phrase) if word not in VAGUE]
    if not content or (len(content) == 1 and POINTING & set(words) and words[0] == content[0]):
        refers = POINTING | PERSONS | REFERRING | {"do"}
        raise ExtractionFailed(NO_CONTENT if refers & {*words} else TOO_LITTLE, phrase)


def _person_not_named(words: list[str]) -> str:
    """Return the first "he" or "her" that no noun of the phrase precedes: of "meet her", not of "hug a man and his"."""
    for at, word in enumerate(words):
        if word in PERSONS and not any(
            {"NOUN", "PROPN"} & (word_classes(other.removesuffix("'s")) or {"PROPN"}) for other in words[1:at]
        ):
            return word
    return ""


def _known_thing(phrase: str) -> re.Match[str] | None:
    """Return a thing with "the" that the phrase has not named before: not of "buy a dog and feed the dog"."""
    found = KNOWN_THING.search(phrase)
    return None if found and found[0].split()[-1] in split_words(phrase[: found.start()]) else found


def _new_clause(phrase: str) -> re.Match[str] | None:
    """Return the beginning of another clause, but not of a second indirect question: "about who I am or what I do"."""
    found = NEW_CLAUSE.search(phrase)
    word = split_words(found[0])[-1] if found else ""
    is_second = word in INDIRECT and found and {*split_words(phrase[: found.start()])} & INDIRECT
    return None if is_second else found


def _check_self_contained(phrase: str, subject: str) -> None:
    """Raise ExtractionFailed for a phrase that refers to a sentence that was omitted: "their" may mean the subject."""
    words = split_words(SO_CLAUSE.sub(" ", THAT_CLAUSE.sub(r"\1 ", phrase)))
    words = [word for word, after in zip(words, [*words[1:], ""], strict=True) if (word, after) != ("one", "of")]
    if reference := next((word for at, word in enumerate(words) if _refers(word, words[1:at], subject)), None):
        raise ExtractionFailed("the phrase refers to another sentence", reference)


def _check_independent(phrase: str, form: Form, context: str) -> None:
    """Raise ExtractionFailed for a short phrase, which may be harmful only after the sentence before it.

    "I run a scam. How do I write letters?": a phrase of several content words says itself what it is about. What the
    sentence says of others, and not of the user, changes less.
    """
    if form == "noun" and PERSONAL_DATA.search(phrase):
        return
    words = split_words(THAT_CLAUSE.sub(r"\1 ", phrase))
    content = [word for word in content_words(phrase) if word not in VAGUE]
    is_of_others = form != "asked" and not FIRST_PERSON.search(context)
    is_thing_or_secret = form not in ("base", "asked") or STEALTH.search(phrase)
    needed = MIN_INDEPENDENT_OF_OTHERS if is_of_others or is_thing_or_secret else MIN_INDEPENDENT
    if is_of_others and form == "judged":
        needed = MIN_INDEPENDENT_OF_MATTER
    if is_of_others and any(is_same_word(word, other) for word in content for other in content_words(context)):
        needed = MIN_INDEPENDENT_OF_MATTER
    is_clear = not PART.search(phrase) and form in INDEPENDENT and len(content) >= needed
    if (
        not is_clear
        or any(word in REFERRING | PERSONS for word in words if word != "it" or not _is_named_before(phrase))
        or SECOND_PERSON.search(YOUR_ROLE.sub("", context) if form == "asked" else context)
    ):
        raise ExtractionFailed(DEPENDENT, context)


def _is_named_before(phrase: str) -> bool:
    """Return whether "it" follows a thing of the phrase: "pick a lock and open it"."""
    before = re.split(r"\bit\b", phrase.lower())[0].split()[1:]
    return any("NOUN" in word_classes(word) and word not in FUNCTION_WORDS for word in before)


def _refers(word: str, before: list[str], subject: str) -> bool:
    """Return whether a word refers to another sentence: a pronoun does not if a noun precedes it in the phrase."""
    if word in ANAPHORA and (subject or any({"NOUN", "PROPN"} & word_classes(other) for other in before)):
        return False
    return word in REFERRING


def _make_extraction(head: str, phrase: str, tail: str, form: Form, subject: str) -> Extraction:
    if form == "passive":
        sentence, done = passive_sentence(phrase)
        phrase = NOT_DONE.sub(" be ", phrase)  # the detoxified instruction has the "not"
        return Extraction(phrase, "activity", sentence, f"{head}{placeholder('activity')}{done}{tail}")
    if form in ("base", "asked", "past", "simple", "condition", "stranded"):
        return _activity(head, phrase, tail, form, subject)
    if form in ("ing", "effect") or (form in EITHER and is_ing_form(phrase.split()[0])):
        return _activity_in_ing_form(head, phrase, tail)
    if (form in ("topic", "judged", "causes") or HAPPENED.search(head)) and names_persons(phrase):
        raise ExtractionFailed("the question is about persons", phrase)
    if form == "topic" and (DOING.search(phrase) or (OPINION.search(head) and OF_CLAUSE.search(phrase))):
        raise ExtractionFailed("the question is about what others do", phrase)
    if form == "act" and (clause := OF_WAYS.search(phrase)):  # "methods of theft that are effective"
        if not ARE_GOOD.match(phrase, clause.start()):  # "that can be used to open sheds" may say the harm again
            raise ExtractionFailed("the phrase has another question or clause", phrase[clause.start() :].strip())
        phrase, tail = phrase[: clause.start()], phrase[clause.start() :] + tail
    act = act_sentence(phrase)
    if form == "act" and not act:
        raise ExtractionFailed(NO_VERB, phrase.partition(" ")[0])
    tail = WORK.sub(r"\1", tail) if form == "works" else tail
    if act:
        detoxified = fix_agreement(f"{head}{placeholder('activity')}{tail}", "activity")
        return Extraction(phrase, "activity", act.rstrip("."), detoxified)
    if exists := EXISTS.search(head):  # "Is there this product?" is no English
        head, tail = f"{head[: exists.start()]}does ", f" exist{tail}"
    detoxified = fix_agreement(f"{head}{placeholder('product')}{tail}")
    return Extraction(phrase, "product", product_sentence(phrase).rstrip("."), detoxified)


def _activity(head: str, phrase: str, tail: str, form: Form, subject: str) -> Extraction:
    if form == "asked":
        check_asked(phrase)
    if form == "condition" and WHICH_ONE.match(tail):
        raise ExtractionFailed("the question asks which one is meant", tail.strip(" ,"))
    if (
        form == "condition"
        and IF_I.search(head)
        and (asked := ASKED_AFTER.match(tail))
        and {*content_words(asked["what"])} - NEUTRAL
    ):
        raise ExtractionFailed("a part of the request would be lost", asked["what"])
    if form == "condition" and is_ing_form(phrase.split()[0]):
        return _activity_in_ing_form(head, phrase, tail)
    if form == "condition" or AFTER_IF.search(head):
        check_condition(phrase)
    bare = phrase.replace('"', "") if phrase.startswith('"') else phrase  # 'What does it mean to "nick" a lamp?'
    bare = ME.sub(r"\1someone", bare) if form == "asked" else bare  # whoever asks is not who does it
    if subject and not SECOND_PERSON.search(bare) and OTHERS.search(bare):  # "their" is the subject's
        bare = OUR.sub(lambda found: AS_OTHERS[found[0]], bare)
    sentence = past_activity_sentence(bare) if form in DONE else activity_sentence(bare)
    do = DONE.get(form, "do")
    return Extraction(phrase, "activity", sentence.rstrip("."), f"{head}{do} {placeholder('activity')}{tail}")


def _activity_in_ing_form(head: str, phrase: str, tail: str) -> Extraction:
    tokens = phrase.split()
    verb = tokens[skip_adverbs([token.lower() for token in tokens])].rstrip(",")
    if not is_ing_form(verb):
        raise ExtractionFailed(NO_VERB, verb)
    if OF_KIND.match(phrase):
        raise ExtractionFailed(NO_VERB, phrase)
    if lemmas(verb.lower()) & STATES:
        raise ExtractionFailed(STATE, verb)
    if AND_ITS.search(phrase):
        raise ExtractionFailed("an activity and a noun are joined", phrase)
    sentence = f"a person is {third_person(phrase)}".rstrip(".")
    return Extraction(phrase, "activity", sentence, f"{head}doing {placeholder('activity')}{tail}")
