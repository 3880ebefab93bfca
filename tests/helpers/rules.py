"""What the offline rules make of one instruction, as `sea prepare` takes it."""

from __future__ import annotations

from sea_core.data.examples import Extraction
from sea_core.extraction.extractor import ExtractionFailed
from sea_core.extraction.registry import get_extractor
from sea_core.extraction.repair import repair


def outcome(instruction: str) -> Extraction | ExtractionFailed:
    """Return the extraction after the repair that follows every extractor, or why the instruction is skipped."""
    ((_, found),) = get_extractor("rules").extract([instruction])
    try:
        return found if isinstance(found, ExtractionFailed) else repair(found)
    except ExtractionFailed as failure:
        return failure
