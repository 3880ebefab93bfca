"""The page of `sea report` as a test reads it: without a browser."""

from __future__ import annotations

import base64
import hashlib
import json
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

VOID = frozenset("meta img input br hr link source area base col embed param track wbr".split())


@dataclass
class PageRecord:
    """A row of the page: its anchor, labels, verdicts, and the source of its media."""

    anchor: str
    labels: dict[str, str]
    verdicts: list[dict[str, str]]
    media: list[str] = field(default_factory=list)
    text: str = ""
    folded: bool = False


class HtmlPage(HTMLParser):
    """Reads a page.

    Attributes:
        ids: all anchors. links: all `href`s, with the filter of each. sources: all `src`s.
        tables: the cells of each table, by its title. rows: by list of rows.
        unlinked: the cells below headings without a link.
        attributes: the names of all attributes. tags: the names of all elements.
    """

    def __init__(self, path: Path) -> None:
        super().__init__(convert_charrefs=True)
        self.ids: list[str] = []
        self.links: list[tuple[str, dict[str, str] | None]] = []
        self.sources: list[str] = []
        self.tables: dict[str, list[list[str]]] = {}
        self.unlinked: list[str] = []
        self.rows: dict[str, list[PageRecord]] = {}
        self.attributes: set[str] = set()
        self.tags: set[str] = set()
        self.policy, self.text = "", ""
        self.inline: dict[str, list[str]] = {"script": [], "style": []}
        self.open: list[str] = []
        self._rows: list[PageRecord] = []
        self._table: list[list[str]] | None = None
        self._is_linked = False
        self.source = path.read_text(encoding="utf-8")
        self.feed(self.source)
        assert self.open == [], "an element is not closed"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = {name: value or "" for name, value in attrs}
        self.tags.add(tag)
        self.attributes |= set(found)
        if tag not in VOID:
            self.open.append(tag)
        if "id" in found:
            self.ids.append(found["id"])
        if "href" in found:
            chosen = found.get("data-filter")
            self.links.append((found["href"], json.loads(chosen) if chosen else None))
        if "src" in found:
            self.sources.append(found["src"])
        if found.get("http-equiv") == "Content-Security-Policy":
            self.policy = found["content"]
        self._open_part(tag, found)

    def _open_part(self, tag: str, found: dict[str, str]) -> None:
        if tag == "section" and found.get("class") == "rows":
            self._rows = self.rows.setdefault(found["id"], [])
        if tag == "article":
            self._rows.append(PageRecord(found["id"], **json.loads(found["data-row"])))
        if "article" in self.open:
            if tag in ("img", "audio"):
                self._rows[-1].media.append(found["src"])
            elif tag == "svg":
                self._rows[-1].media.append("svg")
            elif tag == "details":
                self._rows[-1].folded = "open" not in found
        if tag == "table":
            self._table = self.tables.setdefault(found["aria-label"], [])
        if tag == "tr" and self._table is not None:
            self._table.append([])
        if tag in ("td", "th") and self._table is not None:
            self._table[-1].append("")
            self._is_linked = tag == "th"
        if tag == "a":
            self._is_linked = True

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag, f"{tag} closes another element"
        if tag in ("td", "th") and self._table is not None:
            self._table[-1][-1] = " ".join(self._table[-1][-1].split())
            self.unlinked += [self._table[-1][-1]] * (not self._is_linked)
        if tag == "table":
            self._table = None

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] in self.inline:
            self.inline[self.open[-1]].append(data)
            return
        self.text += data
        if self._table and self._table[-1] and {"td", "th"} & set(self.open):
            self._table[-1][-1] += data
        if "article" in self.open:
            self._rows[-1].text += data

    def policy_sources(self, directive: str) -> list[str]:
        """Return what the policy allows for one kind of content."""
        parts = [part.split() for part in self.policy.split(";")]
        return next((words[1:] for words in parts if words[0] == directive), [])

    def selected(self, anchor: str, chosen: dict[str, str]) -> list[PageRecord]:
        """Return the rows that a filter selects, as the page's script does."""
        keys = {name: value for name, value in chosen.items() if name in ("run", "judge", "verdict")}
        labels = {name: value for name, value in chosen.items() if name not in keys}
        return [
            row
            for row in self.rows[anchor]
            if labels.items() <= row.labels.items()
            and (not keys or any(keys.items() <= each.items() for each in row.verdicts))
        ]


def digest_source(text: str) -> str:
    """Return the word that allows an inline script or style in a policy."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def require_self_contained(page: HtmlPage) -> None:
    """Check that a page loads nothing, runs only its own script, and that all its anchors resolve."""
    assert page.policy_sources("default-src") == ["'none'"]
    assert page.policy_sources("img-src") == page.policy_sources("media-src") == ["data:"]
    for name in ("script", "style"):
        assert page.policy_sources(f"{name}-src") == [digest_source(text) for text in page.inline[name]]
        assert len(page.inline[name]) == 1
    assert not {name for name in page.attributes if name.startswith("on") or name in ("style", "srcset", "action")}
    assert not page.tags & {"iframe", "object", "embed", "base", "form", "link", "foreignobject", "use", "animate"}
    assert all(source.startswith(("data:image/webp;base64,", "data:audio/")) for source in page.sources)
    assert len(page.ids) == len(set(page.ids))
    for href, _ in page.links:
        assert href.startswith("#")
        assert href[1:] in page.ids


def number(text: str) -> Any:
    """Return the number that a cell begins with."""
    return float(text.split()[0])
