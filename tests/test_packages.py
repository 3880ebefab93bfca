"""Each distribution has what an index and a type checker need: a description, the licence, `py.typed`; and no tests."""

from __future__ import annotations

import re
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from email import message_from_bytes
from email.message import Message
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

REPOSITORY = Path(__file__).parents[1]
PROJECTS = [REPOSITORY, *sorted(path.parent for path in REPOSITORY.glob("plugins/*/pyproject.toml"))]


def build(project: Path, target: str, out: Path) -> Path:
    """Build the wheel or the source distribution of a project."""
    command = [sys.executable, "-m", "hatchling", "build", "-t", target, "-d", str(out)]
    subprocess.run(command, cwd=project, check=True, capture_output=True)
    (built,) = out.iterdir()
    return built


def metadata(wheel: zipfile.ZipFile) -> Message:
    (name,) = (name for name in wheel.namelist() if name.endswith(".dist-info/METADATA"))
    return message_from_bytes(wheel.read(name))


@pytest.mark.parametrize("project", PROJECTS, ids=lambda project: project.name)
def test_wheel_is_complete(project: Path, tmp_path: Path) -> None:
    declared = tomllib.loads((project / "pyproject.toml").read_text())["project"]
    with zipfile.ZipFile(build(project, "wheel", tmp_path)) as wheel:
        found, files = metadata(wheel), wheel.namelist()
        (licence,) = (name for name in files if name.endswith("/LICENSE"))
        assert wheel.read(licence) == (REPOSITORY / "LICENSE").read_bytes()
    (package,) = {name.partition("/")[0] for name in files if ".dist-info/" not in name}
    assert f"{package}/py.typed" in files
    assert not [name for name in files if "/tests/" in name or "__pycache__" in name]
    assert found["License-Expression"] == "Apache-2.0"
    assert found["Description-Content-Type"] == "text/markdown"
    assert len(str(found.get_payload())) > 300
    assert "Typing :: Typed" in found.get_all("Classifier", [])
    assert set(found.get_all("Provides-Extra", [])) == set(declared.get("optional-dependencies", {}))


def test_source_of_the_core_is_the_whole_repository(tmp_path: Path) -> None:
    """So its own tests run: they use the plugins' models, read the documents, and build the packages."""
    with tarfile.open(build(REPOSITORY, "sdist", tmp_path)) as archive:
        files = {name.partition("/")[2] for name in archive.getnames()}
    assert {"Makefile", "constraints.txt", "conftest.py", "docs/index.md", "tests/test_packages.py", "LICENSE"} <= files
    assert any(name.startswith("plugins/") and name.endswith(".safetensors") for name in files)
    assert {name for name in files if name.startswith(".")} <= {".gitignore"}  # hatchling adds it
    if (REPOSITORY / ".git").exists():
        listed = subprocess.run(["git", "ls-files"], cwd=REPOSITORY, check=True, capture_output=True, text=True)
        tracked = {name for name in listed.stdout.splitlines() if (REPOSITORY / name).exists()}
        assert {name for name in tracked - files if not name.startswith(".")} == set()


@pytest.mark.parametrize("project", PROJECTS[1:], ids=lambda project: project.name)
def test_source_of_a_plugin_has_no_tests(project: Path) -> None:
    """They import helpers that only the repository has."""
    built = tomllib.loads((project / "pyproject.toml").read_text())["tool"]["hatch"]["build"]["targets"]
    assert built["sdist"]["exclude"] == ["/tests"]


def test_image_has_every_plugin() -> None:
    installed = re.findall(r"\./plugins/\w+", (REPOSITORY / "Dockerfile").read_text())
    assert installed == [f"./plugins/{project.name}" for project in PROJECTS[1:]]


@pytest.mark.parametrize("project", ["", "plugins/llava", "plugins/qwen2_audio"])
def test_lowest_versions_are_those_that_are_tested(project: str) -> None:
    """make test-lowest installs them. Torch is the one that the machine has."""
    declared = tomllib.loads((REPOSITORY / project / "pyproject.toml").read_text())["project"]["dependencies"]
    pins = [Requirement(line) for line in (REPOSITORY / "constraints-lowest.txt").read_text().splitlines()[1:]]
    tested = {canonicalize_name(pin.name): next(iter(pin.specifier)).version for pin in pins}
    for requirement in map(Requirement, declared):
        name = canonicalize_name(requirement.name)
        if name != "torch" and not name.startswith("sea-"):
            lowest = next(part.version for part in requirement.specifier if part.operator == ">=")
            assert tested[name] in requirement.specifier
            assert Version(tested[name]).release[: len(Version(lowest).release)] == Version(lowest).release, name
