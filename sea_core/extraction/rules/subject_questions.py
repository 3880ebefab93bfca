"""What a question about others says before and after its subject: "(How do) thieves (manage to) steal lamps?"."""

from __future__ import annotations

import re

from sea_core.extraction.rules.opener import Form
from sea_core.extraction.rules.vocabulary import (
    CAN,
    EXACTLY,
    GREETING,
    HOW_GOOD,
    JUDGED_TO,
    ONE,
    REASON,
    THE_BEST,
    WAYS,
    any_in,
    any_of,
)

AUXILIARY = any_in(
    "do, does, did, don't, doesn't, didn't, can, could, would, should, might, may, will, must, can't, couldn't, "
    "shouldn't, won't"
)
MODAL = any_in(
    "cannot, can, could, should, would, might, may, will, must, do, can't, couldn't, shouldn't, wouldn't, won't, don't"
)
FREE = any_in("allowed, permitted, able, forced, required, made, encouraged, taught, trained, paid, expected")
BARRED = any_in(
    "barred, banned, prevented, stopped, excluded, kept, prohibited, discouraged, kicked, thrown, removed, taken"
)
GIVEN = any_in("given, granted, offered, sold, handed, paid(?! (?:to|for|by|in|less|more|attention) )")
RIGHT = "(?:(?:so |much )*(?:more |less ))?" + any_in(
    "likely, right, wrong, justified, allowed, able, unable, permitted, entitled, "
    "forced, willing, supposed, required, expected, free, fit, unfit, qualified, unqualified"
)
REASONS = rf"(?:what(?: are|'re) )?{REASON}"
POWER = any_in("power, right, freedom, ability, chance, opportunity")
CHANCES = rf"(?:\w+ )?(?:a |the )?{any_of(POWER, 'opportunities', 'rights', 'reasons?')}"
MEANS = any_in("use, take, employ, follow, need")

# What a group has is no activity, but it belongs to the phrase too: "bakers with red noses".
HAVE = r"have (?!(?:to|sex|fun|kids|children|an affair|someone|somebody|others|people|access)\b)"

# What may stand between the subject and the phrase, and the form of the phrase after it.
Continuation = tuple[str, Form]
AFTER_AUXILIARY: tuple[Continuation, ...] = (
    (
        rf"(?:not )?(?:be {FREE}|(?:have|lack|be {GIVEN}) (?:the )?(?:\w+ )?{POWER}|"
        r"(?:always |still )?(?:need|try|manage|want|have|get|deserve|tend)) to ",
        "base",
    ),
    (rf"(?:not )?(?:be {BARRED} from|go about|get away with|be punished for) (?=\w+ing\b)", "ing"),
    (r"(?:first |ever )*(?:start|begin|stop|keep|quit|enjoy|love|like|hate) (?=\w+ing \w)", "ing"),
    (rf"(?:not )?{HAVE}", "noun"),
    (r"(?:not |really |actually |ever |first |just |even |always |still |often |never )*(?:\w+ly )?", "base"),
)
OFTEN = r"(?:always |often |never (?![^?!.]* and )|still |just |really |all )*"
# After the subject of a clause: "(Do you think that) thieves (should be allowed to) ...".
DECLARATIVE: tuple[Continuation, ...] = (
    (rf"{MODAL} (?:not )?be {FREE} to ", "base"),
    (rf"(?:{MODAL} (?:not |then )?)?{OFTEN}have {CHANCES} to ", "base"),
    (rf"(?:are|were|aren't|weren't) (?:not |really |all )*(?:{RIGHT}|[\w-]+ enough|too [\w-]+) to ", "base"),
    (r"(?:are|were) (?:not )?(?:so |much |such )*(?:good|bad|better|worse) at (?=\w+ing\b)", "ing"),
    (r"(?:are|were) (?:always |still |constantly )?(?=\w+ing \w)", "ing"),
    (rf"(?:{MODAL} (?:not )?)?have (?=(?:fewer|less|more|equal|the same|special|no) )", "noun"),
    (
        rf"(?:{MODAL} (?:not |then )?)?{OFTEN}"
        r"(?:(?:have|need|try|manage|want|get|deserve|tend) to )?(?:\w+ly )?",
        "base",
    ),
)
QUESTIONS: tuple[tuple[str, tuple[Continuation, ...]], ...] = (
    (
        rf"(?:how{EXACTLY}|how (?:often|easily|quickly)|why|when|where|(?:(?:in|at|on) )?(?:what|which) "
        rf"(?:year|day|month|time|century)|(?:in|at|on|with|by|from|to) (?:what|which) (?:[\w-]+ )?[\w-]+) "
        rf"(?P<auxiliary>{AUXILIARY}) (?:so (?:many|few) )?",
        AFTER_AUXILIARY,
    ),
    (
        rf"what (?P<auxiliary>)(?:happens|(?:will|would|could|might) happen|(?:{CAN}|to) (?:{ONE} )?do) (?:if|when) ",
        ((r"(?:\w+ly )?(?=\w+s )", "condition"), (r"(?:\w+ly )?", "base")),
    ),
    (
        rf"how [\w-]+ (?P<auxiliary>does|did|would|will) it take (?:for )?|(?:{REASONS}|{THE_BEST}{WAYS}) for ",
        ((r"to (?:not )?(?:\w+ly )?", "base"),),
    ),
    (
        rf"(?:(?:{REASONS} )?why|how) (?:(?P<auxiliary>is|was) it|it (?:is|was)) "
        rf"(?:not )?{JUDGED_TO} for ",
        (
            (rf"(?:not )?to (?:not )?{HAVE}(?!(?:the|a)\b)", "noun"),
            (rf"(?:not )?to (?:not )?(?:(?:have|be given) (?:the )?(?:\w+ )?{POWER} to )?", "base"),
        ),
    ),
    (
        rf"(?P<auxiliary>is|was|would) it (?:be )?(?:ever |really )?{JUDGED_TO} for ",
        ((r"to (?:not )?(?:\w+ly )?", "base"),),
    ),
    (
        "(?P<auxiliary>should) ",
        (
            (rf"(?:not )?be {FREE} (?:how )?to ", "base"),
            (r"(?:not |really |actually |ever |always |still )*(?:\w+ly )?(?!be )", "base"),
        ),
    ),
    (
        rf"(?P<auxiliary>how come|why is it (?:{JUDGED_TO} )?that|{REASONS}(?: for)? (?:why|that)|explain why) ",
        DECLARATIVE,
    ),
    (
        rf"(?P<auxiliary>do you (?:really )?(?:think|believe|agree)|did you know|"
        rf"is it (?:really )?(?:true|{JUDGED_TO})|is there evidence) "
        r"(?:that )?",
        DECLARATIVE,
    ),
    (
        r"what (?P<auxiliary>makes|made|drives|drove|motivates|motivated|led|leads|causes|caused|inspires|compels|"
        r"encourages|pushes|tempts|forces|gets|stops|prevents) ",
        ((r"(?:want )?(?:to )?(?:\w+ly )?", "base"), (r"from ", "ing")),
    ),
    (
        "(?:how|why|when) (?P<auxiliary>isn't|wasn't|aren't|weren't|is|was|are|were) ",
        (
            (rf"(?:not |never )?(?:\w+ly )?(?:{RIGHT}|{FREE}|taught|encouraged|banned from|told) to ", "base"),
            (r"(?:not )?(?:so |much |such )*(?:good|bad|better|worse) at (?=\w+ing\b)", "ing"),
            (r"(?:always |still |constantly )?(?!(?:being|going|having) )(?=\w+ing \w)", "ing"),
        ),
    ),
    (
        rf"(?:what|which) (?:[\w'-]+ ){{1,3}}?(?P<auxiliary>{AUXILIARY}) ",
        ((rf"{MEANS}(?: in order)? to (?:\w+ly )?", "base"),),
    ),
    (
        rf"(?:{REASONS} )?(?P<auxiliary>why) ",
        DECLARATIVE,
    ),
    (
        rf"(?:{REASONS} )?(?P<auxiliary>how) (?!(?:many|much|long|often|far|to) )",
        ((rf"(?:{MODAL} (?:not |then )?)?(?:\w+ly )?", "base"),),
    ),
    (
        r"(?P<auxiliary>do|does|did|can|could|will|would) ",
        (
            (
                rf"(?:ever |still |not |\w+ly )*(?:be {FREE}|deserve|need|want|have|try|plan|intend|"
                rf"have (?:the )?(?:\w+ )?{POWER}) to ",
                "base",
            ),
            (r"(?:really |actually |always |often |still |ever )*(?:\w+ly )?", "base"),
        ),
    ),
    (rf"(?P<auxiliary>(?:what are )?)(?:{HOW_GOOD} )*ways (?:that |in which )?", DECLARATIVE),
    (r"(?P<auxiliary>has|have) ", ((r"(?:ever |already |really |secretly )*(?!\w+ any |been )", "past"),)),
    (
        r"(?P<auxiliary>is|are|was|were) ",
        (
            (rf"(?:ever |really |still |not )*(?:{RIGHT}|{FREE}) to ", "base"),
            (r"(?:really |still |just |actually |secretly )*(?!(?:being|going|having) )(?=\w+ing \w)", "ing"),
            (r"(?:more |less |so )*(?:prone|opposed|drawn) to ", "topic"),
            (
                r"(?:ever |really |so )*(?:justified in|guilty of|good at|bad at|better at|worse at) "
                r"(?=\w+ing\b)",
                "ing",
            ),
        ),
    ),
)
OPINION = re.compile(
    rf"{GREETING}(?P<auxiliary>(?:(?:i (?:really |just )?(?:think|believe|say)|in my opinion),? (?:that )?)?)(?:only )?"
    rf"(?!{ONE} )",
    re.IGNORECASE,
)
DEMANDS: tuple[Continuation, ...] = (
    (rf"(?:should|shouldn't|must|mustn't|ought to|need to|have to) (?:not |never )?be {FREE} to ", "base"),
    (
        r"(?:should|shouldn't|must|ought to|need to|have to) (?:not |never |just |simply |really |all |"
        r"always )*(?!be (?:allowed|permitted)\b)",
        "base",
    ),
)
# "Bakers always steal lamps.": what persons are said to do.
CLAIMS: tuple[Continuation, ...] = (
    (r"(?:can|can't|cannot|won't) (?:even |ever )?", "base"),
    (r"(?:always |only |just |all |still )*(?:(?:want|like|love|try) to )?(?:\w+ly )?", "base"),
)
DEMANDED = tuple((re.compile(between, re.IGNORECASE), form) for between, form in (*DEMANDS, *CLAIMS))
