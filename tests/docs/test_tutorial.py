"""The tutorial, followed from its first line to its last by somebody who installed SEA a minute ago."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import pytest

from helpers.fresh_venv import Stranger

DOCS = Path(__file__).parents[2] / "docs"
TUTORIAL = DOCS / "tutorial/write-a-plugin.md"
EXAMPLE = DOCS / "examples/sea_eeg"
FENCE = re.compile(r"^```(\w+)(?: (\S+))?\n(.*?)^```$", re.M | re.S)


@dataclass(frozen=True)
class Block:
    """A fenced block: commands with what they print, or a file to write."""

    language: str
    file: str
    text: str


def blocks() -> list[Block]:
    return [Block(*found) for found in FENCE.findall(TUTORIAL.read_text(encoding="utf-8"))]


def commands(text: str) -> list[tuple[str, int, list[str]]]:
    """Return each command with the exit code that its comment names, and lines that it prints."""
    found: list[tuple[str, int, list[str]]] = []
    for line in text.splitlines():
        if line.startswith("$ "):
            code = re.search(r"# exit code (\d+)$", line)
            found.append((line[2:], int(code[1]) if code else 0, []))
        elif line.strip() not in ("", "..."):
            found[-1][2].append(" ".join(line.split()))
    return found


def test_every_block_is_followed(tmp_path: Path) -> None:
    stranger = Stranger.settle(tmp_path)
    for block in blocks():
        if block.language == "console":
            for command, code, printed in commands(block.text):
                done = stranger.run(command)
                said = f"$ {command}\n{done.stdout}{done.stderr}"
                assert done.returncode == code, said
                plain = " ".join(said.split())
                assert not [line for line in printed if line not in plain], said
        else:
            assert block.file, f"a block does not say which file it is: {block.text[:60]}"
            path = tmp_path / block.file
            assert path.parent.is_dir(), f"{block.file}: there is no such folder yet"
            path.write_text(block.text, encoding="utf-8")


@pytest.mark.parametrize("block", [block for block in blocks() if block.file], ids=lambda block: block.file)
def test_what_it_writes_is_the_example(block: Block) -> None:
    assert block.text == EXAMPLE.joinpath(*Path(block.file).parts[1:]).read_text(encoding="utf-8")


def test_the_example_is_what_it_writes() -> None:
    given = {"pyproject.toml", "README.md", "tests/test_contract.py"}  # by `sea plugin new`
    written = {str(Path(*Path(block.file).parts[1:])) for block in blocks() if block.file}
    there = {
        str(file.relative_to(EXAMPLE))
        for file in EXAMPLE.rglob("*")
        if file.suffix in (".py", ".toml", ".md") and "checkpoint" not in file.parts
    }
    assert there == given | written


def test_the_scaffold_gives_the_examples_other_files(tmp_path: Path) -> None:
    from sea_core.plugin.scaffold import write

    write.write("eeg", "eeg", tmp_path / "sea-eeg")
    for name in ("pyproject.toml", "tests/test_contract.py"):
        assert (tmp_path / "sea-eeg" / name).read_text() == (EXAMPLE / name).read_text()
