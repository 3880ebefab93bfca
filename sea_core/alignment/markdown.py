"""Text from anybody's file in a Markdown document: it can only be read."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from sea_core.errors import one_line, visible

MARKUP = re.compile(r"[\\`*\[\]|~]")
"""What makes emphasis, code, links, pictures and cells; `<`, `>` and `&` become HTML's entities."""


def escape_markdown(text: str) -> str:
    """Return a text, on one line, that Markdown shows as it is: no link, picture, HTML or cell of a table."""
    escaped = MARKUP.sub(r"\\\g<0>", one_line(visible(text)))
    return escaped.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def front_matter(values: Mapping[str, Any]) -> str:
    """Return the YAML block that a model card begins with. Texts in it stay on one line, quoted where YAML needs it."""
    import yaml

    shown = {name: one_line(visible(value)) if isinstance(value, str) else value for name, value in values.items()}
    text = yaml.safe_dump(shown, sort_keys=False, allow_unicode=True, width=10_000, default_flow_style=None)
    return f"---\n{text}---\n"
