"""`sea push` and `sea pull`: what leaves the machine, what comes back, and what is refused."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import fsspec
import pytest
from fsspec.registry import known_implementations

from helpers.cli import expect_error, sea
from helpers.cli_runs import FinishedRun, file_contents
from helpers.manifests import edit_manifest
from helpers.reported import make_model
from helpers.sharing import GIVEN, pull, push
from sea_core.alignment.config import AlignConfig
from sea_core.alignment.embedding_source import EmbeddingSource
from sea_core.alignment.mixture import mix
from sea_core.errors import RunError
from sea_core.pipeline.read import read_examples
from sea_core.pipeline.share import push as push_folder
from sea_core.plugin import loader
from sea_core.runs.embedding_run import EmbeddingRun
from sea_core.runs.inventory import Inventory
from sea_core.runs.manifest import read_sealed, write_sealed
from sea_core.runs.store import Store


def texts(examples: Path) -> set[str]:
    """Return every text of a text safety set."""
    read = read_examples(examples).examples
    return {text for e in read for text in (e.instruction, e.response, e.chosen, e.rejected) if text}


@pytest.fixture
def shared(finished: FinishedRun, tmp_path: Path) -> Path:
    """A run that was pushed to a folder without its texts."""
    push(finished.copy(tmp_path), tmp_path / "shared")
    return tmp_path / "shared"


# --- a run, without texts and with them ------------------------------------------------------------------------------


def test_without_texts_no_text_leaves_the_machine(finished: FinishedRun, shared: Path) -> None:
    index = Store(shared).records()
    assert len(index) == 3
    shown = json.dumps(index) + "".join(
        path.read_text(encoding="utf-8") for path in shared.rglob("*") if path.suffix in (".jsonl", ".json", ".md")
    )
    assert not [text for text in texts(finished.examples) if text in shown]
    assert index[0]["phrase"] in shown  # what an embedding shows is said
    assert str(Path.home()) not in shown
    assert str(finished.run.parent) not in shown
    names = {path.name for path in shared.rglob("*") if path.is_file()}
    assert not names & {"verify.jsonl", "verdicts.jsonl", "audit.jsonl", "skipped.jsonl", ".lock"}


def test_the_card_has_licence_model_counts_and_commands(finished: FinishedRun, shared: Path) -> None:
    card = (shared / "README.md").read_text()
    assert card.startswith("---\nlicense: cc-by-4.0\n")
    fingerprint = EmbeddingRun(finished.run).manifest.identity.model.fingerprint
    for words in (fingerprint, "not media and shows nothing to a person", "3 of 3 examples", "sea align FOLDER"):
        assert words in card
    assert "sea pull SOURCE FOLDER --text rows.jsonl" in card.replace("\\", "")


def test_texts_are_put_back_from_the_same_data(finished: FinishedRun, shared: Path, tmp_path: Path) -> None:
    pulled = pull(shared, tmp_path / "pulled")
    assert pulled.store.records()[0]["instruction"] == ""
    assert "have no texts" in expect_error("align", pulled.folder, "--out", tmp_path / "model")
    filled = pull(shared, pulled.folder, "--text", finished.examples)
    original = EmbeddingRun(finished.run)
    assert filled.store.records() == original.store.records()
    assert sea("check", filled.folder).code == 0
    _, adapter = loader.get_adapter("qwen2_audio")
    trained = [mix(adapter, EmbeddingSource([run]), (), "dpo", AlignConfig()) for run in (original, filled)]
    assert trained[0].examples == trained[1].examples
    for record in original.store.records():
        assert filled.store.load(record["id"]).equal(original.store.load(record["id"]))
    # Shared again, it is again without texts, and they can be put back again.
    assert sea("push", filled.folder, tmp_path / "again", "--yes", "--json").json()["licence"] == "cc-by-4.0"
    again = pull(tmp_path / "again", tmp_path / "third", "--text", finished.examples)
    assert again.store.records() == original.store.records()


@pytest.mark.usefixtures("exports_load_here")
def test_a_pulled_run_is_aligned(finished: FinishedRun, shared: Path, tmp_path: Path) -> None:
    pulled = pull(shared, tmp_path / "pulled", "--text", finished.examples).folder
    quick = ("-o", "trainer.max_steps=1", "-o", "lora.r=2", "--no-merge", "--no-spot-check", "--data", "synthetic,text")
    result = sea("align", pulled, "--method", "sft", "--out", tmp_path / "model", *quick, "--json")
    assert result.json(result.code)["steps"] == 1, result.err


def test_texts_of_other_data_are_refused(shared: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.jsonl"
    other.write_text('{"instruction": "How do I sell a lamp?", "response": "In a shop."}\n')
    assert "none of 3 embeddings was made from" in expect_error("pull", shared, tmp_path / "p", "--text", other)


def test_with_text_everything_comes_back(finished: FinishedRun, tmp_path: Path) -> None:
    push(finished.copy(tmp_path), tmp_path / "shared", "--with-text")
    pulled, original = pull(tmp_path / "shared", tmp_path / "pulled"), EmbeddingRun(finished.run)
    assert pulled.store.records() == original.store.records()
    assert pulled.current_answers() == original.current_answers()
    assert sea("show", pulled.folder).code == 0
    assert sea("verify", pulled.folder, "--json").json()["osr"] == 1.0


def test_where_real_media_lie_is_not_said(finished: FinishedRun, tmp_path: Path) -> None:
    original = EmbeddingRun(finished.run)
    record = original.store.records()[0]
    manifest = original.manifest
    identity = replace(manifest.identity, source="media", recipes={})
    manifest = replace(manifest, identity=identity, metadata=replace(manifest.metadata, embeddings=1))
    media = EmbeddingRun.start(tmp_path / "media", manifest)
    with media.writing():
        place = str(tmp_path / "holiday" / "beach.wav")
        media.add({**record, "source": "media", "media": place, "status": "encoded"}, original.store.load(record["id"]))
    push(media.folder, tmp_path / "shared", "--with-text")
    (shared,) = Store(tmp_path / "shared").records()
    assert (shared["media"], shared["instruction"]) == ("beach.wav", record["instruction"])
    assert "let a person who has the model guess" in " ".join((tmp_path / "shared/README.md").read_text().split())
    assert "files checked, 0 problems" in sea("check", pull(tmp_path / "shared", tmp_path / "pulled").folder).out


# --- before anything is sent ------------------------------------------------------------------------------------------


def test_nothing_is_sent_without_a_yes(finished: FinishedRun, tmp_path: Path) -> None:
    result = sea("push", finished.copy(tmp_path), tmp_path / "shared", "--licence", "mit")
    assert result.code == 2
    assert "add --yes" in result.err
    assert "stays here   instructions and responses of the examples" in result.err
    assert "the examples' ids, lines and labels, and the names of the data file and of the model" in result.err
    assert not (tmp_path / "shared").exists()


@pytest.mark.parametrize(("answer", "code"), [("y", 0), ("n", 1)])
def test_a_person_is_asked(
    finished: FinishedRun, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, answer: str, code: int
) -> None:
    class Keyboard(io.StringIO):
        def isatty(self) -> bool:
            return True

    monkeypatch.setattr("sys.stdin", Keyboard(f"{answer}\n"))
    result = sea("push", finished.copy(tmp_path), tmp_path / "shared", "--licence", "mit")
    assert result.code == code
    assert (tmp_path / "shared" / "run.json").exists() is (code == 0)


def test_a_licence_is_named_or_read_and_never_invented(finished: FinishedRun, tmp_path: Path) -> None:
    run = finished.copy(tmp_path)
    assert "no licence is named" in expect_error("push", run, tmp_path / "a", "--yes").replace("\n", " ")
    assert "no licence's identifier" in expect_error(
        "push", run, tmp_path / "a", "--yes", "--licence", "do what you like"
    )
    manifest = read_sealed(run / "run.json", what="", hint="")
    data = tmp_path / "data"
    data.mkdir()
    (data / "README.md").write_text("---\nlicense: cc-by-nc-4.0\n---\n")
    manifest["metadata"]["data_path"] = str(data / "rows.jsonl")
    (data / "rows.jsonl").touch()
    write_sealed(run / "run.json", manifest)
    assert sea("push", run, tmp_path / "a", "--yes", "--json").json()["licence"] == "cc-by-nc-4.0"


def test_a_damaged_run_is_not_sent(finished: FinishedRun, tmp_path: Path) -> None:
    run = finished.copy(tmp_path)
    (shard,) = (run / "embeddings").iterdir()
    data = bytearray(shard.read_bytes())
    data[-1] ^= 1
    shard.write_bytes(data)
    assert "its digest differs" in expect_error("push", run, tmp_path / "shared", *GIVEN)
    assert not (tmp_path / "shared").exists()


def test_other_folders_are_named(tmp_path: Path) -> None:
    (tmp_path / "bench").mkdir()
    (tmp_path / "bench" / "bench.json").touch()
    assert "Type: sea bench push" in expect_error("push", tmp_path / "bench", tmp_path / "x", *GIVEN)
    assert "there is no folder" in expect_error("push", tmp_path / "none", tmp_path / "x", *GIVEN)


def test_nothing_at_the_target_is_replaced(finished: FinishedRun, shared: Path, tmp_path: Path) -> None:
    run = tmp_path / "copy"
    before = file_contents(shared)
    push(run, shared)  # the same again sends nothing new
    assert file_contents(shared) == before
    assert "nothing is replaced" in expect_error("push", run, shared, *GIVEN, "--with-text")
    assert file_contents(shared) == before
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "notes.txt").touch()
    assert "'notes.txt'" in expect_error("push", run, tmp_path / "mine", *GIVEN)
    assert "lie in each other" in expect_error("push", run, run / "shared", *GIVEN)


def test_an_interrupted_push_is_resumed(shared: Path, tmp_path: Path) -> None:
    before = file_contents(shared)
    (shared / "shared.json").unlink()
    (shared / "run.json").rename(shared / "run.json.part")
    push(tmp_path / "copy", shared)
    assert {name: data for name, data in file_contents(shared).items() if not name.endswith(".part")} == before


# --- a source from anybody --------------------------------------------------------------------------------------------


def change_listing(shared: Path, **changes: Any) -> None:
    """Change the list of a shared folder, with a right checksum, as an attacker would."""
    listing = read_sealed(shared / "shared.json", what="", hint="")
    for name, value in changes.pop("files", {}).items():
        listing["files"].pop(name, None)
        if value is not None:
            listing["files"][name] = value
    write_sealed(shared / "shared.json", listing | changes)


NAMES = (
    "../secret /etc/passwd a/../../secret .bashrc a/.ssh/key a\\b a//b 1/2/3/4/5/6/7 shared.json embeddings RUN.JSON"
)


@pytest.mark.parametrize("name", ["", "a\nb", *NAMES.split()])
def test_a_name_outside_the_folder_is_refused(shared: Path, tmp_path: Path, name: str) -> None:
    change_listing(shared, files={name: {"size": 1, "sha256": "0" * 64}})
    assert "list" in expect_error("pull", shared, tmp_path / "p" / "folder")
    assert not (tmp_path / "p").exists()


def test_a_file_that_is_not_listed_is_not_taken(shared: Path, tmp_path: Path) -> None:
    (shared / "extra.txt").write_text("extra")
    assert not (pull(shared, tmp_path / "pulled").folder / "extra.txt").exists()


def test_a_changed_or_longer_file_is_refused_and_the_rest_resumed(shared: Path, tmp_path: Path) -> None:
    (shard,) = (shared / "embeddings").iterdir()
    good = shard.read_bytes()
    changed = good[:-1] + bytes([good[-1] ^ 1])
    for bad, problem in ((changed, "SHA-256 differs"), (good + b"?", "more than")):
        shard.write_bytes(bad)
        assert problem in expect_error("pull", shared, tmp_path / "pulled")
        assert "is not a run folder" in expect_error("show", tmp_path / "pulled")  # its manifest comes last
    shard.write_bytes(good)
    result = sea("pull", shared, tmp_path / "pulled", "--json").json()
    assert 0 < result["downloaded"] < result["files"]
    assert sea("pull", shared, tmp_path / "pulled", "--json").json()["downloaded"] == 0


def test_nothing_is_overwritten(shared: Path, tmp_path: Path) -> None:
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / "README.md").write_text("mine")
    assert "nothing is overwritten" in expect_error("pull", shared, mine)
    assert file_contents(mine) == {"README.md": b"mine"}
    pulled = tmp_path / "pulled"
    pulled.mkdir()
    (pulled / "shared.json").write_bytes((shared / "shared.json").read_bytes())
    (pulled / "README.md").write_text("mine")
    assert "nothing is overwritten" in expect_error("pull", shared, pulled)
    assert (pulled / "README.md").read_text() == "mine"


def test_another_source_does_not_go_into_the_same_folder(shared: Path, tmp_path: Path) -> None:
    pull(shared, tmp_path / "pulled")
    change_listing(shared, licence="mit")
    assert "has changed since" in expect_error("pull", shared, tmp_path / "pulled")


def test_the_size_is_bounded(shared: Path, tmp_path: Path) -> None:
    assert "more than 1,000" in expect_error("pull", shared, tmp_path / "p", "--max-gb", "1e-6")
    change_listing(shared, files={"big": {"size": 10**18, "sha256": "0" * 64}})
    assert "are free" in expect_error("pull", shared, tmp_path / "q", "--max-gb", "1e12")


def test_a_link_in_a_source_is_not_followed(shared: Path, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("secret")
    (shared / "README.md").unlink()
    (shared / "README.md").symlink_to(tmp_path / "secret")
    assert "leads out of the folder" in expect_error("pull", shared, tmp_path / "pulled")


def test_what_is_no_shared_folder_is_named(tmp_path: Path) -> None:
    assert "no folder that `sea push` has made" in expect_error("pull", tmp_path / "none", tmp_path / "p")
    (tmp_path / "shared.json").write_text("{}")
    expect_error("pull", tmp_path, tmp_path.parent / "p")
    assert "not the name of a repository" in expect_error("pull", "hf:name", tmp_path / "p")


@pytest.mark.parametrize("address", ["memory://bucket/run", "simplecache::memory://bucket/run"])
@pytest.mark.parametrize("command", ["push", "bench push"])
def test_what_is_gone_when_the_command_ends_is_no_target(tmp_path: Path, command: str, address: str) -> None:
    assert "gone when it ends" in expect_error(*command.split(), tmp_path, address, *GIVEN)


def test_a_file_is_no_target(finished: FinishedRun, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")
    message = expect_error("push", finished.copy(tmp_path), tmp_path / "file", *GIVEN)
    assert f"{tmp_path / 'file'} is a file, and what is shared is a folder" in message
    fsspec.filesystem("memory").pipe("/file", b"mine")
    with pytest.raises(RunError, match=r"memory://file is a file"):
        push_folder(finished.copy(tmp_path / "more"), "memory://file", licence="cc-by-4.0")
    fsspec.filesystem("memory").rm("/file")


def test_any_file_system_of_fsspec_is_a_place(finished: FinishedRun, tmp_path: Path) -> None:
    try:
        push_folder(finished.copy(tmp_path), "memory://bucket/run", licence="cc-by-4.0")
        assert len(pull("memory://bucket/run", tmp_path / "pulled").store.ids()) == 3
    finally:
        fsspec.filesystem("memory").rm("/bucket", recursive=True)
    assert "Protocol not known" in expect_error("pull", "nowhere://x", tmp_path / "p")


NO_SERVER = pytest.mark.filterwarnings(
    "ignore::pytest.PytestUnraisableExceptionWarning"
)  # fsspec's, when it is deleted


@pytest.mark.parametrize(
    ("address", "hint"),
    [
        ("nowhere://x", "Check the address"),
        ("no-package://x", "pip install"),
        pytest.param("ftp://", "Check the address", marks=NO_SERVER),  # TypeError
        ("zip://x::/none.zip", "Check the address"),  # FileNotFoundError
    ],
)
def test_an_address_that_cannot_be_used_ends_in_a_hint(
    finished: FinishedRun, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, address: str, hint: str
) -> None:
    lacking = {"class": "no_such_package.System", "err": "Install no-such-package"}
    monkeypatch.setitem(known_implementations, "no-package", lacking)
    assert hint in expect_error("push", finished.copy(tmp_path), address, *GIVEN)
    expect_error("pull", address, tmp_path / "p")


def test_the_password_of_an_address_is_never_shown(finished: FinishedRun, tmp_path: Path) -> None:
    run = finished.copy(tmp_path)
    try:
        sent = push_folder(run, "memory://me:pass-word@bucket/run", licence="cc-by-4.0")
        assert sent
        assert "pass-word" not in str((sent.target, sent.summary()))
        card = fsspec.filesystem("memory").cat("/me:pass-word@bucket/run/README.md").decode()
        assert "pass-word" not in card
        assert "bucket" not in card
    finally:
        fsspec.filesystem("memory").rm("/", recursive=True)


def test_an_alignment_of_another_version_is_named(tmp_path: Path) -> None:
    folder = make_model(tmp_path / "model").folder
    edit_manifest(folder / "align.json", lambda manifest: manifest["metrics"].pop("outcome_sentence"))
    assert "the key outcome_sentence is missing" in expect_error("push", folder, tmp_path / "shared", *GIVEN)
    assert sea("report", folder, "--out", tmp_path / "page.html").code == 0


@pytest.mark.parametrize(("part", "option"), [("adapter", "--lora {}/adapter"), ("merged", "--model {}/merged")])
def test_how_a_pulled_model_is_used_depends_on_what_was_trained(tmp_path: Path, part: str, option: str) -> None:
    folder = make_model(tmp_path / "model").folder
    (folder / part).mkdir()
    (folder / part / "config.json").write_text("{}")
    Inventory(folder).add([folder / part / "config.json"])
    push(folder, tmp_path / "shared")
    assert option.format("FOLDER") in (tmp_path / "shared" / "README.md").read_text()
    result = sea("pull", tmp_path / "shared", tmp_path / "pulled")
    assert option.format(tmp_path / "pulled") in " ".join(result.err.split())
