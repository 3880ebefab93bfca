"""The documents build as a site, without network; a link that leads nowhere stops the build."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FETCHED = re.compile(r"<(?:script|img|iframe|link)[^>]+(?:src|href)=\"?https?:[^>]+>")


def build(folder: Path) -> subprocess.CompletedProcess[str]:
    """Build a copy of the documents."""
    shutil.copytree(ROOT / "docs", folder / "docs", dirs_exist_ok=True)
    shutil.copy(ROOT / "mkdocs.yml", folder)
    command = [sys.executable, "-m", "mkdocs", "build", "--strict"]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    for name in ("plugins", "benchmarks", "sea_core", "SECURITY.md", "CONTRIBUTING.md"):
        (folder / name).symlink_to(ROOT / name)  # what documents link to
    done = build(folder)
    assert done.returncode == 0, done.stderr
    return folder


def test_every_document_is_a_page(site: Path) -> None:
    documents = [path.relative_to(site / "docs") for path in (site / "docs").rglob("*.md")]
    assert len(documents) > 60
    for document in documents:
        if document.parts[0] != "examples":
            name = document.parent / ("" if document.stem in ("index", "README") else document.stem) / "index.html"
            assert (site / "build/site" / name).is_file(), document


def test_nothing_is_fetched(site: Path) -> None:
    for page in (site / "build/site").rglob("*.html"):
        assert not FETCHED.findall(page.read_text(encoding="utf-8")), page


def test_link_that_leads_nowhere_stops_the_build(site: Path, tmp_path: Path) -> None:
    shutil.copytree(site, tmp_path / "copy", symlinks=True)
    with (tmp_path / "copy/docs/glossary.md").open("a") as page:
        page.write("\n[nowhere](nowhere.md)\n")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict"]
    done = subprocess.run(command, cwd=tmp_path / "copy", capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "nowhere.md" in done.stderr
