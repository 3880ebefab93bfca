"""Figures as text, the same on the whole page."""

from __future__ import annotations

from collections.abc import Sequence


def ratio_text(value: float | None, interval: Sequence[float] | None = None) -> str:
    """Return `0.812 (0.701 to 0.889)`; a dash where there is no ratio."""
    if value is None:
        return "-"
    return f"{value:.3f}" + (f" ({interval[0]:.3f} to {interval[1]:.3f})" if interval else "")


def counted(part: int, total: int) -> str:
    """Return `36 of 39`."""
    return f"{part} of {total}"


def short_number(value: float | None) -> str:
    """Return a number with four digits; a dash where there is none."""
    return "-" if value is None or value != value else f"{value:.4g}"
