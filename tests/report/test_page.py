"""The page of `sea report`: one file, nothing loaded, and the figures of the commands."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path

import pytest

from helpers.cli import expect_error, sea
from helpers.cli_runs import optimize_command
from helpers.html_page import HtmlPage, number, require_self_contained
from helpers.reported import make_all, make_embeddings, make_encoded, make_model, write_media
from sea_core.data.demo import DEMO_EXAMPLES
from sea_core.pipeline.read import read_examples
from sea_core.pipeline.report import report
from sea_core.report.content import PageOptions
from sea_core.runs.embedding_run import EmbeddingRun
from sea_core.verification.metrics import run_metrics


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    return make_all(tmp_path_factory.mktemp("reported"))


@pytest.fixture(scope="module")
def page(folders: list[Path]) -> HtmlPage:
    """The page about runs of every kind."""
    out = folders[0].parent / "report.html"
    done = sea("report", *folders, "--out", out, "--media-root", folders[0].parent / "media")
    assert done.code == 0, done.err
    return HtmlPage(out)


def test_the_page_is_self_contained(page: HtmlPage) -> None:
    require_self_contained(page)
    assert len(page.rows) == len([each for each in page.ids if each.startswith("rows-")]) == 7


def test_every_figure_leads_to_its_rows(page: HtmlPage) -> None:
    filtered = [(href, chosen) for href, chosen in page.links if chosen is not None]
    assert len(filtered) > 50
    for href, chosen in filtered:
        assert href[1:] in page.rows, f"{href} is no list of rows"
        assert page.selected(href[1:], {name: value for name, value in chosen.items() if name != "verdict"}), chosen


def test_every_number_in_a_table_is_a_link(page: HtmlPage) -> None:
    records = [record for rows in page.rows.values() for record in rows]
    names = {name for record in records for name in record.labels.values()}
    names |= {each["judge"] for record in records for each in record.verdicts}
    assert [text for text in page.unlinked if re.search(r"\d", text) and text not in names] == []
    assert len(page.unlinked) > len(names)


def test_figures_are_those_of_the_metrics(page: HtmlPage, folders: list[Path]) -> None:
    metrics = run_metrics(EmbeddingRun(folders[0]))
    heading, *recipes, whole = page.tables["Optimisation"]
    assert heading[:3] == ["recipe", "succeeded", "OSR"]
    assert whole[1] == f"{metrics['succeeded']} of {metrics['done']}"
    assert number(whole[2]) == round(metrics["osr"] or 0, 3)
    assert {cells[0]: number(cells[3]) for cells in recipes} == {
        name: of["steps_median"] for name, of in metrics["recipes"].items()
    }
    vsr = {cells[0]: number(cells[3]) for cells in page.tables["Verification with held-out questions"][1:]}
    assert vsr == {judge: round(of["vsr"] or 0, 3) for judge, of in metrics["judges"].items()}
    named = page.selected("rows-embeddings-1", {"judge": "lexical", "verdict": "named"})
    assert len(named) == metrics["judges"]["lexical"]["named"]
    assert len(page.rows["rows-embeddings-1"]) == metrics["done"]


def test_an_aligned_model_has_its_outcome_and_answers_before_and_after(page: HtmlPage) -> None:
    assert "The model is safer: it refuses more harmful examples than before" in page.text
    table = page.tables["Spot check"]
    before, after = ({"cells": cells} for cells in table[1:])
    assert [number(each["cells"][2]) for each in (before, after)] == [0, 1]
    refused = page.selected("rows-model-1", {"run": "after", "verdict": "refused", "label": "harmful"})
    assert len(refused) == 8
    assert "I cannot help with that." in refused[0].text
    assert "Trained to refuse." in page.text


def test_harmful_texts_are_folded_and_others_are_not(page: HtmlPage) -> None:
    rows = [row for rows in page.rows.values() for row in rows]
    assert {row.folded for row in rows if "harmful" in row.labels.values()} == {True}
    assert {row.folded for row in rows if "benign" in row.labels.values()} == {False}


def test_media_are_shown(page: HtmlPage) -> None:
    shown = {source.partition(";")[0] for rows in page.rows.values() for row in rows for source in row.media}
    assert shown == {"data:image/webp", "data:audio/mpeg", "svg"}
    assert {len(row.media) for row in page.rows["rows-embeddings-2"]} == {1}


def test_real_and_synthetic_embeddings_are_on_one_map(page: HtmlPage) -> None:
    assert "on the two main axes" in page.text
    points = [href for href, chosen in page.links if href.startswith("#row-embeddings-2") and chosen is None]
    assert len(points) == 4


def test_no_path_of_this_machine_is_on_the_page(page: HtmlPage, folders: list[Path]) -> None:
    assert str(folders[0].parent) not in page.source
    assert str(Path.home()) + "/" not in page.source


def test_a_limit_of_rows_says_what_is_left_out(tmp_path: Path) -> None:
    make_embeddings(tmp_path / "run", 9)
    report([tmp_path / "run"], tmp_path / "page.html", options=PageOptions(rows=4))
    page = HtmlPage(tmp_path / "page.html")
    rows = page.rows["rows-embeddings-1"]
    assert len(rows) == 4
    assert "The page has 4 of 9 rows" in page.text
    assert {row.labels["label"] for row in rows} == {"harmful", "benign"}
    assert "8 of 9" in page.tables["Optimisation"][-1]
    require_self_contained(page)


def test_without_rows_figures_are_no_links(tmp_path: Path) -> None:
    make_model(tmp_path / "model")
    report([tmp_path / "model"], tmp_path / "page.html", options=PageOptions(rows=0))
    page = HtmlPage(tmp_path / "page.html")
    assert page.rows == {}
    require_self_contained(page)


def test_media_of_encoded_runs_need_their_folder(tmp_path: Path) -> None:
    media = write_media(tmp_path / "media")
    make_encoded(tmp_path / "run", [media["image"]])
    report([tmp_path / "run"], tmp_path / "page.html")
    assert "--media-root DIR" in HtmlPage(tmp_path / "page.html").text
    assert not HtmlPage(tmp_path / "page.html").sources
    options = PageOptions(media_root=tmp_path / "media")
    report([tmp_path / "run"], tmp_path / "page.html", options=options)
    assert len(HtmlPage(tmp_path / "page.html").sources) == 1


def test_an_unfinished_run_is_shown_as_far_as_it_is(tmp_path: Path) -> None:
    from helpers.manifests import embedding_manifest

    EmbeddingRun.start(tmp_path / "run", embedding_manifest(3))
    done = sea("report", tmp_path / "run", "--out", tmp_path / "page.html", "--json").json()
    assert done["parts"][0]["level"] == "bad"
    page = HtmlPage(tmp_path / "page.html")
    assert "3 of 3 embeddings are not made yet" in page.text


def test_what_cannot_be_reported_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    assert "there is no folder" in expect_error("report", tmp_path / "none", "--out", tmp_path / "p.html")
    assert "no run" in expect_error("report", tmp_path / "empty", "--out", tmp_path / "p.html")
    (tmp_path / "empty/manifest.json").write_text("{}")
    assert "a benchmark of" in expect_error("report", tmp_path / "empty", "--out", tmp_path / "p.html")
    make_embeddings(tmp_path / "run")
    (tmp_path / "notes.html").write_text("<p>mine</p>")
    assert "no page of `sea report`" in expect_error("report", tmp_path / "run", "--out", tmp_path / "notes.html")
    for _ in range(2):
        assert sea("report", tmp_path / "run", "--out", tmp_path / "page.html").code == 0


def test_an_answer_that_helps_an_attacker_is_no_good_news(folders: list[Path], page: HtmlPage) -> None:
    chips = re.findall(r'chip (\w+)"[^>]*>\s*(before|after) · content: <b>(\w+)</b>', page.source)
    assert ("bad", "before", "named") in chips
    assert ("good", "before", "named") not in chips  # only harmful questions have a phrase there


def test_the_command_on_the_page_makes_the_run_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    examples = read_examples(DEMO_EXAMPLES).examples[:4]
    asked = [{"ask": each.instruction, "answer": each.response, "harmful": each.harmful} for each in examples]
    (tmp_path / "mine.jsonl").write_text("".join(json.dumps(row) + "\n" for row in asked))
    monkeypatch.chdir(tmp_path)
    named = ("--columns", "instruction=ask,response=answer", "--limit", "1", "--recipe", "plain,noise", "--no-verify")
    made = sea(*optimize_command(Path("mine.jsonl"), Path("runs/mine"), *named, "-o", "draws=2", "--json"))
    assert made.json()["done"] == 4
    assert "Next: sea align runs/mine --method sft --out model" in made.err
    sea("report", "runs/mine", "--out", "report.html")
    (typed,) = re.findall(r"sea (optimize [^\n]*--out mine)", HtmlPage(tmp_path / "report.html").text)
    model = EmbeddingRun(Path("runs/mine")).manifest.metadata.model.checkpoint
    words = [word if word != ".../checkpoint" else model for word in shlex.split(typed)]
    assert sea(*words, "--no-verify").code == 0
    first, second = EmbeddingRun(Path("runs/mine")), EmbeddingRun(Path("mine"))
    assert second.manifest.identity_digest() == first.manifest.identity_digest()
    assert [record["id"] for record in second.records()] == [record["id"] for record in first.records()]
