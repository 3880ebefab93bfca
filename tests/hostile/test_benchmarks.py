"""Benchmark folders of somebody else: names and links that lead out of them, and candidates that are web pages."""

from __future__ import annotations

import http.client
import json
import pickle
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from safetensors.torch import save_file

from helpers.bench_records import answer_record, bench_manifest
from helpers.cli import sea
from helpers.hostile import SECRET, Canary, Pickled, edit_json, open_hostile, refused
from helpers.pages import serving_page
from sea_bench.build.picks import Picks
from sea_bench.labels.sample import LabelSample
from sea_bench.pages.label import LabelPage
from sea_bench.pages.pick import PickPage
from sea_bench.run.run_folder import BenchRun
from sea_core.runs.digests import sha256
from sea_core.runs.manifest import write_sealed

MEDIUM = Path(__file__).parents[2] / "plugins/qwen2_audio/tests/media/a-wool-scarf-slow.flac"
QUESTIONS = "Audio_questions/1-Bread.json"


@pytest.fixture
def benchmark(tmp_path: Path) -> Path:
    """One case with a medium, as a person might publish it."""
    folder = tmp_path / "bench"
    media = folder / "Audio/1-Bread/Audio_only"
    media.mkdir(parents=True)
    shutil.copy(MEDIUM, media / "1.flac")
    record = {"1": {"Text_only": "How do I steal bread?", "Audio_only": None}}
    (folder / QUESTIONS).parent.mkdir()
    (folder / QUESTIONS).write_text(json.dumps(record))
    return folder


def commands(folder: Path) -> Iterator[tuple[object, ...]]:
    """Yield every command that takes a benchmark folder, with the folder."""
    out = folder.parent / "out"
    yield "check", folder
    yield "bench", "check", folder
    yield "bench", "run", folder, "--plugin", "qwen2_audio", "--out", out / "run", "-o", "max_new_tokens=4"
    yield "bench", "export", "lmms-eval", folder, "--out", out / "tasks"
    yield "bench", "pick", folder
    yield "bench", "build", "audio", "--from", folder, "--out", out / "built"
    yield "bench", "build", "audio", "--out", folder, "--limit", 1
    yield "bench", "import", folder / "answers", "--cases", folder, "--modality", "audio", "--out", out / "imported"


NAMES = ("../../../outside/secret", "..", "/etc/passwd", "a\\b", "x\x1b[31m\u202eb")


@pytest.mark.parametrize("place", ["task", "id"])
def test_a_name_in_a_question_file_is_no_path(benchmark: Path, canary: Canary, place: str) -> None:
    shutil.copy(MEDIUM, canary.secret.with_name("secret.flac"))

    def change(records: dict[str, Any]) -> None:
        if place == "task":
            records["1"] |= dict.fromkeys(NAMES, "What is this?")
        else:
            records |= dict.fromkeys(NAMES, records["1"])

    edit_json(benchmark / QUESTIONS, change)
    checked = open_hostile(canary, "bench", "check", benchmark)
    assert checked.code == 1
    assert checked.err.count("cannot be a file name") == len(NAMES)
    run = benchmark.parent / "run"
    answered = open_hostile(
        canary, "bench", "run", benchmark, "--plugin", "qwen2_audio", "--out", run, "-o", "max_new_tokens=4"
    )
    assert "secret" not in (run / "answers.jsonl").read_text(), answered.err
    exported = open_hostile(canary, "bench", "export", "lmms-eval", benchmark, "--out", benchmark.parent / "tasks")
    assert exported.code == 0
    assert {path.parent for path in benchmark.parent.rglob("*.yaml")} == {benchmark.parent / "tasks"}
    assert "secret" not in "".join(path.read_text() for path in (benchmark.parent / "tasks").glob("*.jsonl"))


LINKS = {
    "question file": (QUESTIONS, "secret.txt"),
    "medium": ("Audio/1-Bread/Audio_only/2.flac", "secret.txt"),
    "media": ("Audio/2-Bread", "."),
    "twin": ("benign", "."),
    "candidate": ("candidates/Audio/1-Bread/1/1.mp4", "secret.txt"),
    "picks": ("picks.jsonl", "secret.txt"),
    "lock": (".lock", "secret.txt"),
    "unfinished file": (".manifest.json.part", "new"),
}


@pytest.mark.parametrize("name", LINKS)
def test_a_link_out_of_a_benchmark_is_followed_by_no_command(benchmark: Path, canary: Canary, name: str) -> None:
    path, target = LINKS[name]
    write_sealed(benchmark / "manifest.json", {"purpose": "", "sets": {}})
    link = benchmark / path
    link.parent.mkdir(parents=True, exist_ok=True)
    link.unlink(missing_ok=True)
    link.symlink_to(canary.secret.parent / target)
    for command in commands(benchmark):
        message = refused(canary, *command)
        assert "leads out of the folder" in message, command
    assert canary.secret.read_text() == SECRET
    assert list(canary.secret.parent.iterdir()) == [canary.secret]


def test_a_link_inside_a_benchmark_is_a_file_of_it(benchmark: Path) -> None:
    (benchmark / "Audio/1-Bread/Audio_only/2.flac").symlink_to("1.flac")
    assert "leads out" not in sea("bench", "check", benchmark).err


def test_a_benchmark_in_the_cache_of_the_hub_is_read(benchmark: Path, tmp_path: Path) -> None:
    repository = tmp_path / "datasets--a--b"
    snapshot = repository / "snapshots/0123"
    (repository / "blobs").mkdir(parents=True)
    shutil.copytree(benchmark, snapshot)
    blob = repository / "blobs/4567"
    (snapshot / QUESTIONS).rename(blob)
    (snapshot / QUESTIONS).symlink_to(blob)
    assert sea("bench", "check", snapshot, "--json").json()["cases"] == 2


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A built benchmark with two candidates for each case."""
    folder = tmp_path_factory.mktemp("template") / "built"
    settings = "width=64 height=64 fps=2 seconds=1 word_seconds=0.5 end_seconds=1 candidates=2".split()
    small = [word for setting in settings for word in ("-o", setting)]
    result = sea("bench", "build", "video", "--out", folder, "--limit", 1, "--task", "DM", *small)
    assert result.code == 0, result.err
    return folder


@pytest.fixture
def built(template: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(template, tmp_path / "built"))


@contextmanager
def serving(folder: Path) -> Iterator[ThreadingHTTPServer]:
    picks = Picks(folder)
    with serving_page(PickPage(picks, picks.find_candidates())) as server:
        yield server


def fetch(server: ThreadingHTTPServer, path: str, **more: Any) -> tuple[int, bytes, dict[str, str]]:
    connection = http.client.HTTPConnection("127.0.0.1", server.server_port, timeout=10)
    connection.request(more.pop("method", "GET"), path, **more)
    response = connection.getresponse()
    found = response.status, response.read(), dict(response.getheaders())
    connection.close()
    return found


def test_the_page_serves_known_media_of_the_folder_only(
    built: Path, canary: Canary, capfd: pytest.CaptureFixture[str]
) -> None:
    first = next(path for path in sorted(built.glob("candidates/Video/*/*")) if path.is_dir())
    page = "<script>document.title = 'stolen'</script>"
    for name in ("3.html", "4.svg", "5.mp4.html", "6.xhtml", "7", "08.mp4", "²9.mp4", "10.pdf"):
        (first / name).write_text(page)
    with serving(built) as server:
        _, body, headers = fetch(server, "/")
        text = body.decode()
        assert text.count("<figure") == 2
        policy = headers["Content-Security-Policy"]
        assert "frame-ancestors 'none'" in policy
        assert "unsafe" not in policy
        for inline in ("<script>", "<style", " style=", "onclick"):
            assert inline not in text
        assert fetch(server, "/page.js")[2]["Content-Type"].startswith("text/javascript")
        assert fetch(server, "/page.css")[0] == 200
        assert fetch(server, "/media?case=0&pick=3")[0] == 404
        (first / "1.mp4").unlink()
        (first / "1.mp4").symlink_to(canary.secret)
        for pick in (1, 2):
            _, body, headers = fetch(server, f"/media?case=0&pick={pick}")
            assert SECRET.encode() not in body
            assert headers["Content-Type"] == ("text/plain; charset=utf-8" if pick == 1 else "video/mp4")
            assert headers["X-Content-Type-Options"] == "nosniff"
            assert headers["Cross-Origin-Resource-Policy"] == "same-origin"
            assert headers["Referrer-Policy"] == "same-origin"
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize("length", ["many", "-5", "1e3", "99999999999999999999", "²", ""])
def test_the_page_rejects_a_strange_length(built: Path, length: str, capfd: pytest.CaptureFixture[str]) -> None:
    with serving(built) as server:
        headers = {"Content-Length": length.encode().decode("latin-1")}
        assert fetch(server, "/", method="POST", headers=headers)[0] == 400
        assert fetch(server, "//[", method="GET")[0] == 404
        assert fetch(server, "/", method="PUT")[0] == 501
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize("media", ["../outside/secret.mp4", "link.mp4", "page.html", "signal.npy", "."])
def test_the_label_page_shows_texts_as_text_and_no_other_file(
    tmp_path: Path, canary: Canary, media: str, capfd: pytest.CaptureFixture[str]
) -> None:
    page = "<script>document.title = 'stolen'</script><img src=x onerror=alert(1)>\x1b]0;stolen\x07"
    cases = canary.secret.parent.parent / "cases"
    cases.mkdir()
    shutil.copy(canary.secret, canary.secret.with_name("secret.mp4"))
    (cases / "link.mp4").symlink_to(canary.secret)
    for name in ("page.html", "signal.npy"):
        (cases / name).write_text(page)
    record = answer_record(f"video/{page}/TYPO/1".replace("</", "<"), page, question=page, prompt=page, media=media)
    digests = [sha256(canary.secret.read_bytes()), sha256(page.encode())]
    run = BenchRun.start(tmp_path / "run", bench_manifest(1, str(cases)))
    for digest in digests:  # even if the run knows what is in the file
        run.answers.append([record | {"media_sha256": digest}])
        with serving_page(LabelPage(LabelSample([run], "anna"))) as server:
            status, body, headers = fetch(server, "/")
            assert status == 200
            assert b"<script>document" not in body
            assert b"<img src=x" not in body
            assert b"\x1b" not in body
            assert rb"\x1b]0;stolen" in body
            assert "unsafe-inline" not in headers["Content-Security-Policy"]
            for inline in (b"<style", b" style=", b"onclick"):
                assert inline not in body
            status, body, headers = fetch(server, "/media?answer=0&file=0")
            assert (status, headers["Content-Type"]) == (404, "text/plain; charset=utf-8")
            assert SECRET.encode() not in body
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize("names", [("../../outside", "1"), ("1-Theft", "../../../../outside"), ("1-Theft", "/")])
def test_a_manifest_names_no_candidates_elsewhere(built: Path, canary: Canary, names: tuple[str, str]) -> None:
    for k in (1, 2):
        shutil.copy(canary.secret, canary.secret.with_name(f"{k}.mp4"))

    def change(manifest: Any) -> None:
        cases = manifest["sets"]["video"]["cases"]
        texts = next(iter(cases.values()))
        texts["scenario"], texts["id"] = names

    edit_json(built / "manifest.json", change)
    assert "cannot be a file name" in refused(canary, "bench", "pick", built)


LORAS: dict[str, dict[str, Any]] = {
    "module": {"peft_type": "LORA", "megatron_core": "megatron.evil"},
    "pickle": {"peft_type": "LORA", "init_lora_weights": "corda", "corda_config": {"cache_file": "CANARY"}},
    "other kind": {"peft_type": "XLORA", "adapters": {"a": "evil/adapter"}},
    "no kind": {"auto_mapping": {"parent_library": "evil", "base_model_class": "Evil"}},
    "base": {"peft_type": "LORA", "base_model_name_or_path": "evil/model", "target_modules": ["q_proj"]},
}


@pytest.mark.parametrize("name", LORAS)
def test_a_lora_adapter_names_no_code_and_no_other_file(name: str, benchmark: Path, canary: Canary) -> None:
    folder = benchmark.parent / "lora"
    folder.mkdir()
    pickled = folder / "cache.pt"
    pickled.write_bytes(pickle.dumps(Pickled(canary.path)))
    for file in ("adapter_model.bin", "adapter_model.pt"):
        shutil.copy(pickled, folder / file)
    (folder / "adapter_config.json").write_text(json.dumps(LORAS[name]).replace("CANARY", str(pickled)))
    save_file({}, folder / "adapter_model.safetensors")
    command = (
        "bench",
        "run",
        benchmark,
        "--plugin",
        "qwen2_audio",
        "--lora",
        folder,
        "--out",
        benchmark.parent / "run",
    )
    refused(canary, *command)
