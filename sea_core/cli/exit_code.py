"""Exit codes, the same for every command.

0: done. 1: finished, but something got no result, or what was checked has faults; they are listed. 2: wrong input, or
an error that stopped the work. 130: stopped by Ctrl-C.
"""

from __future__ import annotations

from collections.abc import Mapping

import typer

from sea_core.cli import output

EXPLANATION = (
    "Exit codes: 0 done; 1 finished with failures, which are listed; 2 wrong input, or an error; 130 stopped by Ctrl-C."
)


def exit_if_failed(failures: Mapping[str, int]) -> None:
    """Exit with 1 if anything failed: a script must not go on as if nothing had.

    Args:
        failures: how many failed, by what failed, such as {"media that were not encoded": 2}.
    """
    if counted := [f"{what}: {count}" for what, count in failures.items() if count]:
        output.note(f"Finished with failures: {'; '.join(counted)}.")
        raise typer.Exit(1)
