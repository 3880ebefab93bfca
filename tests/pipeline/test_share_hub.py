"""`sea push` and `sea pull` with a hub, which is a server on this machine."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from helpers.cli import expect_error, sea
from helpers.cli_runs import FinishedRun, file_contents
from helpers.repositories import TOKEN, Repositories, Repository, repositories
from helpers.sharing import GIVEN, pull, push
from sea_core.runs.embedding_run import EmbeddingRun

pytestmark = pytest.mark.filterwarnings("ignore:Use 'content=")  # what the hub's library does when it uploads


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Repositories]:
    """A hub on this machine, for which the user has a token."""
    from huggingface_hub import constants

    with repositories() as served:
        monkeypatch.setattr(constants, "ENDPOINT", served.address)
        template = f"{served.address}/{{repo_id}}/resolve/{{revision}}/{{filename}}"
        monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", template)
        monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
        monkeypatch.setattr(constants, "HF_HUB_DISABLE_XET", True)
        monkeypatch.setattr(constants, "HF_TOKEN_PATH", str(tmp_path / "token"))
        monkeypatch.setenv("HF_TOKEN", TOKEN)
        yield served


def test_a_run_goes_to_a_private_repository_and_back(hub: Repositories, finished: FinishedRun, tmp_path: Path) -> None:
    push(finished.copy(tmp_path), "hf:me/emb")
    repository = hub.repositories["datasets/me/emb"]
    assert repository.private
    assert len(repository.commits) == 2  # the empty one, and one with all files
    assert b"sea pull hf:me/emb FOLDER" in repository.commits[-1]["README.md"]
    pulled = pull("hf:me/emb", tmp_path / "pulled", "--text", finished.examples)
    assert pulled.store.records() == EmbeddingRun(finished.run).store.records()
    reads = [path for _, path, _ in hub.requests if "/resolve/" in path]
    assert all(repository.sha() in path for path in reads)  # never `main`, which may change meanwhile
    everything = {**file_contents(pulled.folder), **repository.commits[-1]}
    assert not [name for name, data in everything.items() if TOKEN.encode() in data]


def test_a_second_push_is_another_commit(hub: Repositories, finished: FinishedRun, tmp_path: Path) -> None:
    run = finished.copy(tmp_path)
    push(run, "hf:me/emb", "--with-text")
    first = hub.repositories["datasets/me/emb"].sha()
    push(run, "hf:me/emb")
    last = hub.repositories["datasets/me/emb"].commits[-1]
    assert "verify.jsonl" not in last  # what is no longer shared is removed
    assert ".gitattributes" in last  # the hub's own file, which says how it stores large ones
    assert len(pull(f"hf:me/emb@{first}", tmp_path / "first").current_answers()) > 0


def test_repositories_of_others_and_public_ones_are_left_alone(
    hub: Repositories, finished: FinishedRun, tmp_path: Path
) -> None:
    run = finished.copy(tmp_path)
    push(run, "hf:me/emb", "--public")
    assert not hub.repositories["datasets/me/emb"].private
    assert "everybody can read it" in expect_error("push", run, "hf:me/emb", *GIVEN)
    push(run, "hf:me/other")
    hub.repositories["datasets/me/other"].commits.append({"thesis.pdf": b""})
    assert "has not sent, such as 'thesis.pdf'" in expect_error("push", run, "hf:me/other", *GIVEN)
    assert hub.repositories["datasets/me/other"].commits[-1] == {"thesis.pdf": b""}
    assert "no repository that `sea push` has made" in expect_error("pull", "hf:me/other", tmp_path / "p")


def test_files_of_others_in_a_repository_stay(hub: Repositories, finished: FinishedRun, tmp_path: Path) -> None:
    run = finished.copy(tmp_path)
    push(run, "hf:me/emb", "--with-text")
    repository = hub.repositories["datasets/me/emb"]
    repository.commits.append({**repository.commits[-1], "notes/thesis.pdf": b"mine"})
    push(run, "hf:me/emb")
    assert repository.commits[-1]["notes/thesis.pdf"] == b"mine"
    assert "verify.jsonl" not in repository.commits[-1]  # what SEA has sent before is removed
    repository.commits.append({**repository.commits[-1], "verify.jsonl": b"mine"})
    assert "'verify.jsonl'" in expect_error("push", run, "hf:me/emb", *GIVEN, "--with-text")
    assert repository.commits[-1]["verify.jsonl"] == b"mine"


def test_a_card_that_a_person_wrote_is_not_replaced(hub: Repositories, finished: FinishedRun, tmp_path: Path) -> None:
    run = finished.copy(tmp_path)
    hub.repositories["datasets/me/emb"] = Repository(private=True)
    hub.repositories["datasets/me/emb"].commits.append({".gitattributes": b"", "README.md": b"my thesis"})
    assert "such as 'README.md'" in expect_error("push", run, "hf:me/emb", *GIVEN)
    push(run, "hf:me/new")
    push(run, "hf:me/new")  # a card of its own is
    assert ".gitattributes" in hub.repositories["datasets/me/new"].commits[1]


def test_a_branch_is_not_pushed_to(hub: Repositories, finished: FinishedRun, tmp_path: Path) -> None:
    message = expect_error("push", finished.copy(tmp_path), "hf:me/emb@draft", *GIVEN)
    assert "names a branch or a commit" in message
    assert "Type: hf:me/emb" in message
    assert not hub.repositories


def test_a_pull_that_the_hub_broke_is_resumed(hub: Repositories, finished: FinishedRun, tmp_path: Path) -> None:
    push(finished.copy(tmp_path), "hf:me/emb")
    hub.fail_after = 3
    assert "the hub" in expect_error("pull", "hf:me/emb", tmp_path / "pulled")
    hub.fail_after = None
    result = sea("pull", "hf:me/emb", tmp_path / "pulled", "--json").json()
    assert 0 < result["downloaded"] < result["files"]


def test_problems_with_the_hub_say_what_to_do(
    hub: Repositories, finished: FinishedRun, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from huggingface_hub import constants

    assert "hf auth login" in expect_error("pull", "hf:me/none", tmp_path / "p")
    monkeypatch.setenv("HF_TOKEN", "hf_wrong")
    message = expect_error("push", finished.copy(tmp_path), "hf:me/emb", *GIVEN)
    assert "hf auth login" in message
    assert "hf_wrong" not in message
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    assert "HF_HUB_OFFLINE" in expect_error("pull", "hf:me/emb", tmp_path / "p")
