"""What commands print: results on stdout, as a table or as JSON; progress and errors on stderr.

Whatever is printed may come from anybody's file: control characters are written out, and no markup is interpreted.
"""

from __future__ import annotations

import json
import math
import sys
import traceback
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sea_core.errors import SeaError, visible

if TYPE_CHECKING:
    from rich.console import Console, RenderableType
    from rich.table import Table
    from rich.text import Text

Json = Annotated[bool, typer.Option("--json", help="Print the result as one JSON value, and nothing else on stdout.")]
"""The `--json` flag, the same in every command: `def show(as_json: Json = False)`."""


def emit(value: Any, as_json: bool, table: Callable[[], RenderableType]) -> None:
    """Print a command's result once: `value` as JSON, or what `table()` draws of it."""
    if as_json:
        print(json.dumps(_plain(value), indent=2, allow_nan=False).replace("\x7f", "\\u007f"))
        return
    from rich.console import Console

    shown = table()
    # Where nobody looks (a pipe, a file), a line is a row: nothing is cut or folded.
    console = Console(highlight=False, width=None if sys.stdout.isatty() else 10_000)
    console.print(plain(shown) if isinstance(shown, str) else shown)


def grid(columns: Sequence[str], rows: Iterable[Sequence[object]], title: str = "") -> Table:
    """Draw a plain table. Cells are printed as they are, brackets included."""
    from rich import box
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, title=plain(title) if title else None, title_justify="left")
    for column in columns:
        table.add_column(plain(column), overflow="fold")
    for row in rows:
        table.add_row(*map(plain, row))
    return table


def plain(value: object) -> Text:
    """Return a text that is printed as it is."""
    from rich.text import Text

    return Text(visible(str(value)))


def stack(tables: Iterable[RenderableType]) -> RenderableType:
    """Draw tables below one another."""
    from rich.console import Group

    return Group(*tables)


@cache
def progress() -> Console:
    """Return the console for everything that is not the result: progress, notes, errors. It writes to stderr."""
    from rich.console import Console

    return Console(stderr=True, highlight=False)


def ratio(value: float | None) -> str:
    """Return a ratio with three decimals; `-` where there is none."""
    return "-" if value is None else f"{value:.3f}"


def short(value: object) -> str:
    """Return a cell: numbers with four digits, `-` for None."""
    return "-" if value is None else f"{value:.4g}" if isinstance(value, float) else str(value)


def lines(text: str) -> None:
    """Print a result that is a text of its own, such as a table in Markdown."""
    print(visible(text))


def note(text: str) -> None:
    """Print a remark on stderr, as it is and unfolded."""
    progress().print(visible(text), markup=False, emoji=False, soft_wrap=True)


def show_error(error: SeaError) -> None:
    """Print what happened, and on a line of its own what to type next."""
    progress().print("[red]error:[/]", end=" ")
    note(str(error))


def show_traceback(kind: type[BaseException], error: BaseException, frames: TracebackType | None) -> None:
    """Print a traceback as Python does (`sys.excepthook`), as plain text."""
    sys.stderr.write(visible("".join(traceback.format_exception(kind, error, frames))))


def _plain(value: Any) -> Any:
    """Make a value of JSON types. A number that JSON does not know (a NaN loss) becomes null."""
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, Path):
        return str(value)
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
