"""The page of `sea report` about folders of somebody else: it shows texts, and runs, loads and discloses nothing."""

from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np
import pytest

from helpers.hostile import SECRET, Canary, Pickled, edit_json, open_hostile, refused
from helpers.html_page import HtmlPage, require_self_contained
from helpers.reported import make_bench, make_embeddings, make_encoded, make_model, write_media

MARKUP = (
    "</script><script>document.title='stolen'</script><img src=x onerror=\"document.title='stolen'\"> "
    "<a href='javascript:document.title=1'>x</a> <iframe src=//evil.example></iframe> {{ 7*7 }} {% raw %} "
    "</style><style>*{display:none}</style> --> ]]> </details></article></main> &lt;b&gt; \"'` "
    "\x1b]0;stolen\x07\x1b[31m\x9b2J\u202e\u2066 https://evil.example/a.png"
)
NAME = "<b onclick=alert(1)>\"'&x"


def show(canary: Canary, *folders: Path, more: tuple[object, ...] = ()) -> HtmlPage:
    """Return the page about hostile folders. Nothing was run, loaded or disclosed on the way."""
    out = folders[0].parent / "page.html"
    out.unlink(missing_ok=True)
    done = open_hostile(canary, "report", *folders, "--out", out, *more)
    assert done.code == 0, done.err
    page = HtmlPage(out)
    require_self_contained(page)
    assert SECRET not in page.source
    assert "javascript:" not in [href for href, _ in page.links]
    assert not set("\x1b\x9b\u202e\u2066\x00") & set(page.source)
    return page


@pytest.fixture
def clean_tags(tmp_path: Path, canary: Canary) -> set[str]:
    """The elements and attributes of a page without hostile texts: no text may add one."""
    make_embeddings(tmp_path / "clean")
    make_model(tmp_path / "clean-model")
    make_bench(tmp_path / "clean-a", {"refusal-3": "NNRR", "guard-1": "uuss"})
    make_bench(tmp_path / "clean-b", {"refusal-3": "RRRR", "guard-1": "ssss"})
    page = show(canary, *(tmp_path / name for name in ("clean", "clean-model", "clean-a", "clean-b")))
    return page.tags | page.attributes


def test_texts_are_shown_and_are_no_markup(tmp_path: Path, canary: Canary, clean_tags: set[str]) -> None:
    text = MARKUP.replace("\ud800", "").replace("\x00", "")  # which no parquet or JSON file holds
    make_embeddings(
        tmp_path / "run", instruction=text, phrase=text, detoxified=text, reason=text, recipe=text, kind=text
    )
    make_model(tmp_path / "model", prompt=text, answer=text, judge=text)
    (tmp_path / "model/README.md").write_text(f"---\nx: {text}\n---\n{text}", encoding="utf-8")
    for name in ("a", "b"):
        make_bench(tmp_path / name, {"refusal-3": "NNRR", "guard-1": "uuss", NAME: "suss"}, question=text, prompt=text)
    page = show(canary, *(tmp_path / name for name in ("run", "model", "a", "b")))
    assert page.tags | page.attributes <= clean_tags
    assert "document.title='stolen'" in page.text
    assert page.text.count("https://evil.example/a.png") > 10
    assert "{{ 7*7 }}" in page.text
    assert "49" not in [row.text.strip() for rows in page.rows.values() for row in rows]
    assert "\\x1b]0;stolen" in page.text


def test_names_in_manifests_are_text(tmp_path: Path, canary: Canary, clean_tags: set[str]) -> None:
    make_embeddings(tmp_path / "run")
    make_bench(tmp_path / "bench", {"refusal-3": "NNRR"}, scenario=MARKUP[:-60], task=NAME)

    def change(manifest: dict[str, object]) -> None:
        text = json.dumps(manifest).replace("of the tests", "evil.py").replace("bundled", "</pre><script>x</script>")
        manifest.clear()
        manifest.update(json.loads(text))
        manifest["versions"] = {NAME: MARKUP}
        manifest["metadata"]["limits"] = MARKUP  # type: ignore[index]

    edit_json(tmp_path / "run/run.json", change)
    page = show(canary, tmp_path / "run", tmp_path / "bench")
    assert page.tags | page.attributes <= clean_tags | {"ul", "li"}  # the list of limits
    assert "--plugin PLUGIN" in page.text  # a manifest names no code


def test_only_media_that_the_run_proves_are_read(tmp_path: Path, canary: Canary) -> None:
    """A run names the folder of its benchmark: whoever made it need not know what lies there."""
    media = write_media(tmp_path / "private")["image"]
    make_bench(tmp_path / "run", {"refusal-3": "NNNN"}, benchmark=tmp_path / "private", files={"0": media.name})
    assert len(show(canary, tmp_path / "run").sources) == 1  # its digest is in the run
    for name, digest in ((media.name, "0" * 64), ("../private/image.png", "0" * 64), (str(media), "0" * 64)):
        run = tmp_path / f"run-{len(name)}"
        shown = {"media": name, "media_sha256": digest}
        make_bench(run, {"refusal-3": "NNNN"}, benchmark=tmp_path / "private", **shown)
        assert show(canary, run).sources == []


def test_links_and_pipes_among_media_are_not_opened(tmp_path: Path, canary: Canary) -> None:
    from sea_core.runs.digests import file_digest

    media, cases = write_media(tmp_path / "private")["image"], tmp_path / "cases"
    cases.mkdir()
    (cases / "link.png").symlink_to(media)
    os.mkfifo(cases / "pipe.png")
    for name in ("link.png", "pipe.png", "../private/image.png", "x" * 300, "a\x00b"):
        shown = {"media": name, "media_sha256": file_digest(media, cached=False)}
        run = tmp_path / f"run-{len(name)}"
        make_bench(run, {"refusal-3": "NNNN"}, benchmark=cases, **shown)
        assert show(canary, run).sources == []


def test_media_of_an_encoded_run_are_read_from_the_typed_folder_only(tmp_path: Path, canary: Canary) -> None:
    private = write_media(tmp_path / "private")["audio"]
    write_media(tmp_path / "allowed")
    (tmp_path / "allowed/link.png").symlink_to(private)
    names = (private.with_name("image.png"), Path("../private/video.mp4"), Path("link.png"), canary.secret)
    make_encoded(tmp_path / "run", [Path(f"{i}/..") / path for i, path in enumerate(names)])
    assert show(canary, tmp_path / "run").sources == []
    page = show(canary, tmp_path / "run", more=("--media-root", tmp_path / "allowed"))
    assert len(page.sources) == 2  # those with the same names in the folder that was typed
    assert all(source.startswith("data:image/") for source in page.sources)


FILES = {
    "page.png": b"<html><script>alert(1)</script>",
    "drawing.png": b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>",
    "drawing.svg": b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>",
    "script.png": b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n(x) run\n",
    "list.mp4": b"#EXTM3U\n#EXTINF:1,\nsecret.txt\n",
    "concat.mp4": b"ffconcat version 1.0\nfile secret.txt\n",
    "short.png": b"\x89PNG\r\n\x1a\n",
    "short.wav": b"RIFF\x00\x00\x00\x00WAVE",
    "short.mp4": b"\x00\x00\x00\x18ftypisom",
    "short.npy": b"\x93NUMPY\x01\x00\x00\x00",
    "huge.npy": b"\x93NUMPY\x01\x00v\x00"
    + b"{'descr': '<f8', 'fortran_order': False, 'shape': (9, 9999999999999), }".ljust(117)
    + b"\n",
}


@pytest.mark.parametrize("name", FILES)
def test_files_that_are_no_media_are_not_shown(name: str, tmp_path: Path, canary: Canary) -> None:
    cases = tmp_path / "cases"
    cases.mkdir()
    (cases / name).write_bytes(FILES[name])
    make_bench(tmp_path / "run", {"refusal-3": "NNNN"}, benchmark=cases, files={"0": name})
    page = show(canary, tmp_path / "run")
    assert page.sources == []
    assert "not shown" in page.text


def test_a_pickle_in_an_array_is_not_opened(tmp_path: Path, canary: Canary) -> None:
    cases = tmp_path / "cases"
    cases.mkdir()
    np.save(cases / "eeg.npy", np.array([Pickled(canary.path)], dtype=object), allow_pickle=True)
    make_bench(tmp_path / "run", {"refusal-3": "NNNN"}, benchmark=cases, files={"0": "eeg.npy"}, modality="eeg")
    assert "not shown" in show(canary, tmp_path / "run").text


def test_no_byte_of_a_medium_is_copied(tmp_path: Path, canary: Canary) -> None:
    """What follows a picture's last byte, and its comments, may be anything."""
    import base64

    media = write_media(tmp_path / "cases")["image"]
    media.write_bytes(media.read_bytes() + SECRET.encode() * 3)
    make_bench(tmp_path / "run", {"refusal-3": "NNNN"}, benchmark=tmp_path / "cases", files={"0": media.name})
    (source,) = show(canary, tmp_path / "run").sources
    assert SECRET.encode() not in base64.b64decode(source.partition(",")[2])


def test_a_link_out_of_a_run_is_refused(tmp_path: Path, canary: Canary) -> None:
    for name, make in (("run", make_embeddings), ("model", make_model)):
        make(tmp_path / name)
        (tmp_path / name / "more").symlink_to(canary.secret)
        message = refused(canary, "report", tmp_path / name, "--out", tmp_path / "page.html")
        assert "leads out of the folder" in message
    assert not (tmp_path / "page.html").exists()


def test_numbers_of_no_size_break_no_plot(tmp_path: Path, canary: Canary) -> None:
    make_embeddings(tmp_path / "run", steps=2**62, loss=float("nan"), margin=float("inf"))
    model = make_model(tmp_path / "model")
    model.trace.append([{"step": 1, "loss": 1e308}, {"step": -5, "loss": float("nan")}, {"step": 2, "loss": -1e308}])
    page = show(canary, tmp_path / "run", tmp_path / "model")
    assert "nan" not in " ".join(page.source.partition("<svg")[2].split("points=")).lower()[:200]


def test_a_page_that_is_a_link_is_replaced_and_its_target_is_kept(tmp_path: Path, canary: Canary) -> None:
    make_embeddings(tmp_path / "run")
    (tmp_path / "page.html").symlink_to(canary.secret)
    assert "no page of `sea report`" in refused(canary, "report", tmp_path / "run", "--out", tmp_path / "page.html")
    assert canary.secret.read_text() == SECRET
