"""Chromium without a window, for tests of pages. They are skipped where there is no Chromium or no playwright."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
PHONE, DESKTOP = {"width": 390, "height": 844}, {"width": 1280, "height": 900}


@contextmanager
def open_browser(*arguments: str) -> Iterator[Any]:
    """Open Chromium with arguments of its own. Skips the test where it cannot be used."""
    import pytest

    playwright = pytest.importorskip("playwright.sync_api", reason="needs playwright")
    if CHROMIUM is None:
        pytest.skip("needs Chromium")
    with playwright.sync_playwright() as engine:
        found = engine.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", *arguments])
        yield found
        found.close()


class Visit:
    """An opened page, with what the browser complained of and what the page asked the network for."""

    def __init__(
        self, browser: Any, address: str, viewport: dict[str, int] = DESKTOP, patience: float = 30, **context: Any
    ) -> None:
        self.page = browser.new_context(viewport=viewport, **context).new_page()
        self.complaints: list[str] = []
        self.requests: list[str] = []
        self.page.on("console", lambda message: self.complaints.append(message.text))
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("request", lambda request: self.requests.append(request.url))
        self.page.set_default_timeout(patience * 1000)
        self.page.goto(address)

    def shown_rows(self, list_id: str) -> int:
        """Return how many rows of a list of a report are shown."""
        found: int = self.page.locator(f"#{list_id} article:not([hidden])").count()
        return found
