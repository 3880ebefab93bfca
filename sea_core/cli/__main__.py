"""`sea`, also as `python -m sea_core.cli`: first of all Ctrl-C is taken care of, then the command line is imported."""

import gc
import os
import sys
from errno import EPIPE

from sea_core.cli import stop

COLLECT_AFTER = 10_000
"""After how many new objects garbage is collected. With Python's own 700, a tenth of the time until a model is loaded
goes by in collections, which visit again and again what imports have made to stay."""


def main() -> None:
    """Run the command line."""
    stop.leave_on_signal()
    gc.set_threshold(COLLECT_AFTER)
    open_streams()
    from sea_core.cli import app

    with stop.stopping_cleanly():
        try:
            app.main()
        finally:
            flush_output()


def open_streams() -> None:
    """Let any text be printed: a closed stream loses it, and what the terminal's encoding lacks is escaped."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: PTH123, SIM115
        else:
            stream.reconfigure(errors="backslashreplace")


def flush_output() -> None:
    """Write what is still to be printed, before Python does it and reports a failure in its own words."""
    try:
        sys.stdout.flush()
    except OSError as error:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        if error.errno != EPIPE:  # `sea show RUN | head` is no failure
            sys.stderr.write(f"error: the output cannot be written: {error.strerror}\n")
            raise SystemExit(2) from None


if __name__ == "__main__":
    main()
