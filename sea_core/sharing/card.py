"""The card of a shared folder: what it is, its licence, digests, counts, and the commands to use it."""

from __future__ import annotations

import re
from pathlib import Path

from sea_core.alignment.markdown import escape_markdown, front_matter
from sea_core.alignment.model_card import find_licence
from sea_core.data.sources.hub import PREFIX, parse_name
from sea_core.errors import DataError, SeaError
from sea_core.sharing.listing import CARD, NAME, Listing, read_listing
from sea_core.sharing.package import Package

LICENCE = re.compile(r"[A-Za-z0-9][A-Za-z0-9.+-]{1,60}")
HINTS = (
    "Name it: --licence cc-by-4.0, for example, or --licence other for what you keep to yourself. Embeddings of a text "
    "safety set, its media, or a model that was trained on it are under the licence of that set and of the model, if "
    "these say so."
)


def choose_licence(given: str | None, package: Package, folder: Path) -> str:
    """Return the licence that the user names, or else that of the folder's owner or the source. None is invented.

    Args:
        folder: that is shared. One that was pulled has its owner's licence.

    Raises:
        SeaError: there is neither, or what was given cannot be a licence's name.
    """
    if given is not None:
        if not LICENCE.fullmatch(given):
            raise SeaError(f"{given!r} is no licence's identifier", hint=HINTS)
        return given.lower()
    listing = folder / NAME
    found = read_listing(listing, str(listing)).licence if listing.is_file() else _licence_of_source(package.source)
    if not found or not LICENCE.fullmatch(found):
        raise SeaError("no licence is named, and the source names none", hint=HINTS)
    return found.lower()


def _licence_of_source(source: str) -> str:
    """Return the licence in the card of a folder, of a file's folder, or of a data set in the hub's cache."""
    if source.startswith(PREFIX):
        from huggingface_hub import try_to_load_from_cache

        try:
            cached = try_to_load_from_cache(parse_name(source).repo, CARD, repo_type="dataset")
        except DataError:
            return ""
        return _named_licence(Path(cached).parent) if isinstance(cached, str) else ""
    path = Path(source)
    return _named_licence(path if path.is_dir() else path.parent) if source and path.exists() else ""


def _named_licence(folder: Path) -> str:
    found = find_licence(folder)
    return found.strip("\"'") if (folder / CARD).is_file() else ""


def share_card(package: Package, listing: Listing, place: str) -> str:
    """Return the card in Markdown. Names in it come from anybody, and are shown as text.

    Args:
        place: where the folder is shared. Only a repository's name stands in the card: a folder's path and an address
            are the user's own.
    """
    is_hub = place.startswith(PREFIX)
    place = place if is_hub else "SOURCE"
    if package.card is not None:
        text = package.card(listing.licence)
        return f"{text}\n{_sections(package, listing, place)}"
    header = {"license": listing.licence, "tags": ["safety", "sea"], "pretty_name": package.what}
    title = escape_markdown(place.rpartition("/")[2] if is_hub else package.what)
    what = f"{package.what}.\n\n" if is_hub else ""  # else it is the title
    start = f"{front_matter(header)}\n# {title}\n\n{what}{package.about}\n"
    return f"{start}\n{_sections(package, listing, place)}"


def _sections(package: Package, listing: Listing, place: str) -> str:
    facts = "\n".join(f"- **{name}**: {escape_markdown(text)}." for name, text in package.facts.items())
    commands = "\n".join(command.replace("SOURCE", place) for command in package.commands)
    sent, kept = ("; ".join(map(escape_markdown, texts)) for texts in (package.sent, package.kept))
    return f"""## What is here
{facts}
- **Licence**: {escape_markdown(listing.licence)}.
- **In it**: {sent}.
- **Not in it**: {kept}.
- **Files**: {len(listing.files)}, {listing.size:,} bytes. `{NAME}` has the size and the SHA-256 of each, which
  `sea pull` compares; `sea check FOLDER` does so again.

## Use it

```console
{commands}
```
"""
