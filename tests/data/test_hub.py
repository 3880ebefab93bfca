"""The hub: data sets read at a commit, and what its libraries raise."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import datasets
import httpx2
import pyarrow as pa
import pytest
import yaml
from huggingface_hub import errors

from helpers.hub import COMMIT, hub
from helpers.table_files import error_message, parquet
from sea_core.data.sources import hf_datasets
from sea_core.errors import DataError


def test_hub_names_are_checked_before_any_request() -> None:
    assert "is not the name of a hub data set" in error_message("hf:owner/name/more")
    assert "hf:OWNER/NAME:CONFIG@REVISION" in error_message("hf:")


HUB = """
import json, sys
from sea_core.errors import DataError
from sea_core import read_examples
results = {}
for name in sys.argv[1:]:
    try:
        data = read_examples(name)
        results[name] = [data.format, len(data.examples), data.skipped[0].where, data.digest]
    except DataError as error:
        results[name] = str(error)
print(json.dumps(results))
"""


def read_in_new_process(*names: str, **environment: str) -> Any:
    """Read in a new process: the library reads the environment when it is imported."""
    variables = {**os.environ, "HF_HUB_DISABLE_TELEMETRY": "1", **environment}
    command = [sys.executable, "-c", HUB, *names]
    done = subprocess.run(command, env=variables, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_a_hub_data_set_is_read_at_a_commit(tmp_path: Path) -> None:
    plain, pinned, other = "hf:owner/name", f"hf:owner/name@{COMMIT}", "hf:owner/name@v9"
    with hub(parquet(tmp_path / "data.parquet")) as (address, requests):
        cache = str(tmp_path / "cache")
        results = read_in_new_process(
            plain,
            pinned,
            other,
            "hf:owner/none",
            "hf:owner/name:cfg",
            HF_HUB_OFFLINE="0",
            HF_ENDPOINT=address,
            HF_HOME=cache,
        )
    assert results[plain][:3] == ["trl", 2, "hf:owner/name: row 3"]
    assert results[plain][3] == results[pinned][3], "the same commit is the same data"
    assert "has no such revision" in results[other]
    assert "no such data set" in results["hf:owner/none"]
    assert "BuilderConfig 'cfg' not found" in results["hf:owner/name:cfg"]
    assert all(COMMIT in line for line in requests if "/resolve/" in line or "/tree/" in line)


@pytest.mark.parametrize("offline", ["1", "0"])
def test_an_unreachable_hub_raises_an_error(offline: str) -> None:
    results = read_in_new_process("hf:owner/none", HF_HUB_OFFLINE=offline, HF_ENDPOINT="http://127.0.0.1:9")
    assert results["hf:owner/none"].startswith("hf:owner/none: The hub cannot be reached")
    assert "HF_HUB_OFFLINE" in results["hf:owner/none"]


def raises(error: Exception) -> Any:
    """Return a stand-in for a function of the library that raises `error`."""

    def call(**_: Any) -> Any:
        raise error

    return call


def library_failures() -> dict[str, tuple[Exception, str]]:
    """What the libraries raise, and how the resulting error begins."""
    response = httpx2.Response(503, request=httpx2.Request("GET", "https://huggingface.co"))
    network, unreadable = "The hub cannot be reached", "The datasets library cannot read it"
    return {
        "gated": (errors.GatedRepoError("x", response=response), "The data set is gated"),
        "no repository": (errors.RepositoryNotFoundError("x", response=response), "The hub has no such data set"),
        "no data set": (datasets.exceptions.DatasetNotFoundError("x"), "The hub has no such data set"),
        "no revision": (errors.RevisionNotFoundError("x", response=response), "The data set has no such revision"),
        "server error": (errors.HfHubHTTPError("x", response=response), network),
        "offline": (errors.OfflineModeIsEnabled("x"), network),
        "no connection": (httpx2.ConnectError("x"), network),
        "time-out": (httpx2.ReadTimeout("x"), network),
        "broken response": (httpx2.RemoteProtocolError("x"), network),
        "no cached file": (errors.LocalEntryNotFoundError("x"), unreadable),
        "no data files": (datasets.exceptions.DataFilesNotFoundError("x"), unreadable),
        "no config": (ValueError("BuilderConfig 'x' not found"), unreadable),
        "a script": (RuntimeError("Dataset scripts are no longer supported"), unreadable),
        "a README that is not YAML": (yaml.YAMLError("x"), unreadable),
        "a README of another form": (AttributeError("x"), unreadable),
        "columns that differ": (datasets.exceptions.DatasetGenerationError("x"), unreadable),
        "a corrupt table": (pa.ArrowInvalid("x"), unreadable),
        "a corrupt archive": (zipfile.BadZipFile("x"), unreadable),
        "a truncated archive": (EOFError("x"), unreadable),
    }


@pytest.mark.parametrize("name", library_failures())
def test_errors_of_the_libraries_become_data_errors(name: str) -> None:
    error, expected = library_failures()[name]
    with pytest.raises(DataError) as caught:
        hf_datasets.load(Path("hf:owner/name"), raises(error), "owner/name")
    assert caught.value.what.startswith(expected)
    assert caught.value.hint
    assert caught.value.__cause__ is error


def test_a_connection_that_breaks_while_rows_are_read_raises_a_data_error() -> None:
    data = SimpleNamespace(with_format=lambda _: SimpleNamespace(iter=raises(httpx2.ReadTimeout("too slow"))))
    with pytest.raises(DataError, match="The hub cannot be reached: too slow"):
        list(hf_datasets.iter_rows(Path("hf:owner/name"), data, "owner/name"))


def test_other_errors_are_not_hidden() -> None:
    with pytest.raises(ZeroDivisionError):
        hf_datasets.load(Path("hf:owner/name"), raises(ZeroDivisionError()), "owner/name")
