"""`sea report` from Python: runs of any kind as one HTML page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from sea_core.errors import RunError, SeaError
from sea_core.model.libraries import install_command
from sea_core.plugin import loader
from sea_core.report.content import PageOptions, PageSection
from sea_core.report.page import GENERATOR, TITLE, render_page
from sea_core.report.reporter import Reporter
from sea_core.runs.atomic import write_text
from sea_core.runs.folder_kind import BENCH_RUN, find_folder_kind


@dataclass(frozen=True)
class PageResult:
    """A page that was written.

    Attributes:
        path: its file. size: of the file, in bytes.
        sections: what it has.
    """

    path: Path
    size: int
    sections: tuple[PageSection, ...]


def report(
    runs: Sequence[Path | str],
    out: Path | str = "report.html",
    *,
    title: str = TITLE,
    options: PageOptions | None = None,
) -> PageResult:
    """Write one HTML file about runs: verdicts, tables, plots, and rows with texts, answers and media.

    Args:
        runs: run folders of `optimize`, `encode`, `align` and of plugins, such as benchmark runs.
        out: the file. A page that was made before is replaced.
        options: how many rows, and which media.

    Raises:
        RunError: a folder is not a run, or is damaged.
        SeaError: `out` is another file.
    """
    page = Path(out)
    require_own_page(page)
    sections = make_sections([Path(run) for run in runs], options or PageOptions())
    html = render_page(sections, title)
    page.parent.mkdir(parents=True, exist_ok=True)
    write_text(page, html)
    return PageResult(page, len(html.encode()), tuple(sections))


def make_sections(folders: Sequence[Path], options: PageOptions) -> list[PageSection]:
    """Return the sections for folders, kind by kind: embeddings, aligned models, then those of plugins."""
    own = core_reporters()
    reporters: list[Reporter] = [*own, *loader.offers("reporters", own)]
    grouped: dict[str, list[Path]] = {}
    for folder in dict.fromkeys(folders):
        grouped.setdefault(_reporter_of(folder, reporters).manifest, []).append(folder)
    return [
        section
        for reporter in reporters
        if reporter.manifest in grouped
        for section in reporter.sections(grouped[reporter.manifest], options)
    ]


def core_reporters() -> list[Reporter]:
    """Return the reporters of the core's own run folders."""
    from sea_core.report.alignment import AlignmentReporter
    from sea_core.report.embeddings import EmbeddingReporter

    return [EmbeddingReporter(), AlignmentReporter()]


def _reporter_of(folder: Path, reporters: Sequence[Reporter]) -> Reporter:
    for reporter in reporters:
        if (folder / reporter.manifest).is_file():
            return reporter
    hint = "Pass folders of sea optimize, sea encode, sea align or sea bench run."
    if not folder.is_dir():
        what = f"{folder} is a file, but a run is a folder" if folder.exists() else f"there is no folder {folder}"
        raise RunError(what, hint=hint)
    kind = find_folder_kind(folder)
    if kind is BENCH_RUN:
        hint = f"Its plugin is not installed: {install_command(kind.distribution)}"
    raise RunError(f"{folder} cannot be reported: it is {kind.noun if kind else 'no run'}", hint=hint)


def require_own_page(page: Path) -> None:
    """Raise SeaError if a page would replace a file that is no page of this command, or a folder."""
    if not page.exists():
        return
    with_name = "Give another name with --out."
    if not page.is_file():
        raise SeaError(f"{page} is not a file", hint=with_name)
    with page.open("rb") as file:
        head = file.read(4096)
    if f'name="generator" content="{GENERATOR}"'.encode() not in head:
        raise SeaError(f"{page} exists, and is no page of `sea report`", hint=with_name)
