"""`sea doctor`: what this machine has, what is wrong with it, and the command that fixes it."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

from sea_core.cli import output
from sea_core.cli.exit_code import exit_if_failed

COLUMNS = ("", "area", "what", "found")


def doctor(
    self_test: Annotated[
        bool, typer.Option(help="Make one embedding with a bundled tiny model, which takes a few seconds.")
    ] = True,
    as_json: output.Json = False,
) -> None:
    """Check this machine: versions, device, memory, disk, plugins and keys, and make one embedding.

    Keys are never shown. Nothing is installed, changed or sent. Exit code 1 if there is a fault.
    """
    from sea_core.pipeline.doctor import examine

    findings = list(examine(self_test=self_test))
    faults = [finding for finding in findings if finding.fault]
    cells = [("FAULT" if found.fault else "", found.area, found.subject, found.found) for found in findings]
    output.emit([asdict(finding) for finding in findings], as_json, lambda: output.grid(COLUMNS, cells))
    for fault in faults:
        output.note(f"FAULT {fault.subject}: {fault.found}\n  To fix it: {fault.remedy}")
    if not faults:
        output.note("No fault was found. `sea` alone shows where to start.")
    exit_if_failed({"faults of this machine, listed above": len(faults)})
