"""docs/reference/families.md is about the classes of the installed transformers, and written by the tool."""

from __future__ import annotations

from pathlib import Path

import pytest
import transformers

from families.classes import list_classes
from families.derivation import prove
from families.document import write_page
from families.matrix import examine
from families.processors import NOT_NAMED, find_library

PAGE = Path(__file__).resolve().parents[2] / "docs" / "reference" / "families.md"


def lines_of_tables(page: str) -> list[list[str]]:
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in page.splitlines() if line[:2] == "| "]
    return [line for line in cells if line[0] not in ("class", "---")]


def test_the_page_is_about_the_classes_of_the_installed_transformers() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert f"transformers {transformers.__version__}." in page
    assert {line[0] for line in lines_of_tables(page)} == set(list_classes().values())


def test_the_page_says_what_came_out_for_each_class() -> None:
    entries = [entry for model_type in ("llava", "qwen3_vl", "evolla") for entry in examine(model_type, prove)]
    page = write_page(entries)
    assert (
        f"2 of {len(set(list_classes().values()))} classes are carried, in 3 pairs of a class and a modality:" in page
    )
    assert "- image: 2 pairs, 1 by splice, 1 by replay" in page
    assert lines_of_tables(page)[0] == [
        "LlavaForConditionalGeneration",
        "image",
        "one module",
        "`model.multi_modal_projector`",
        "91%",
        "splice",
        "yes",
        "",
    ]
    assert lines_of_tables(page)[-1] == ["EvollaForProteinText2Text", "", "it reads proteins"]


@pytest.mark.parametrize(
    ("model_type", "modality", "library"),
    [
        ("llava", "image", ""),
        ("llama4", "image", "torchvision"),
        ("qwen2_5_vl", "video", "torchvision"),
        ("qwen2_5_omni_thinker", "audio", ""),
        ("granite_speech", "audio", "torchaudio"),
        ("fast_vlm", "image", NOT_NAMED),
    ],
)
def test_the_library_of_a_processor_is_found(model_type: str, modality: str, library: str) -> None:
    assert find_library(model_type, modality) == library
