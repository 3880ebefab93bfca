"""Everything that can be clicked on a page of `sea report`, clicked in a browser; used by tests and by a benchmark."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

CLICK = """
() => [...document.querySelectorAll("a[data-filter]")].map((link) => {
  const id = link.getAttribute("href").slice(1), filter = JSON.parse(link.dataset.filter);
  for (let node = link; node; node = node.parentElement) if (node.tagName === "DETAILS") node.open = true;
  link.dispatchEvent(new MouseEvent("click", { bubbles: true, cancelable: true }));
  const list = document.getElementById(id);
  const top = list ? list.getBoundingClientRect().top : NaN;
  return {
    text: link.textContent.trim(),
    table: link.closest("table")?.getAttribute("aria-label") ?? "a plot",
    filter: new URLSearchParams(filter).toString(),
    address: location.hash === "#" + id + "?" + new URLSearchParams(filter),
    rows: list ? list.querySelectorAll("article:not([hidden])").length : 0,
    inView: top < innerHeight && top > -1,
  };
})
"""
"""Clicks each figure, and returns what the page shows then."""
SORT = """
() => [...document.querySelectorAll("table")].flatMap((table) => {
  const headings = [...table.tHead.rows[table.tHead.rows.length - 1].cells];
  const texts = () => [...table.tBodies[0].rows].map((row) => row.textContent);
  return headings.map((heading, column) => {
    const button = heading.querySelector("button"), before = texts(), orders = [];
    for (let i = 0; i < 3; i++) {
      button.click();
      const numbers = [...table.tBodies[0].rows].map((row) => parseFloat(row.cells[column].textContent));
      orders.push([heading.getAttribute("aria-sort"), numbers.filter((each) => !Number.isNaN(each))]);
    }
    return { table: table.getAttribute("aria-label"), column, orders, restored: "" + texts() === "" + before };
  });
})
"""
"""Clicks the heading of each column three times, and returns the numbers in it each time."""
CHOOSE = """
() => [...document.querySelectorAll("section.rows")].flatMap((list) => {
  const rows = [...list.querySelectorAll("article.row")].map((node) => ({ node, ...JSON.parse(node.dataset.row) }));
  return [...list.querySelectorAll("select")].flatMap((select) => [...select.options].map((option) => {
    const name = select.dataset.name;
    select.value = option.value;
    select.dispatchEvent(new Event("change", { bubbles: true }));
    const has = (row) => !option.value || row.labels[name] === option.value
      || row.verdicts.some((each) => each[name] === option.value);
    const found = {
      list: list.id, name, value: option.value,
      shown: rows.filter((row) => !row.node.hidden).length, expected: rows.filter(has).length,
    };
    list.querySelector("[data-do=reset]").click();
    return { ...found, all: rows.every((row) => !row.node.hidden) };
  }));
})
"""
"""Chooses each value of each menu, and returns how many rows are shown, and how many have it."""
LOAD = """
async () => {
  for (const each of document.querySelectorAll("details")) each.open = true;
  for (const each of document.querySelectorAll("[data-do=reset]")) each.click();
  const faults = [];
  const pictures = [...document.querySelectorAll("article img")];
  for (const each of pictures) {
    try { await each.decode(); if (!each.naturalWidth) faults.push("a picture is empty"); }
    catch (error) { faults.push("a picture cannot be read: " + error); }
  }
  const sounds = [...document.querySelectorAll("article audio")];
  for (const each of sounds) {
    const seconds = await new Promise((done) => {
      each.onloadedmetadata = () => done(each.duration);
      each.onerror = () => done(0);
      each.preload = "metadata";
      each.load();
    });
    if (!(seconds > 0)) faults.push("a sound cannot be played");
  }
  const signals = [...document.querySelectorAll("article svg")];
  for (const each of signals) if (!each.getBoundingClientRect().height) faults.push("a signal is not drawn");
  return { pictures: pictures.length, sounds: sounds.length, signals: signals.length, faults };
}
"""
"""Shows all rows, opens all that is folded, and loads all media."""
WIDTH = "document.documentElement.scrollWidth"
MANY_ADDRESSES = "--disable-ipc-flooding-protection"
"""Of Chromium: lets a page change its address more than 200 times in ten seconds."""


@dataclass
class PageCheck:
    """What a page did when everything on it was clicked.

    Attributes:
        figures: how many were clicked. empty: those that lead to no row, with their table.
        headings, choices, pictures, sounds, signals: how many were tried.
        faults: sentences; empty if all is as it should be.
    """

    figures: int = 0
    empty: list[str] = field(default_factory=list)
    headings: int = 0
    choices: int = 0
    pictures: int = 0
    sounds: int = 0
    signals: int = 0
    faults: list[str] = field(default_factory=list)


def check_page(page: Any) -> PageCheck:
    """Click everything on an opened page."""
    found = PageCheck()
    if page.evaluate(WIDTH) > page.viewport_size["width"]:
        found.faults.append("the page scrolls sideways")
    _sort(page, found)
    _choose(page, found)
    _click(page, found)
    media = page.evaluate(LOAD)
    found.pictures, found.sounds, found.signals = media["pictures"], media["sounds"], media["signals"]
    found.faults += media["faults"]
    return found


def _click(page: Any, found: PageCheck) -> None:
    for each in page.evaluate(CLICK):
        where = f"{each['text']!r} in {each['table']} ({each['filter']})"
        found.figures += 1
        if each["rows"] == 0:
            found.empty.append(where)
        if not each["address"]:
            found.faults.append(f"{where} does not change the address")
        if not each["inView"]:
            found.faults.append(f"{where} does not lead to the rows")


def _sort(page: Any, found: PageCheck) -> None:
    for each in page.evaluate(SORT):
        where = f"column {each['column'] + 1} of {each['table']}"
        found.headings += 1
        (up, rising), (down, falling), (none, _) = each["orders"]
        if (up, down, none) != ("ascending", "descending", None) or not each["restored"]:
            found.faults.append(f"{where} does not sort in turns")
        if rising != sorted(rising) or falling != sorted(falling, reverse=True):
            found.faults.append(f"{where} is not in order")


def _choose(page: Any, found: PageCheck) -> None:
    for each in page.evaluate(CHOOSE):
        found.choices += 1
        if each["shown"] != each["expected"] or not each["all"]:
            where = f"{each['name']} = {each['value'] or 'all'} of {each['list']}"
            found.faults.append(f"{where} shows {each['shown']} rows, and {each['expected']} have it")
