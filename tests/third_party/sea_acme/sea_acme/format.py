"""A format of text safety sets: columns `ask` and `reply`."""

from sea_core.data.formats.common import build_example


class AcmeFormat:
    name = "acme"
    columns = ("ask", "reply")

    def matches(self, first):
        return first.has("ask", "reply")

    def read(self, record):
        return [build_example(record, record.text("ask"), record.text("reply"))]
