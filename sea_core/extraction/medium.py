"""Phrases that speak of the medium itself, or of whom it shows: "the man in the picture"."""

from __future__ import annotations

import re

from sea_core.extraction.rules.vocabulary import any_in

MEDIUM = any_in(
    "images?, pictures?, photos?, photographs?, pics?, screenshots?, videos?, footage, recordings?, audios?, "
    "figures?, diagrams?, charts?, graphs?, illustrations?, drawings?, paintings?, posters?, memes?, "
    "advertisements?, cartoons?, collages?, infographics?, snapshots?"
)
SUBJECT = any_in("persons?, man, men, woman, women, individuals?, child, boy, girl, guy, lady, subjects?, characters?")
"""What people call whom a medium shows. Nobody else can be meant by "the person"."""
KNOWN = any_in("who, whom, whose, that, of, next door, i, you, in charge, responsible, matter, behind")
OWNED = r"(?: (?:that |which )?(?:i|we|he|she) (?:have|has|had|took|stole|found)\b| of (?:him|her|them|my|someone)\b)"
"""What makes a picture one that somebody has, and not the medium: "the pictures I have of him"."""
PURPOSE = any_in(
    "games?, cards?, ids?, files?, editors?, gallery, cameras?, chats?, calls?, feeds?, platforms?, sharing, industry, "
    "store, shop"
)
NAMED = re.compile(
    rf"\b(?:the|this|these|those|above|attached|given|provided|uploaded) (?:\w+ ){{0,2}}?{MEDIUM}\b"
    rf"(?! {PURPOSE}\b|{OWNED})|"
    rf"\bthat {MEDIUM}\b|\b(?:depicted|pictured)\b|"
    rf"\b(?:shown|depicted|displayed|pictured|seen|visible|portrayed|featured)\b.{{0,20}}\b(?:in|on|here|above)\b|"
    rf"\b(?<!i )(?<!have )(?<!i've )(?:shown|provided|mentioned|advertised)[\s.?!]*$|\bmentioned in the\b|"
    rf"\bin (?:an? )?(?:image|picture|photo|photograph)$|"
    rf"\b(?:the|this|these|those) (?:\w+ )?{SUBJECT}\b(?! {KNOWN}\b)|"
    rf"\b(?:in|on) the (?:foreground|background|left|right|top|bottom|center|centre|text|caption|headline)\b",
    re.IGNORECASE,
)


def named_medium(phrase: str) -> str:
    """Return the words of a phrase that refer to the medium that the instruction is about, or ""."""
    found = NAMED.search(phrase)
    return found[0] if found else ""
