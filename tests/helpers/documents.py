"""The documents, their fenced blocks, and the commands in these."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
DOCUMENTS = [
    *(ROOT / name for name in ("README.md", "README.zh-CN.md", "CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md")),
    *sorted(ROOT.glob("docs/**/*.md")),
    *sorted(ROOT.glob("plugins/*/README.md")),
    *sorted(ROOT.glob("benchmarks/*.md")),
]
FENCE = re.compile(r"^(?P<fence>```+)(?P<language>\w*)(?: (?P<file>\S+))?\n(?P<text>.*?)^(?P=fence)$", re.M | re.S)


@dataclass(frozen=True)
class Block:
    """A fenced block: commands with their output, a script, or a file to write.

    Attributes:
        language: what stands after the fence: "console", "python", or nothing.
        file: the file that the block is the content of, or nothing.
    """

    language: str
    file: str
    text: str

    @property
    def commands(self) -> list[str]:
        """The lines of a console block that are typed; continued lines are joined."""
        if self.language != "console":
            return []
        lines = self.text.replace("\\\n", " ").splitlines()
        return [" ".join(line[2:].split("  #")[0].split()) for line in lines if line.startswith("$ ")]


def blocks(document: Path) -> list[Block]:
    """Return the fenced blocks of a document."""
    found = FENCE.finditer(document.read_text(encoding="utf-8"))
    return [Block(match["language"], match["file"] or "", match["text"]) for match in found]


def prose(document: Path) -> str:
    """Return the text of a document without its fenced blocks."""
    return FENCE.sub("", document.read_text(encoding="utf-8"))
