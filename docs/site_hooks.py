"""What mkdocs.yml cannot say: the order of the pages, and links that leave the documents for the source code."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

DOCS = Path(__file__).parent
ORDER = {
    "Start": ["index.md", "quickstart.md", "glossary.md"],
    "Tutorials": ["tutorials"],
    "How to": ["how-to"],
    "Explanation": ["explanation", "study.md", "reliability.md", "performance.md"],
    "Reference": ["reference", "plugin-directory.md"],
    "Decisions": ["decisions"],
    "中文": ["zh"],
}
"""The sections of the site: pages, and folders whose pages are sorted by name."""
LINK = re.compile(r"(?<!!)\[(?P<text>[^\]]+)\]\((?P<target>[^()\s]+)\)")


def on_config(config: Any) -> Any:
    """List the pages. A page that no section has is an error of the build."""
    config["nav"] = [
        {section: [page for entry in entries for page in pages(entry)]} for section, entries in ORDER.items()
    ]
    return config


def pages(entry: str) -> list[str]:
    """Return a page, or those of a folder, its README first."""
    found = [path.relative_to(DOCS).as_posix() for path in (DOCS / entry).rglob("*.md")]
    return sorted(found, key=lambda page: (not page.endswith("README.md"), page)) or [entry]


def on_page_markdown(markdown: str, *, page: Any, **_: Any) -> str:
    """Show a link to a file of the repository that is no page as its text and its path."""
    folder = (DOCS / page.file.src_path).parent

    def shown(link: re.Match[str]) -> str:
        target = link["target"].partition("#")[0]
        path = Path(os.path.normpath(folder / target))
        if not target or ":" in target or not path.exists() or (path.suffix == ".md" and _is_page(path)):
            return link[0]
        name = path.relative_to(DOCS.parent).as_posix()
        return link["text"] if f"`{name}`" == link["text"] else f"{link['text']} (`{name}`)"

    return LINK.sub(shown, markdown)


def _is_page(path: Path) -> bool:
    return path.is_relative_to(DOCS) and not path.is_relative_to(DOCS / "examples")
