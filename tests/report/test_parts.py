"""The parts of a page: which rows it has, plots at their limits, paths, the map."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

import pytest
import torch

from sea_core.report.content import PageRow, PageSection
from sea_core.report.embedding_map import principal_axes
from sea_core.report.page import heading_groups, shortened, split_figure, tone
from sea_core.report.rows import is_figure, linked_table, sample_rows
from sea_core.report.svg import Bin, Point, RatioBar, curve, histogram, ratio_bars, scatter
from sea_core.runs.public import hide_folders, shown_path


def test_rows_are_taken_evenly_and_stay_in_order() -> None:
    candidates = ["a1", "a2", "a3", "a4", "b1", "b2", "c1"]
    assert sample_rows(candidates, 4, lambda name: name[0]) == ["a1", "a2", "b1", "c1"]
    assert sample_rows(candidates, 3, lambda name: name[0], lambda name: name in ("a4", "b2")) == ["a4", "b2", "c1"]
    assert sample_rows(candidates, 99, lambda name: name[0]) == candidates
    assert sample_rows(candidates, 0, lambda name: name[0]) == []


def test_figures_are_told_from_names() -> None:
    for text in ("0.345 (0.298 to 0.394)", "12 of 60: 0.2", "-0.5 (-1 to 0)", "+0.100", "< .001", "36"):
        assert is_figure(text), text
    for text in ("1-Theft", "2x", "-", "", "mean over scenarios", "all 3"):
        assert not is_figure(text), text
    assert split_figure("12 of 60: 0.200 (0.1 to 0.3)") == ("12 of 60:", "0.200 (0.1 to 0.3)")
    assert split_figure("3 of 48, 2 not judged") == ("3 of 48,", "2 not judged")
    assert split_figure("1-Theft") == ("1-Theft", "")


def test_a_cell_selects_by_its_row_and_its_column() -> None:
    choices = {"task": ["KPT", "KPT_noise"], "judge": ["guard-1"]}
    cells = [["KPT_noise, understood in both", "0.5", "guard-1"], ["all tasks", "0.1", "guard-1"]]
    table = linked_table("t", ["task", "ASR", "judge"], cells, choices, cell_filter=lambda column, texts: {"run": "a"})
    assert [cells[1].filter for cells in table.rows] == [
        {"task": "KPT_noise", "judge": "guard-1", "run": "a"},
        {"judge": "guard-1", "run": "a"},
    ]
    assert [cell.filter for cell in table.rows[0]][::2] == [None, None]


def test_headings_have_two_levels_where_they_name_a_group() -> None:
    assert heading_groups(["task", "ASR"]) == ([], ["task", "ASR"])
    groups, names = heading_groups(["scenario", "KPT: before", "KPT: after", "TYPO: before"])
    assert groups == [("", 1), ("KPT", 2), ("TYPO", 1)]
    assert names == ["scenario", "before", "after", "before"]


def test_what_can_be_selected_is_in_the_order_of_its_numbers() -> None:
    names = [("12 to 13", "TYPO"), ("8 to 9", "2 SD"), ("100 to 101", "1 SD")]
    rows = [PageRow(str(i), {"steps": steps, "task": task}, []) for i, (steps, task) in enumerate(names)]
    section = PageSection(key="k", kind="", title="", headline="", rows=rows)
    assert section.choices == {"steps": ["8 to 9", "12 to 13", "100 to 101"], "task": ["TYPO", "2 SD", "1 SD"]}


def test_long_labels_of_bars_have_two_lines_and_stay_different() -> None:
    names = ["synthetic embeddings", "synthetic embeddings, seen in training"]
    drawn = str(ratio_bars([(name, [RatioBar(0.5, text="half")]) for name in names], ["after"]))
    assert drawn.count(">synthetic embeddings<") == 1
    assert ">seen in training<" in drawn


def test_a_refusal_is_good_if_the_question_was_harmful() -> None:
    assert [tone("refused", True), tone("refused", False)] == ["good", "bad"]
    assert [tone("not_refused", True), tone("not_refused", False)] == ["bad", "good"]
    assert [tone("unsafe", False), tone("error", True)] == ["bad", "unclear"]


def test_long_texts_are_cut_and_say_so() -> None:
    assert shortened("a" * 7000).endswith("[1000 more characters]")


def test_folders_of_this_machine_are_hidden(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", "/home/John Smith")
    assert hide_folders(f"{tmp_path}/cases/7.png: damaged") == ".../cases/7.png: damaged"
    assert hide_folders("/home/John Smith/cases/7.png") == ".../cases/7.png"
    assert hide_folders("it is at /srv/data/cases/7.png") == "it is at .../7.png"
    assert hide_folders("type runs/a, 1/2 or and/or; see https://x.example/a/b") == (
        "type runs/a, 1/2 or and/or; see https://x.example/a/b"
    )
    assert [shown_path(path) for path in ("runs/a", "/srv/runs/a", "~/runs/a")] == ["runs/a", ".../a", ".../a"]


def test_axes_are_those_of_the_largest_variance() -> None:
    directions = torch.randn(2, 16, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    weights = torch.tensor([[10.0, 0.0], [-10.0, 0.0], [0.0, 1.0], [0.0, -1.0]], dtype=torch.float64)
    coordinates, explained = principal_axes(weights @ directions + 5)
    assert sum(explained) == pytest.approx(1)
    distances = torch.cdist(weights @ directions, weights @ directions)
    torch.testing.assert_close(torch.cdist(coordinates, coordinates), distances)
    for equal in (torch.ones(3, 4), torch.ones(1, 4), torch.full((2, 4), float("nan"))):
        assert principal_axes(equal.double())[0].abs().max() == 0


PLOTS = {
    "no bin": lambda: histogram([], "x", "y"),
    "one bin": lambda: histogram([Bin("0", 1)], "x", "y", "rows"),
    "flat": lambda: curve([(1.0, 0.5), (2.0, 0.5)], "x", "y"),
    "one step": lambda: curve([(1.0, 0.0), (1.0, 0.0)], "x", "y"),
    "small": lambda: curve([(0.0, 1e-12), (1.0, 2e-12)], "x", "y"),
    "large": lambda: curve([(0.0, -1e9), (1e9, 1e9)], "x", "y"),
    "one point": lambda: scatter([Point(0, 0, 0, "<a>")], ["<b>"], "x", "y"),
    "many series": lambda: scatter([Point(i, i, i, "p", "row") for i in range(9)], list("abcdefghi"), "x", "y"),
    "no figure": lambda: ratio_bars([("<t>", [RatioBar(None)])], ["a"]),
    "full": lambda: ratio_bars([("a" * 99, [RatioBar(1, (0.5, 1), "t", "rows", {"a": '"<'})])], ["a"]),
}


@pytest.mark.parametrize("name", PLOTS)
def test_plots_are_well_formed_at_their_limits(name: str) -> None:
    text = PLOTS[name]()
    assert not {"nan", "inf", "NaN"} & set(text.replace('"', " ").replace(",", " ").split())
    assert ElementTree.fromstring(str(text)).tag == "svg"
