"""Words of requests, a closed vocabulary: what has only these says nothing of what is asked about."""

from __future__ import annotations

from sea_core.extraction.english import content_words

NEUTRAL = frozenset(
    "where find buy get use used using many much work works run explain describe discuss tell summarize summarise "
    "show advise name names called list kind kinds type types best available recommend suggest know detail "
    "details instruction instructions example examples step steps tip tips tool tools material materials needed "
    "required necessary involved include including included exact specific detailed precise full clear complete "
    "accurate measure measures measurement measurements ingredient ingredients amount amounts quantity quantities "
    "description descriptions dialogue reference references information explanation explanations well like good "
    "bad long time think feel happened choose choice reason reasons made make mean means brand brands component "
    "components experience experiences approach approaches one ones strategy strategies software fair legal right "
    "wrong regarding any additional other equipment supplies item items resource resources hardware part parts "
    "app apps website websites shop shops store stores route routes location locations place places date dates "
    "timing price prices cost costs duration order sequence code template diagram diagrams picture pictures "
    "common potential possible specifics advice ways way ensure avoid risk risks safety link links contact info "
    "data size weight dosage number numbers selection call home household easily uses obtain purchase acquire "
    "everyday also precaution precautions technique techniques method methods task do doing done become prevent "
    "sell safe safely learn try start effect effects need needs help question questions answer answers lists "
    "listed point points sentence sentences paragraph paragraphs page pages short brief briefly concise "
    "specifically thorough thoroughly comprehensive actionable practical creative simple simply formal informal "
    "tone style format word words length bullet bullets table summary introduction conclusion conclusions title "
    "section sections write give gives giving sure keep kept suggestions suggestion ideas idea plan plans "
    "everything anything please outline elaborate clarify clearly hard easy easier easiest hardest worst favorite "
    "favourite true false yes no okay ok better quickly efficiently effective effectively efficient worry expect "
    "starting begin beginning end ending follow following happens happen country countries city cities area areas "
    "three two four five six seven eight nine ten twenty hundred thousand several few provide provided understand "
    "beginner beginners expert experts language english plain quickest fastest cheap cheapest best-case opinion "
    "opinions thoughts view views background context basics overview mind tried recent accept offer wonder "
    "really often significance detailing describing explaining outlining listing specifying mentioning highlighting "
    "recommendation recommendations recommended further experiment handle apply take clever different offer".split()
)
"""A part of the requesting sentence with only these may stay: it says nothing of the phrase."""


def telling_words(text: str) -> set[str]:
    """Return the content words of a text that may say something of a phrase: none of requests, and no numbers."""
    return {word for word in content_words(text) if word not in NEUTRAL and not word.isdigit()}


def says_nothing(text: str) -> bool:
    """Return whether a text has words of requests only: "and if so, which one?"."""
    return not telling_words(text)
