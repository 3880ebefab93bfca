"""VLGuard: an image, whether it is safe, and one or two instructions with their answers."""

from __future__ import annotations

from dataclasses import dataclass, replace

from sea_core.data.examples import Example
from sea_core.data.media_columns import MEDIA_COLUMNS, read_media, strip_placeholders
from sea_core.data.record import Record, SkipRecord, preview

KEYS = {"instruction": "", "safe_instruction": "-safe", "unsafe_instruction": "-unsafe"}
EXPECTED = 'It is {"image": path, "safe": true or false, "instr-resp": [{"instruction": "...", "response": "..."}]}.'


@dataclass(frozen=True, slots=True)
class VLGuard:
    """One row for each instruction: harmful unless the image is safe and the instruction is the safe one.

    A safe image gives two rows of one record; their ids end in "-safe" and "-unsafe".
    """

    name: str = "vlguard"
    columns: tuple[str, ...] = ("instr-resp", "safe", *MEDIA_COLUMNS)

    def matches(self, first: Record) -> bool:
        """Tell whether the record has instructions and a label for its image."""
        return first.has("instr-resp", "safe")

    def read(self, record: Record) -> list[Example]:
        """Return the rows. Raises DataError for a missing column or a wrong type."""
        if not record.has("instr-resp", "safe"):
            raise record.missing_error(("instr-resp", "safe"), EXPECTED)
        safe = record.flag("safe")
        told = [_said(record, item) for item in record.items("instr-resp")]
        if not told:
            raise record.column_error("instr-resp", "holds nothing", EXPECTED)
        found = read_media(record, [text for _, text, _ in told])
        rows = []
        for key, text, response in told:
            instruction = strip_placeholders(text)
            if not instruction or not response:
                raise SkipRecord("an instruction or an answer is empty")
            name = record.example_id(instruction) + KEYS[key]
            harmful = not (safe and key == "safe_instruction")
            rows.append(Example(name, instruction, response, harmful=harmful, line=record.line, media=found))
        if len({row.id for row in rows}) < len(rows):
            rows = [replace(row, id=f"{row.id}-{number}") for number, row in enumerate(rows, 1)]
        return rows


def _said(record: Record, item: object) -> tuple[str, str, str]:
    """Return the key, the instruction and the answer of one object."""
    if isinstance(item, dict) and isinstance(item.get("response"), str):
        for key in KEYS:
            if isinstance(text := item.get(key), str):
                whole = [record.valid_text(said, "instr-resp").strip() for said in (text, item["response"])]
                return key, whole[0], whole[1]
    raise record.column_error(
        "instr-resp", f"must hold objects of an instruction and a response, but it holds {preview(item)}", EXPECTED
    )
