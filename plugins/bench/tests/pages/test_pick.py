"""The page on which a person picks candidates, served on loopback."""

from __future__ import annotations

import re
from collections.abc import Iterator
from http.server import ThreadingHTTPServer
from pathlib import Path

import pytest

from helpers.pages import request, serving_page
from sea_bench.build.picks import CandidateSet, Picks
from sea_bench.pages.pick import PickPage


@pytest.fixture
def picks(tmp_path: Path) -> Picks:
    return Picks(tmp_path)


@pytest.fixture
def server(tmp_path: Path, picks: Picks) -> Iterator[ThreadingHTTPServer]:
    files = []
    for k in (1, 2, 3):
        files.append(tmp_path / f"{k}.mp4")
        files[-1].write_bytes(f"scene {k}".encode())
    candidate_sets = [CandidateSet(f"video/1-A/{i}", "steal <b>a lamp</b>", "How?", tuple(files)) for i in range(3)]
    with serving_page(PickPage(picks, candidate_sets)) as server:
        yield server


def test_the_page_shows_the_first_case_without_a_pick(server: ThreadingHTTPServer, picks: Picks) -> None:
    status, text, headers = request(server, "/")
    assert status == 200
    assert "steal &lt;b&gt;a lamp&lt;/b&gt;" in text
    assert "case 1 of 3, 0 picked" in text
    assert re.findall(r"<video src='([^']*)'", text) == [f"/media?case=0&amp;pick={k}" for k in (1, 2, 3)]
    assert headers["Content-Security-Policy"].startswith("default-src 'none'")
    assert not re.search(r"https?://", text)

    status, _, headers = request(server, "/", "case=0&pick=2")
    assert (status, headers["Location"]) == (303, "/?case=1")
    assert picks.read() == {"video/1-A/0": 2}
    assert "case 2 of 3, 1 picked" in request(server, "/")[1]
    assert "2 (picked)" in request(server, "/?case=0")[1]
    request(server, "/", "case=0&pick=3")
    assert picks.read() == {"video/1-A/0": 3}


def test_only_candidates_are_served(server: ThreadingHTTPServer) -> None:
    assert request(server, "/media?case=2&pick=3")[:2] == (200, "scene 3")
    for path in ("/media?case=3&pick=1", "/media?case=0&pick=4", "/media?case=0&pick=0", "/../picks.jsonl", "/media"):
        assert request(server, path)[0] == 404, path


def test_invalid_picks_are_rejected(server: ThreadingHTTPServer, picks: Picks) -> None:
    for body in ("case=0&pick=4", "case=0&pick=0", "case=9&pick=1", "case=0&pick=-1", "pick=1", "case=0&pick=²"):
        assert request(server, "/", body.encode().decode("latin-1"))[0] == 400, body
    assert picks.read() == {}


def test_requests_of_other_sites_are_rejected(server: ThreadingHTTPServer, picks: Picks) -> None:
    assert request(server, "/", "case=0&pick=1", Origin="http://elsewhere.example")[0] == 400
    assert request(server, "/", "case=0&pick=1", Host="elsewhere.example")[0] == 400
    assert request(server, "/", Host="elsewhere.example")[0] == 403
    assert picks.read() == {}
