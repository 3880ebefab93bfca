"""The tutorial works when it is followed from the first line to the last in a fresh environment."""

from __future__ import annotations

import re
from contextlib import ExitStack
from pathlib import Path

import pytest

from helpers.documents import Block, blocks
from helpers.fresh_venv import FreshVenv, ServingVenv

DOCS = Path(__file__).parents[2] / "docs"
TUTORIAL = DOCS / "tutorials/write-a-plugin.md"
BUILD = "$ sea toy build tiny --plugin eeg"
EXAMPLE = DOCS / "examples/sea_eeg"
TRAINING = "encoder_steps=150, language_steps=600"
SHORTER = "encoder_steps=400, language_steps=600, media_batch=8, text_batch=3"
"""The model is trained on a fifth of the examples here, which takes a third of the time."""


def commands(text: str) -> list[tuple[str, int, list[str]]]:
    """Return each command, the exit code that its comment names, and the lines that it must print."""
    found: list[tuple[str, int, list[str]]] = []
    for line in text.splitlines():
        if line.startswith("$ "):
            code = re.search(r"# exit code (\d+)$", line)
            found.append((line[2:], int(code[1]) if code else 0, []))
        elif line.strip() not in ("", "..."):
            found[-1][2].append(" ".join(line.split()))
    return found


def test_every_block_can_be_followed(tmp_path: Path) -> None:
    assert sum(TRAINING in block.text for block in blocks(TUTORIAL)) == 1
    venv = FreshVenv.create(tmp_path)
    with ExitStack() as stack:
        for block in blocks(TUTORIAL):
            if BUILD in block.text:  # the package is written: one process can run the commands from here on
                venv = stack.enter_context(venv.serving())
            if block.language == "console":
                for command, code, printed in commands(block.text):
                    require_output(venv, command, code, printed)
            else:
                assert block.file, f"a block does not say which file it is: {block.text[:60]}"
                path = tmp_path / block.file
                assert path.parent.is_dir(), f"{block.file}: there is no such folder yet"
                path.write_text(block.text.replace(TRAINING, SHORTER), encoding="utf-8")
    assert isinstance(venv, ServingVenv)


def require_output(venv: FreshVenv, command: str, code: int, printed: list[str]) -> None:
    """Run a command, and fail if it has another exit code or does not print the lines."""
    done = venv.run(command)
    output = f"$ {command}\n{done.stdout}{done.stderr}"
    assert done.returncode == code, output
    plain = " ".join(output.split())
    assert not [line for line in printed if line not in plain], output


@pytest.mark.parametrize("block", [block for block in blocks(TUTORIAL) if block.file], ids=lambda block: block.file)
def test_every_file_of_the_tutorial_is_in_the_example(block: Block) -> None:
    assert block.text == EXAMPLE.joinpath(*Path(block.file).parts[1:]).read_text(encoding="utf-8")


def test_every_file_of_the_example_is_in_the_tutorial() -> None:
    scaffolded = {"README.md"}
    written = {str(Path(*Path(block.file).parts[1:])) for block in blocks(TUTORIAL) if block.file}
    files = {
        str(file.relative_to(EXAMPLE))
        for file in EXAMPLE.rglob("*")
        if file.suffix in (".py", ".toml", ".md") and "checkpoint" not in file.parts
    }
    assert files == scaffolded | written
