"""The page in a browser: Chromium without a window. Skipped where there is no Chromium or no playwright."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from helpers.browser import PHONE, Visit, open_browser
from helpers.cli import sea
from helpers.page_clicks import MANY_ADDRESSES, check_page
from helpers.reported import make_all
from sea_core.report.svg import RatioBar, ratio_bars


@pytest.fixture(scope="module")
def report_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("browsed")
    done = sea("report", *make_all(folder), "--out", folder / "report.html", "--media-root", folder / "media")
    assert done.code == 0, done.err
    return folder / "report.html"


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with open_browser(MANY_ADDRESSES) as found:
        yield found


@pytest.fixture
def visit(browser: Any, report_file: Path) -> Iterator[Visit]:
    found = Visit(browser, report_file.as_uri())
    yield found
    assert found.complaints == []
    assert all(url.startswith(("data:", "file:///")) for url in found.requests)
    assert sum(url.startswith("file:") for url in found.requests) == 1
    found.page.context.close()


def test_everything_can_be_clicked(visit: Visit) -> None:
    found = check_page(visit.page)
    assert found.faults == []
    assert min(found.figures, found.headings, found.choices) > 50
    nothing = re.compile(r"(.*: )?[0-]\D")  # a ratio or a count of 0 has no row
    assert [each for each in found.empty if not nothing.match(each.strip("'"))] == []
    assert (found.pictures, found.sounds) == (5, 2)


def test_filters_and_search_select_rows(visit: Visit) -> None:
    rows = visit.page.locator("#rows-benchmark-1")
    assert visit.shown_rows("rows-benchmark-1") == 8
    rows.locator("select[data-name=task]").select_option("TYPO")
    assert visit.shown_rows("rows-benchmark-1") == 4
    rows.locator("select[data-name=run]").select_option("before")
    rows.locator("select[data-name=judge]").select_option("guard-1")
    rows.locator("select[data-name=verdict]").select_option("unsafe")
    assert visit.shown_rows("rows-benchmark-1") == 2
    assert "2 of 8 rows" in rows.locator(".tally").inner_text()
    assert "before · guard-1: 2 unsafe" in rows.locator(".tally").inner_text()
    rows.locator("[data-do=reset]").click()
    assert visit.shown_rows("rows-benchmark-1") == 8
    rows.locator("input").fill("lamp 3")
    assert visit.shown_rows("rows-benchmark-1") == 1


def test_a_figure_shows_its_rows_and_the_way_back(visit: Visit) -> None:
    table = visit.page.locator("table[aria-label='ASR by guard-1, by scenario and task']")
    figure = table.locator("tr", has_text="1-Theft").locator("a").first
    assert figure.inner_text() == "0.667"
    figure.click()
    assert visit.shown_rows("rows-benchmark-1") == 3
    tally = visit.page.locator("#rows-benchmark-1 .tally").inner_text()
    assert "before · guard-1: 2 unsafe, 1 safe" in tally
    assert "task=TYPO" in visit.page.url
    visit.page.locator("#rows-model-1").scroll_into_view_if_needed()
    bars = visit.page.locator("#model-1 svg a")
    bars.nth(1).dispatch_event("click")
    assert visit.shown_rows("rows-model-1") == 8
    visit.page.go_back()
    assert visit.shown_rows("rows-benchmark-1") == 3


def test_an_address_with_a_filter_opens_with_it(browser: Any, report_file: Path) -> None:
    visit = Visit(browser, report_file.as_uri())
    visit.page.goto(f"{report_file.as_uri()}#rows-benchmark-1?task=SD&set=benign")
    visit.page.reload()
    assert visit.shown_rows("rows-benchmark-1") == 1


def test_harmful_texts_are_folded_until_they_are_asked_for(visit: Visit) -> None:
    rows = visit.page.locator("#rows-benchmark-1")
    harmful = rows.locator("details.harmful").first
    assert not harmful.locator(".texts").is_visible()
    harmful.locator("summary").click()
    assert harmful.locator(".texts").is_visible()
    rows.locator("[data-do=unfold]").click()
    assert rows.locator("details:not([open])").count() == 0
    rows.locator("[data-do=fold]").click()
    assert rows.locator("details[open]").count() == 0


def test_media_are_shown(visit: Visit) -> None:
    visit.page.evaluate("document.querySelectorAll('details').forEach((each) => { each.open = true; })")
    pictures = visit.page.locator("article img")
    assert pictures.count() == 5  # two pictures, frames of two films, the picture of the encoded run
    widths = [
        picture.evaluate("async (node) => { await node.decode(); return node.naturalWidth; }")
        for picture in pictures.all()
    ]
    assert sorted(set(widths)) == [130, 373]  # two frames beside each other; 500 x 600, made smaller
    for sound in visit.page.locator("audio").all():
        seconds = sound.evaluate(
            "(node) => new Promise((done, fail) => { node.onloadedmetadata = () => done(node.duration); "
            "node.onerror = () => fail(node.error.message); node.preload = 'metadata'; node.load(); })"
        )
        assert 0.4 < seconds < 0.7
    assert visit.page.locator("article svg polyline").count() == 8


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_phone_shows_all_without_scrolling_sideways(browser: Any, report_file: Path, scheme: str) -> None:
    visit = Visit(browser, report_file.as_uri(), PHONE, color_scheme=scheme)
    visit.page.evaluate("document.querySelectorAll('details').forEach((each) => { each.open = true; })")
    assert visit.page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    dark = visit.page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(22, 24, 27)"
    assert dark is (scheme == "dark")
    assert visit.complaints == []


def test_no_label_of_a_bar_is_cut_off_on_a_phone(browser: Any, report_file: Path) -> None:
    visit = Visit(browser, report_file.as_uri(), PHONE)
    names = ("synthetic embeddings, seen in training", "KPT_noise, no_media")
    bars = str(ratio_bars([(name, [RatioBar(0.5, text="half")]) for name in names], ["after"]))
    plot = visit.page.locator("figure.plot svg").first
    plot.evaluate("(node, drawn) => { node.outerHTML = drawn; }", bars)
    left = plot.evaluate("(node) => node.getBoundingClientRect().left")
    labels = plot.locator(".svg-label").all()
    assert len(labels) == 3
    assert min(label.evaluate("(node) => node.getBoundingClientRect().left") for label in labels) >= left


def test_without_scripts_everything_can_be_read(browser: Any, report_file: Path) -> None:
    visit = Visit(browser, report_file.as_uri(), java_script_enabled=False)
    assert visit.page.locator("#rows-benchmark-1 article").count() == 8
    assert not visit.page.locator("#rows-benchmark-1 .filters").is_visible()
    assert visit.complaints == []


def test_the_page_prints(browser: Any, report_file: Path) -> None:
    visit = Visit(browser, report_file.as_uri(), {"width": 720, "height": 1000}, color_scheme="dark")
    assert visit.page.pdf().startswith(b"%PDF")
    visit.page.emulate_media(media="print")
    assert visit.page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert visit.page.evaluate("Math.max(...[...document.querySelectorAll('table')].map((t) => t.scrollWidth))") <= 720
    assert not visit.page.locator("#rows-benchmark-1 .filters").is_visible()
