"""Write the nouns that name no product, from WordNet: sea_core/extraction/rules/no_products.toml.

WORDNET is the folder with index.sense of WordNet 3.0 (Debian: wordnet-sense-index). A noun is taken if its first
sense, and three quarters of its uses in the texts that WordNet counted, are in a lexicographer file of acts, events,
states, ideas, persons and the like; and if the dictionary of the rules knows it as a noun. Left out are SHOWN, and
nouns that the rules already treat by what stands beside them.
"""

from __future__ import annotations

import argparse
import textwrap
from collections import defaultdict
from pathlib import Path

from lemminflect import getAllLemmas

from sea_core.extraction.rules import no_products
from sea_core.extraction.rules.acts import ACTS
from sea_core.extraction.rules.noun_phrases import ABSTRACT

# The number of a lexicographer file, as lexnames(5WN) has them, and what its nouns name.
KINDS = {
    4: "an act", 7: "a state", 9: "an idea", 11: "an event", 12: "a state", 14: "a group", 16: "an idea",
    18: "persons", 19: "a process", 22: "a process", 23: "an amount", 24: "a relation", 26: "a state", 28: "a time",
}  # fmt: skip
LEAST = 0.75
"""Of the uses of a noun. Half a use is added to each sense, as most were never counted."""
SHOWN = frozenset(
    # what can be read
    "abstract agenda algorithm amendment anagrams assessment background certification data declension definition "
    "diagnosis endowment estimate evaluation example exchange exploit extension finding findings formula function "
    "gender grammar hallmark identification image imagery layout letters lexicon mailing manuscript mapping meme model "
    "number obscenity paperwork pattern plan poll prediction program publishing reading registration research "
    "romance sample score screening sequence spell statistic statistics test torrent triangulation trilogy verdict "
    "waiver will datum given history date birthday identity detail details tally census mnemonic anecdote vulgarity "
    # what can be seen, touched or swallowed
    "abrasion aerial aerosol animation anthrax aqua arrangement artifice asset assortment avatar bait ballet batch "
    "blaster bleach blemish blot boil bonus bruise buster burn campfire canary cards carton case caravan ceramics "
    "chiller chunk church clump collection combination combo complex component composite conditioner convoy craft "
    "cube cut cyst darts design device devices disguise dominoes doubles driver droplet easterly electricity elves "
    "embodiment enhancer erotica extract eyes fertilizer filler finish fire fleet flock forest foundation framework "
    "galaxy game ghost hands haystack heap herd imitation injection inkblot irritant jack jacks kit leftover lump "
    "luxury manicure marbles market memento mesh microwave mirage monopoly muffler novelty opener origami packet "
    "pair parallel pest player polish porn pornography portion prop props prototype punch purchase rainforest range "
    "reader remnant remedy repeater reject rest sale scale scan scar scarlet school college academy academia institute "
    "preschool kindergarten village hamlet settlement colony selection series set smoke smog species spirit spots "
    "statuary stations stimulus string strings style substitute supply support swab system tears tentacle texture "
    "thermal tracker trick tuft undergrowth unicorn variant variation variety vegetation viewer volume vertebra "
    "weight wings wiretap woodpile wound wreck whale wildlife workshop zombie equipment bondage shoes fringe fry "
    "present fall spring past breakers kick shot shots unit barrels loads supplies stuffing filling cleaner pusher "
    "controller conductor handler helper switcher heavy spinner slider adjuster blend brew bulk "
    "exhaust flavor flavour vapors vapours gas gasoline condenser network utility attraction storage measurement "
    "homework establishment electronics prosthetics pyrotechnics insulation planter pitcher maker fragrance scent "
    "boxer carrier tweet comic duet minuet prelude speaker planner preserver protector bourbon batter relish claret "
    "glitter lure spotlight showcase shears clutch pyre bonfire angel dragon gnome vampire witch".split()
)
LICENSE = """\
WordNet 3.0 Copyright 2006 by Princeton University.  All rights reserved.

This software and database is being provided to you, the LICENSEE, by Princeton University under the following license.
By obtaining, using and/or copying this software and database, you agree that you have read, understood, and will comply
with these terms and conditions.:

Permission to use, copy, modify and distribute this software and database and its documentation for any purpose and
without fee or royalty is hereby granted, provided that you agree to comply with the following copyright notice and
statements, including the disclaimer, and that the same appear on ALL copies of the software, database and
documentation, including modifications that you make for internal use or for distribution.

THIS SOFTWARE AND DATABASE IS PROVIDED "AS IS" AND PRINCETON UNIVERSITY MAKES NO REPRESENTATIONS OR WARRANTIES, EXPRESS
OR IMPLIED.  BY WAY OF EXAMPLE, BUT NOT LIMITATION, PRINCETON UNIVERSITY MAKES NO REPRESENTATIONS OR WARRANTIES OF
MERCHANTABILITY OR FITNESS FOR ANY PARTICULAR PURPOSE OR THAT THE USE OF THE LICENSED SOFTWARE, DATABASE OR
DOCUMENTATION WILL NOT INFRINGE ANY THIRD PARTY PATENTS, COPYRIGHTS, TRADEMARKS OR OTHER RIGHTS.

The name of Princeton University or Princeton may not be used in advertising or publicity pertaining to distribution of
the software and/or database.  Title to copyright in this software, database and any associated documentation shall at
all times remain with Princeton University and LICENSEE agrees to preserve same."""


def read_senses(index: Path) -> dict[str, list[tuple[int, int, int]]]:
    """Return the senses of each noun of one word, the most frequent first: rank, lexicographer file and uses."""
    senses: dict[str, list[tuple[int, int, int]]] = defaultdict(list)
    for line in index.read_text(encoding="ascii").splitlines():
        key, _, rank, uses = line.split()
        noun, _, rest = key.partition("%")
        category, file, *_ = rest.split(":")
        if category == "1" and noun.isalpha():
            senses[noun].append((int(rank), int(file), int(uses)))
    return {noun: sorted(found) for noun, found in senses.items()}


def classify(senses: dict[str, list[tuple[int, int, int]]]) -> dict[str, str]:
    """Return what each noun names that names no product."""
    found = {}
    for noun, of_noun in senses.items():
        weights = [(file in KINDS, uses + 0.5) for _, file, uses in of_noun]
        share = sum(weight for is_kind, weight in weights if is_kind) / sum(weight for _, weight in weights)
        first = of_noun[0][1]
        if first in KINDS and share >= LEAST and noun not in ABSTRACT | ACTS | SHOWN and len(noun) > 2:
            found[noun] = KINDS[first]
    return {noun: kind for noun, kind in found.items() if _is_singular(noun, found)}


def _is_singular(noun: str, found: dict[str, str]) -> bool:
    """Return whether the dictionary has a noun, and it is no plural of one that may be a product: "shoes"."""
    singulars = {*getAllLemmas(noun).get("NOUN", ())} - {noun}
    return "NOUN" in getAllLemmas(noun) and not singulars - {*found}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("wordnet", type=Path, metavar="WORDNET")
    args = parser.parse_args()
    kinds = defaultdict(list)
    for noun, kind in sorted(classify(read_senses(args.wordnet / "index.sense")).items()):
        kinds[kind].append(noun)
    comment = f"Nouns that name no product: made by benchmarks/noun_classes.py from WordNet.\n\n{LICENSE}"
    lines = [f"# {line}".rstrip() for line in comment.splitlines()]
    for kind, nouns in sorted(kinds.items()):
        lines += ["", f'"{kind}" = """', *textwrap.wrap(" ".join(nouns), 119), '"""']
    file = Path(no_products.__file__).with_suffix(".toml")
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")
    print(file, *(f"{kind}: {len(nouns)}" for kind, nouns in kinds.items()), sep="\n")


if __name__ == "__main__":
    main()
