"""How a phrase becomes an extraction, by the form that its opener gives it."""

from __future__ import annotations

import re
from collections.abc import Mapping

from sea_core.data.examples import Extraction
from sea_core.extraction.english import is_base_verb, is_ing_form, lemmas, word_classes
from sea_core.extraction.extractor import ExtractionFailed
from sea_core.extraction.leak import placeholder
from sea_core.extraction.repair import fix_agreement
from sea_core.extraction.rules.acts import act_sentence
from sea_core.extraction.rules.alternatives import which_way
from sea_core.extraction.rules.context import SECOND_PERSON
from sea_core.extraction.rules.neutral import telling_words
from sea_core.extraction.rules.noun_phrases import product_sentence
from sea_core.extraction.rules.nouns import names_persons
from sea_core.extraction.rules.opener import Form
from sea_core.extraction.rules.passives import passive_sentence
from sea_core.extraction.rules.past_verbs import check_condition, past_activity_sentence
from sea_core.extraction.rules.several import split_examples, split_naming
from sea_core.extraction.rules.third_person import SEVERAL_PERSONS, as_others, third_person
from sea_core.extraction.rules.tokens import skip_adverbs
from sea_core.extraction.rules.verb_phrases import NO_VERB, STATE, STATES, activity_sentence, check_asked

# "companies collecting data": the noun does something.
DOING = re.compile(r"\w\w+s (?!regarding|concerning|including|involving)\w+ing\b(?! of\b)")
# "How does a lock work?": the verb after the noun phrase belongs to the question.
WORK = re.compile(r"\b(work|cost|last)s\b")
# "If you could buy any lamp, what would it be?": "it" is the lamp, and no activity.
WHICH_ONE = re.compile(
    r",? (?:what|which|who|where)(?: \w+)? (?:would|will|could) (?:it|that|they) be\b", re.IGNORECASE
)
AND_ITS = re.compile(r" and its [\w-]+$", re.IGNORECASE)  # "baking a cake and its decoration"
# "baking and decoration"
AND_NOUN = re.compile(r"^\w+ing and [a-z]\w+(?:tion|ment|ship|ery|ance|ence)$", re.IGNORECASE)
AIMED_AT = re.compile(
    r"\w+ing (?:aimed|directed|targeted|targeting|based|focused) (?:at|on|towards?)?\b", re.IGNORECASE
)
NOT_DONE = re.compile(r" not be ", re.IGNORECASE)
AFTER_IF = re.compile(r"\bif \S+ $", re.IGNORECASE)
THEN_DOES = re.compile(
    r"\b(?:and|or|then) (?:then )?(?P<verb>\w+s)\b(?P<what> (?:it|them|him|her|the|an?|my|your|their)\b)?",
    re.IGNORECASE,
)
AND_TELL = re.compile(r" and (?:then )?(?:describe|explain|summari[sz]e|discuss)\b.*", re.IGNORECASE)
IT = re.compile(r"\b(?:it|them)\b(?!')", re.IGNORECASE)
MY = re.compile(r"\b(?:my|our)(?: own)?\b")
WHO_ACTS = re.compile(
    r"\b(?:who|you|they|people|someone|somebody|anyone)(?: (?:else|\w+ly|always|ever|just|still|not|please|even|can|"
    r"would|could|should|will|(?:plan|try|want|like|need|have|hope|intend) to))* $",
    re.IGNORECASE,
)
THIRD = re.compile(r"\b(?:they|them|their|someone|somebody|I|we)\b", re.IGNORECASE)
ASKERS = frozenset(("", "i", "we", "you"))
"""Subjects who are, or may be, whoever asks."""
# "phishing emails": which ones, and not what is done to them.
OF_KIND = re.compile(
    r"(?:phish|catfish|hack|smuggl|traffick|launder|groom|scamm|spoof)ing "
    r"(?:schemes|scams|emails|attacks|campaigns|operations|rings|networks|websites|tools)\b",
    re.IGNORECASE,
)
EXISTS = re.compile(r"\b(?:is|are) there $", re.IGNORECASE)
OF_CLAUSE = re.compile(r"\w (?:that|which|who) \w", re.IGNORECASE)
OPINION = re.compile(r"\b(?:feel|think) (?:about|of) $", re.IGNORECASE)
OF_WAYS = re.compile(r" (?:that|which) (?:are|can|could|work) ", re.IGNORECASE)
ARE_GOOD = re.compile(r" (?:that|which) are (?:\w+ly )?[\w-]+(?: (?:and|or|but) (?:\w+ly )?[\w-]+)?$", re.IGNORECASE)
ME = re.compile(r"^((?:\w+ly )?\w+ |.* for )(?:me|us)\b")
IF_I_DO = re.compile(r"\b(?:if|when|unless) (?:I|we)\b", re.IGNORECASE)
HAPPENED = re.compile(r"\bwhat happened to $", re.IGNORECASE)
# "If I pay you, will you steal a lamp?"
IF_I = re.compile(r"\bif (?:i|we) $", re.IGNORECASE)
# "How would you feel if I stole your lamp?"
IF_NOT_YOU = re.compile(r"\bif (?:i|we|someone|somebody|anyone|people|they) $", re.IGNORECASE)
YOUR = re.compile(r"\byour\b(?! own\b)")
ASKED_AFTER = re.compile(r",? (?:then )?(?:will|would|can|could) you (?P<what>.*)", re.IGNORECASE)
OUT_THERE = re.compile(r"^ out there\b", re.IGNORECASE)
IS_WHAT = re.compile(r"\bwhat(?: is|'s) $", re.IGNORECASE)
EITHER = ("works", "topic", "judged", "causes")
"""Forms that a noun phrase and the -ing form of a verb may have."""
DONE: Mapping[Form, str] = {"past": "done", "simple": "did"}
"""What the detoxified instruction has instead of a verb in the past."""


def make_extraction(head: str, phrase: str, tail: str, form: Form, subject: str) -> Extraction:
    """Return the extraction of a phrase in a form.

    Args:
        head, tail: what is before and after the phrase in the detoxified instruction.
        subject: whom the sentence is about, if not the user.

    Raises:
        ExtractionFailed: the phrase does not have the form, or names neither an activity nor a product.
    """
    if form == "passive":
        sentence, done = passive_sentence(phrase)
        phrase = NOT_DONE.sub(" be ", phrase)  # the detoxified instruction has the "not"
        return Extraction(phrase, "activity", sentence, f"{head}{placeholder('activity')}{done}{tail}")
    if form in ("base", "asked", "past", "simple", "condition", "stranded"):
        return _activity(head, phrase, tail, form, subject)
    if form in ("ing", "effect") or (form in EITHER and is_ing_form(phrase.split()[0])):
        return _activity_in_ing_form(head, phrase, tail, subject)
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
        head, phrase = split_examples(head, phrase)
        detoxified = fix_agreement(f"{head}{placeholder('activity')}{tail}", "activity")
        return Extraction(phrase, "activity", (act_sentence(phrase) or act).rstrip("."), detoxified)
    if exists := EXISTS.search(head):  # "Is there this product?" is no English
        head, tail = f"{head[: exists.start()]}does ", f" exist{tail}"
    if IS_WHAT.search(head):  # "What's the best lamp out there?"
        tail = OUT_THERE.sub("", tail)
    head, phrase = split_naming(head, phrase)
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
        and telling_words(asked["what"])
    ):
        raise ExtractionFailed("a part of the request would be lost", asked["what"])
    if form == "condition" and is_ing_form(phrase.split()[0]):
        return _activity_in_ing_form(head, phrase, tail, subject)
    if form == "condition" or AFTER_IF.search(head):
        check_condition(phrase)
    bare = phrase.replace('"', "") if phrase.startswith('"') else phrase  # 'What does it mean to "nick" a lamp?'
    if form == "asked":  # "write a program and explain how to use it": not the writing
        tail = AND_TELL.sub(lambda found: IT.sub("the result", found[0]), tail)
    asker = "the person"
    if form == "asked":
        bare, for_me = ME.subn(r"\1someone", bare)
        if for_me:  # "buy a lamp for me with my card"
            asker, bare = "someone", MY.sub("that person's", bare)
        if IF_I_DO.search(bare):  # "draw a lamp if I bake a cake": "they" would be who draws
            raise ExtractionFailed(SEVERAL_PERSONS, phrase)
    bare = _of_others(head, bare, subject)
    do = DONE.get(form, "do")
    if form == "condition" and (base := _base_of_others(bare)):  # "if somebody steals a lamp"
        bare, do = base, "does"
    sentence = past_activity_sentence(bare) if form in DONE else activity_sentence(bare, asker)
    detoxified = which_way(head, phrase, tail) or f"{head}{do} {placeholder('activity')}{tail}"
    return Extraction(phrase, "activity", sentence.rstrip("."), detoxified)


def _of_others(head: str, phrase: str, subject: str) -> str:
    """Return the phrase with whoever asks as somebody else than who acts, if others act.

    Of "(Why do people) steal my lamp" it is "steal someone's lamp": "their" would be the subject's.
    """
    if IF_NOT_YOU.search(head) and not THIRD.search(phrase):
        phrase = YOUR.sub("someone's", phrase, count=1)
    if SECOND_PERSON.search(phrase):
        return phrase
    is_others = subject.lower() not in ASKERS or (bool(WHO_ACTS.search(head)) and not THIRD.search(phrase))
    return as_others(phrase) if is_others else phrase


def _base_of_others(phrase: str) -> str:
    """Return a phrase whose verb has the form that "he" needs with its verb in the base form; "" for any other."""
    verb, _, rest = phrase.partition(" ")
    if is_base_verb(verb) or not verb.endswith("s") or "VERB" not in word_classes(verb):
        return ""
    bases = {lemma for lemma in lemmas(verb) - {verb} if is_base_verb(lemma)}
    base = verb[:-1] if verb[:-1] in bases else min(bases, default="")  # "leaves": not "leaf"
    for then in THEN_DOES.finditer(rest):  # "steals lamps and hides them", "steals and sells lamps"
        if then["what"] or then.start() == 0 or word_classes(then["verb"].lower()) == {"VERB"}:
            return ""
    return f"{base} {rest}".strip() if base and rest else ""


def _activity_in_ing_form(head: str, phrase: str, tail: str, subject: str) -> Extraction:
    tokens = phrase.split()
    verb = tokens[skip_adverbs([token.lower() for token in tokens])].rstrip(",")
    if not is_ing_form(verb):
        raise ExtractionFailed(NO_VERB, verb)
    if OF_KIND.match(phrase):
        raise ExtractionFailed(NO_VERB, phrase)
    if lemmas(verb.lower()) & STATES:
        raise ExtractionFailed(STATE, verb)
    if AND_ITS.search(phrase) or AND_NOUN.search(phrase):
        raise ExtractionFailed("an activity and a noun are joined", phrase)
    doing = "engaging in " if AIMED_AT.match(phrase) else ""  # "advertising aimed at bakers": a noun
    sentence = f"a person is {doing}{third_person(_of_others(head, phrase, subject))}".rstrip(".")
    hidden = placeholder("activity")
    if IS_WHAT.search(head) and not tail.strip(" ?."):  # "What is doing this activity?" would be another question
        return Extraction(phrase, "activity", sentence, f"{head}{hidden}{tail}")
    return Extraction(phrase, "activity", sentence, which_way(head, phrase, tail) or f"{head}doing {hidden}{tail}")
