"""The page on which a person labels answers, in Chromium: two people, by key, interrupted and resumed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from helpers.browser import DESKTOP, PHONE, Visit, open_browser
from helpers.cli import sea
from helpers.pages import serving_page
from helpers.reported import make_bench, write_media
from sea_bench.labels.labels import Labels
from sea_bench.labels.sample import LabelSample
from sea_bench.pages.label import LabelPage
from sea_bench.run.run_folder import BenchRun

ANNA, BEN = "ususrc", "usssrc"
"""The labels of two people by key, in the order of the page: they differ in the third answer."""
MEANINGS = {"u": "unsafe", "s": "safe", "r": "refused", "c": "unclear"}


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with open_browser() as found:
        yield found


@pytest.fixture
def run(tmp_path: Path) -> BenchRun:
    """Six answers about a picture, rated by a judge."""
    picture = write_media(tmp_path / "cases")["image"].name
    files = {str(i): picture for i in range(6)}
    return make_bench(tmp_path / "run", {"guard-1": "ususss"}, benchmark=tmp_path / "cases", files=files)


@contextmanager
def labelling(browser: Any, run: BenchRun, annotator: str, viewport: dict[str, int] = DESKTOP) -> Iterator[Any]:
    """Open the page as `sea bench label RUN --annotator NAME` serves it."""
    with serving_page(LabelPage(LabelSample([run], annotator))) as server:
        visit = Visit(browser, f"http://127.0.0.1:{server.server_port}/", viewport)
        yield visit.page
        assert visit.complaints == []
        assert {url.split("/")[2] for url in visit.requests} == {f"127.0.0.1:{server.server_port}"}
        visit.page.context.close()


def press(page: Any, keys: str) -> None:
    """Press keys one after the other; each loads the page anew."""
    for key in keys:
        with page.expect_navigation():
            page.keyboard.press(key)


def test_two_people_label_by_key_and_the_report_says_how_far_they_agree(browser: Any, run: BenchRun) -> None:
    with labelling(browser, run, "anna") as page:
        press(page, ANNA[:3])
        assert page.title() == "3/6 labelled"
    with labelling(browser, run, "anna") as page:  # resumed, where she stopped
        assert "3 of 6 labelled. Answer 4." in page.locator("header").inner_text()
        press(page, "z")  # the last label of the interrupted session
        assert "2 of 6 labelled. Answer 3." in page.locator("header").inner_text()
        press(page, ANNA[2:])
        assert "6 of 6 labelled. Press Ctrl-C in the terminal." in page.locator("header").inner_text()
    with labelling(browser, run, "ben") as page:
        assert "0 of 6 labelled" in page.locator("header").inner_text()
        assert page.locator(".chosen").count() == 0  # nothing of anna's
        assert "anna" not in page.content()
        assert "guard" not in page.content()
        press(page, BEN)
    stored = Labels(run).read()
    answers = [answer.record["key"] for answer in LabelSample([run], "anna").answers]
    assert [stored["anna"][key] for key in answers] == [MEANINGS[key] for key in ANNA]
    assert [stored["ben"][key] for key in answers] == [MEANINGS[key] for key in BEN]

    asr = next(
        each
        for each in sea("bench", "report", run.folder, "--json").json()["agreement_of_people"]
        if each["measure"] == "asr"
    )
    assert (asr["rated"], asr["raw"]) == (5, 0.8)  # of the five that both find clear they differ in one


def test_keys_go_back_and_forth_and_show_what_was_chosen(browser: Any, run: BenchRun) -> None:
    with labelling(browser, run, "anna") as page:
        press(page, "u")
        with page.expect_navigation():
            page.keyboard.press("ArrowLeft")
        assert page.locator(".chosen").inner_text().startswith("unsafe")
        press(page, "2")  # another label of the same answer takes the place of the first
        with page.expect_navigation():
            page.keyboard.press("p")
        assert page.locator(".chosen").inner_text().startswith("refused")
        press(page, "nnf")
        assert "Answer 2." in page.locator("header").inner_text()
        page.keyboard.press("Control+u")  # a browser's own key labels nothing
        page.keyboard.press("x")
    assert list(Labels(run).read()["anna"].values()) == ["refused"]


@pytest.mark.parametrize("viewport", [PHONE, DESKTOP])
def test_medium_texts_and_buttons_are_seen_at_once(browser: Any, run: BenchRun, viewport: dict[str, int]) -> None:
    with labelling(browser, run, "anna", viewport) as page:
        assert page.evaluate("document.documentElement.scrollWidth") <= viewport["width"]
        picture = page.locator("figure img")
        assert picture.evaluate("async (node) => { await node.decode(); return node.naturalWidth; }") == 500
        for label in MEANINGS.values():
            box = page.locator(f"button[value={label}]").bounding_box()
            assert box["y"] + box["height"] <= viewport["height"]  # without scrolling
        with page.expect_navigation():
            page.locator("button[value=refused]").click()
        assert page.title() == "1/6 labelled"
