"""An extractor for instructions such as "How do I steal a lamp?"."""

import re

from sea_core import Extraction, ExtractionFailed, Extractor


class AcmeExtractor(Extractor):
    name = "acme"

    def extract(self, instructions):
        for index, text in enumerate(instructions):
            found = re.fullmatch(r"How do I ((\w+) (.+))\?", text)
            if found:
                phrase, verb, rest = found.groups()
                detoxified = text.replace(phrase, "do this activity")
                yield index, Extraction(phrase, "activity", f"a person is {verb}ing {rest}", detoxified)
            else:
                yield index, ExtractionFailed("not a how-to question")
