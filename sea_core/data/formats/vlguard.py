"""VLGuard: an image, whether it is safe, and one or two instructions with their responses."""

from __future__ import annotations

from dataclasses import dataclass, replace

from sea_core.data.examples import Example
from sea_core.data.media_columns import MEDIA_COLUMNS, read_media, strip_placeholders
from sea_core.data.record import Record, SkipRecord, preview

NEEDED = ("instr-resp", "safe")
ID_SUFFIXES = {"instruction": "", "safe_instruction": "-safe", "unsafe_instruction": "-unsafe"}
EXPECTED = 'It is {"image": path, "safe": true or false, "instr-resp": [{"instruction": "...", "response": "..."}]}.'


@dataclass(frozen=True, slots=True)
class VLGuard:
    """One example per instruction: harmful unless the image is safe and the instruction is the safe one.

    A record with a safe image gives two examples, whose ids end in "-safe" and "-unsafe".
    """

    name: str = "vlguard"
    columns: tuple[str, ...] = (*NEEDED, *MEDIA_COLUMNS)

    def matches(self, record: Record) -> bool:
        """Return whether the record has instructions and a label for its image."""
        return record.has(*NEEDED)

    def read(self, record: Record) -> list[Example]:
        """Return the examples. Raises DataError if the record is invalid, SkipRecord if a text is empty."""
        if not record.has(*NEEDED):
            raise record.missing_error(NEEDED, EXPECTED)
        safe_image = record.is_safe("safe")
        exchanges = [_exchange(record, item) for item in record.items("instr-resp")]
        if not exchanges:
            raise record.column_error("instr-resp", "is an empty list", EXPECTED)
        media = read_media(record, [text for _, text, _ in exchanges])
        examples = []
        for key, text, response in exchanges:
            instruction = strip_placeholders(text)
            if not instruction or not response:
                raise SkipRecord("an instruction or an answer is empty")
            name = record.example_id(instruction) + ID_SUFFIXES[key]
            harmful = not (safe_image and key == "safe_instruction")
            examples.append(Example(name, instruction, response, harmful=harmful, line=record.line, media=media))
        if len({example.id for example in examples}) < len(examples):
            examples = [replace(example, id=f"{example.id}-{number}") for number, example in enumerate(examples, 1)]
        return examples


def _exchange(record: Record, item: object) -> tuple[str, str, str]:
    """Return the key of the instruction, the instruction and the response of one object."""
    if isinstance(item, dict) and isinstance(item.get("response"), str):
        for key in ID_SUFFIXES:
            if isinstance(instruction := item.get(key), str):
                texts = [record.valid_text(text, "instr-resp").strip() for text in (instruction, item["response"])]
                return key, texts[0], texts[1]
    raise record.column_error(
        "instr-resp",
        f"must hold objects with an instruction and a response, but it holds {preview(item)}",
        EXPECTED,
    )
