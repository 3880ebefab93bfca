"""`sea bench pull`: a benchmark, or a benchmark run, that somebody has pushed comes into a new folder."""

from __future__ import annotations

from sea_core.cli import output
from sea_core.cli.pull import Folder, MaxGb, Source, report_pull


def pull(source: Source, folder: Folder, max_gb: MaxGb = 100, as_json: output.Json = False) -> None:
    """Read a benchmark or a benchmark run that was pushed, into a new folder, and check every byte.

    Re-run the same command to resume. Nothing is overwritten, and no file is taken that the source does not list.
    """
    from sea_bench.pipeline.share import KINDS
    from sea_core.cli.progress import TERMINAL
    from sea_core.pipeline.share import pull as pull_folder
    from sea_core.runs.folder_kind import BENCH_RUN

    pulled = pull_folder(source, folder, max_bytes=max_gb * 1e9, kinds=KINDS, progress=TERMINAL)
    report_pull(pulled, as_json)
    is_run = pulled.listing.manifest == BENCH_RUN.manifest
    output.note(f"Next: {'sea bench report' if is_run else 'sea bench check'} {folder}")
