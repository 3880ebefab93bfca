"""Click everything on a page of `sea report` in Chromium, at the width of a desktop and of a phone.

Every figure must lead to its rows, every heading sort, every menu select, every medium load, with no message in the
console and no request. With --pictures the page is also drawn, part by part, light and dark, and printed.

Needs playwright, Chromium, and the tests' helpers: PYTHONPATH=tests python benchmarks/click_page.py report.html
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path
from typing import Any

from helpers.browser import DESKTOP, PHONE, Visit, open_browser
from helpers.page_clicks import MANY_ADDRESSES, check_page

WIDTHS = {"desktop": DESKTOP, "phone": PHONE}
SHOWN = 40
NO_LIMIT = 0
"""A page of many megabytes takes long to open on a busy machine."""


def main() -> None:
    parser = argparse.ArgumentParser(prog="click_page.py", description=__doc__)
    parser.add_argument("page", type=Path)
    parser.add_argument("--pictures", type=Path, help="a folder for pictures of the page")
    options = parser.parse_args()
    address, faults = options.page.resolve().as_uri(), 0
    with open_browser(MANY_ADDRESSES) as browser:
        for name, viewport in WIDTHS.items():
            faults += click(browser, address, name, viewport)
        if options.pictures:
            draw(browser, address, options.pictures)
    sys.exit(1 if faults else 0)


def click(browser: Any, address: str, name: str, viewport: dict[str, int]) -> int:
    """Click everything at one width, print what came out, and return the number of faults."""
    start = time.monotonic()
    visit = Visit(browser, address, viewport, patience=NO_LIMIT)
    found = check_page(visit.page)
    requests = [url for url in visit.requests if not url.startswith("data:") and url != address]
    faults = [*found.faults, *visit.complaints, *(f"a request: {url}" for url in requests)]
    print(
        f"{name}: {found.figures} figures, of which {len(found.empty)} lead to no row; {found.headings} headings, "
        f"{found.choices} choices of menus, {found.pictures} pictures, {found.sounds} sounds, {found.signals} signals; "
        f"{len(faults)} faults, {time.monotonic() - start:.0f} s",
        flush=True,
    )
    for line in (*faults[:SHOWN], *(f"no row: {each}" for each in found.empty[:SHOWN])):
        print(f"  {line}")
    visit.page.context.close()
    return len(faults)


def draw(browser: Any, address: str, folder: Path) -> None:
    """Write pictures of the top, and of the beginning of each part and of its rows, and the printed page."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, viewport in WIDTHS.items():
        for scheme in ("light", "dark"):
            page = Visit(browser, address, viewport, NO_LIMIT, color_scheme=scheme).page
            page.screenshot(path=folder / f"{name}-{scheme}-top.png")
            for place in page.locator("section.part, section.rows").all():
                place.evaluate("(node) => node.scrollIntoView()")
                page.screenshot(path=folder / f"{name}-{scheme}-{place.get_attribute('id')}.png")
            page.context.close()
    page = Visit(browser, address, patience=NO_LIMIT, color_scheme="dark").page
    page.pdf(path=folder / "print.pdf", format="A4")
    page.context.close()


if __name__ == "__main__":
    main()
