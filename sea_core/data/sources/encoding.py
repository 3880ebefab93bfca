"""Which encoding a text file has, by its bytes: only where they leave no doubt. A wrong guess would change the text."""

from __future__ import annotations

import codecs

BOMS = (  # those of UTF-32 first: they begin like those of UTF-16
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
WINDOWS_PUNCTUATION = bytes((0x85, 0x91, 0x92, 0x93, 0x94, 0x96, 0x97, 0xA0))
"""Ellipsis, quotes, dashes and hard space: the same in all of Windows' encodings with Latin letters."""
MIN_CHARACTERS = 4
"""Chinese characters that are needed to recognise them."""
COMMON = 0.9
"""The share of the characters that must be common Chinese ones, punctuation aside."""
LATE = 0.1
"""The least share of characters of the second half of the set, where Korean text of the same bytes has none."""


def find_encoding(sample: bytes) -> str:
    """Return the name of the encoding of a text; "utf-8" if the bytes do not show another.

    Args:
        sample: the first bytes of the file, or of a part of it that is not ASCII.
    """
    for mark, name in BOMS:
        if sample.startswith(mark):
            return name
    if b"\0" in sample:
        return _utf_16_without_mark(sample)
    if sample.isascii() or _is_mostly_utf_8(sample):
        return "utf-8"
    foreign = bytes(byte for byte in sample if byte >= 0x80)
    if not foreign.strip(WINDOWS_PUNCTUATION):
        return "cp1252"
    return "gb18030" if _is_chinese(sample) else "utf-8"


def _utf_16_without_mark(sample: bytes) -> str:
    """Return the UTF-16 whose zero bytes, every second one in Latin text, stand where those of the sample do."""
    half = len(sample) // 2
    even, odd = sample[::2].count(0), sample[1::2].count(0)
    if odd > 0.3 * half and even < 0.05 * half:
        return "utf-16-le"
    return "utf-16-be" if even > 0.3 * half and odd < 0.05 * half else "utf-8"


def _is_mostly_utf_8(sample: bytes) -> bool:
    """Return whether more characters beyond ASCII are valid UTF-8 than not."""
    text = sample.decode("utf-8", "replace")
    return sum(not character.isascii() for character in text) > 2 * text.count("\N{REPLACEMENT CHARACTER}")


def _is_chinese(sample: bytes) -> bool:
    """Return whether the bytes are GB 18030 and nearly all their characters are among the common ones of GB 2312."""
    try:
        text = codecs.getincrementaldecoder("gb18030")().decode(sample)
    except UnicodeDecodeError:
        return False
    characters = [character for character in text if "\u3040" <= character <= "\U0010ffff" and character < "\uff00"]
    if len(characters) < MIN_CHARACTERS:
        return False
    leads = [encoded[0] for character in characters if len(encoded := character.encode("gb2312", "ignore")) == 2]
    common = sum(0xB0 <= lead <= 0xD7 for lead in leads)
    return common >= COMMON * len(characters) and sum(lead > 0xC8 for lead in leads) >= LATE * len(characters)
