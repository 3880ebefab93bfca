"""`sea push` and `sea pull` from Python: runs and models go to a hub repository or a folder, and come back."""

from __future__ import annotations

import hashlib
import shutil
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from sea_core import __version__
from sea_core.alignment.run import ModelFolder
from sea_core.errors import RunError, SeaError
from sea_core.pipeline.data_spec import DataSpec
from sea_core.pipeline.progress import SILENT, Progress
from sea_core.runs.atomic import atomic_write, write_text
from sea_core.runs.check import check_folder
from sea_core.runs.containment import require_contained
from sea_core.runs.digests import BLOCK, file_digest
from sea_core.runs.embedding_run import EmbeddingRun
from sea_core.runs.folder import LOCK
from sea_core.runs.lock import locked
from sea_core.sharing.card import choose_licence, share_card
from sea_core.sharing.embeddings import fill_texts, pack_run
from sea_core.sharing.listing import CARD, MAX_BYTES, NAME, ListedFile, Listing, list_files, read_listing, write_listing
from sea_core.sharing.models import pack_model
from sea_core.sharing.package import Package, PackageKind, find_kind
from sea_core.sharing.places import FolderPlace, HubPlace, SharePlace, file_error, open_place

KINDS = (
    PackageKind("run.json", "a run of embeddings", EmbeddingRun, pack_run),
    PackageKind("align.json", "an aligned model", ModelFolder, pack_model),
)
MAX_SIZE = 100e9
"""Bytes that are pulled at most, unless more are allowed."""


@dataclass(frozen=True)
class Push:
    """What would be sent, or has been.

    Attributes:
        folder: what is shared. target: where to, without user and password. package: what of it.
        listing: its files and digests. public: whether everybody may read it.
    """

    folder: Path
    target: str
    package: Package
    listing: Listing
    public: bool

    def summary(self) -> list[tuple[str, str]]:
        """Return in words what would be sent: pairs of a name and a text."""
        is_hub = self.target.startswith("hf:")
        where = f", a {self.package.repo_type} repository, {'PUBLIC' if self.public else 'private'}" if is_hub else ""
        return [
            ("to", f"{self.target}{where}"),
            ("what", self.package.what),
            *self.package.facts.items(),
            ("licence", self.listing.licence),
            ("sent", "; ".join(self.package.sent)),
            ("stays here", "; ".join(self.package.kept)),
            ("files", f"{len(self.listing.files)} with {self.listing.size:,} bytes"),
        ]


def push(
    folder: Path | str,
    target: str,
    *,
    licence: str | None = None,
    with_text: bool = False,
    public: bool = False,
    confirm: Callable[[Push], bool] = lambda push: True,
    kinds: Sequence[PackageKind] = KINDS,
    progress: Progress = SILENT,
) -> Push | None:
    """Check a folder and send it to a repository of the hub or to a folder, with a card and a list of its digests.

    Args:
        folder: a run of embeddings or an aligned model.
        target: `hf:OWNER/NAME`, a folder, or an address that fsspec knows.
        licence: of the content; by default the one that its source's card names.
        with_text: send the texts of people too, harmful ones included.
        public: whether a repository may be read by everybody.
        confirm: is asked before anything is sent.

    Returns:
        what was sent; None if `confirm` has refused.

    Raises:
        SeaError: it is another kind of folder, or no licence is known.
        RunError: a file is damaged, or the target holds something else.
    """
    folder = Path(folder)
    kind = find_kind(folder, kinds)
    place = open_place(target)
    require_main_branch(place)
    require_apart(folder, place)
    require_whole(folder)
    with tempfile.TemporaryDirectory(prefix="sea-push-") as name:
        temporary = Path(name)
        package = kind.pack(folder, temporary, with_text)
        with locked(folder / LOCK, folder):
            prepared, files = _prepare(
                folder, place.name, package, choose_licence(licence, package, folder), temporary, public
            )
            if not confirm(prepared):
                return None
            with progress.track("push", len(files)) as tracker:
                place = open_place(target, package.repo_type, public=public)
                place.send(files, lambda name: tracker.advance(note=name))
    return prepared


def _prepare(
    folder: Path, target: str, package: Package, licence: str, temporary: Path, public: bool
) -> tuple[Push, dict[str, Path]]:
    """Return what would be sent and its files, the card and the list of digests among them; the list is last."""
    listing = Listing(
        manifest=package.manifest,
        what=package.what,
        licence=licence,
        with_text=package.with_text,
        fingerprint=package.fingerprint,
        sea=__version__,
        files=list_files(package.files),
    )
    card, path = share_card(package, listing, target), temporary / NAME
    files = dict(package.files)
    for name in (CARD, *package.more_cards):
        files[name] = temporary / "cards" / name
        write_text(files[name], card)
    listing = Listing(**{**vars(listing), "files": list_files(files)})
    write_listing(path, listing)
    return Push(folder, target, package, listing, public), {**files, NAME: path}


def require_main_branch(place: SharePlace) -> None:
    """Raise SeaError for a branch or commit of a repository: a push is a new commit of its main branch."""
    if isinstance(place, HubPlace) and place.revision:
        what = f"{place.name} names a branch or a commit, and a push is a new commit of the main branch"
        raise SeaError(what, hint=f"Type: {place.name.partition('@')[0]}")


def require_apart(folder: Path, place: SharePlace) -> None:
    """Raise SeaError for a target inside the folder that is shared, or around it, or that is a file."""
    target = place.local if isinstance(place, FolderPlace) else None
    if target and target.is_file():
        raise file_error(place.name)
    if target:
        shared, place_folder = folder.resolve(), target.resolve()
        if shared.is_relative_to(place_folder) or place_folder.is_relative_to(shared):
            raise SeaError(f"{target} and {folder} lie in each other", hint="Give a folder elsewhere.")


def require_whole(folder: Path) -> None:
    """Raise RunError if any byte of a folder is not what was written."""
    damage = check_folder(folder).damage
    if damage:
        more = f", and {len(damage) - 1} more" if len(damage) > 1 else ""
        raise RunError(
            f"{damage[0].path} {damage[0].problem}{more}",
            hint=f"List all with: sea check {folder}   Re-run the command that wrote the folder: it makes them again.",
            where=str(folder),
        )


@dataclass(frozen=True)
class Pull:
    """What was pulled.

    Attributes:
        listing: its files and digests. downloaded: how many files were read now, and not by an earlier command.
        texts: how many embeddings have the texts of their examples; None where nothing was withheld.
        withheld: how many do not.
    """

    folder: Path
    listing: Listing
    downloaded: int
    texts: int | None = None
    withheld: int = 0


def pull(
    source: str,
    folder: Path | str,
    *,
    text: DataSpec | Path | str | None = None,
    max_bytes: float = MAX_SIZE,
    kinds: Sequence[PackageKind] = KINDS,
    progress: Progress = SILENT,
) -> Pull:
    """Read a shared folder into a new one, and check every byte. Calling again resumes; nothing is ever overwritten.

    Args:
        source: `hf:OWNER/NAME`, also with `@COMMIT`; a folder, or an address that fsspec knows.
        text: the data that a run without texts was made from, to put its texts back.
        max_bytes: refuse a source with more.

    Raises:
        RunError: the source is no shared folder, is damaged or too large, or the folder holds something else.
    """
    folder, place = Path(folder), open_place(source)
    require_apart(folder, place)
    require_contained(folder)
    data, listing = _read_listing(place)
    kind = next((kind for kind in kinds if kind.manifest == listing.manifest), None)
    if kind is None:
        command = "sea pull" if listing.manifest in [kind.manifest for kind in KINDS] else "sea bench pull"
        raise RunError(
            f"{place.name} is another kind of folder: {listing.what}", hint=f"Type: {command} {place.name} {folder}"
        )
    _start(data, place, folder)
    downloaded = 0
    if not (folder / listing.manifest).is_file():
        _require_room(listing, folder, max_bytes)
        downloaded = _download(place, listing, folder, progress)
        require_whole(folder)
    opened = kind.open(folder)
    if not isinstance(opened, EmbeddingRun):
        return Pull(folder, listing, downloaded)
    return _with_texts(opened, Pull(folder, listing, downloaded), DataSpec.of(text) if text else None, progress)


def _read_listing(place: SharePlace) -> tuple[bytes, Listing]:
    """Return the list of the source's files, as it is and as an object."""
    with tempfile.TemporaryDirectory(prefix="sea-pull-") as temporary:
        path = Path(temporary, NAME)
        with place.open(NAME) as file:
            _copy(file, path, MAX_BYTES, place.name)
        return path.read_bytes(), read_listing(path, place.name)


def _start(data: bytes, place: SharePlace, folder: Path) -> None:
    """Store the list of the source's files first, so that a resumed command reads the same source."""
    path = folder / NAME
    if not path.is_file():
        _require_empty(folder)
        with atomic_write(path) as partial:
            partial.write_bytes(data)
    elif path.read_bytes() != data:
        raise RunError(
            f"{folder} was pulled from another source, or {place.name} has changed since",
            hint="Give a new folder, or the same commit: hf:OWNER/NAME@COMMIT",
            where=str(path),
        )


def _require_empty(folder: Path) -> None:
    files = sorted(path.name for path in folder.iterdir() if not path.name.startswith(".")) if folder.is_dir() else []
    if files or (folder.exists() and not folder.is_dir()):
        what = f"it contains {files[0]!r}" if files else "it is a file"
        raise RunError(f"{what}, and nothing is overwritten", hint="Give a new or empty folder.", where=str(folder))


def _require_room(listing: Listing, folder: Path, max_bytes: float) -> None:
    if listing.size > max_bytes:
        raise RunError(
            f"the source has {listing.size:,} bytes, more than {max_bytes:,.0f}",
            hint=f"If you want all of them: --max-gb {listing.size / 1e9 + 1:.0f}",
        )
    free = shutil.disk_usage(folder).free
    if listing.size > free:
        raise RunError(f"the source has {listing.size:,} bytes, and {free:,} are free", hint="Free space: df -h")


def _download(place: SharePlace, listing: Listing, folder: Path, progress: Progress) -> int:
    """Read the files that are not there yet; the manifest last, since it makes the folder one that commands open."""
    names = sorted(listing.files, key=lambda name: (name == listing.manifest, name))
    downloaded = 0
    with progress.track("pull", len(names)) as tracker:
        for name in names:
            path, listed = folder / name, listing.files[name]
            if path.is_file():
                if file_digest(path, cached=False) != listed.sha256:
                    raise RunError(
                        "this file is not the source's, and nothing is overwritten",
                        hint="Move it away.",
                        where=str(path),
                    )
            else:
                _read_file(place, name, listed, path)
                downloaded += 1
            tracker.advance(note=name)
    return downloaded


def _read_file(place: SharePlace, name: str, listed: ListedFile, path: Path) -> None:
    where = f"{place.name}: {name}"
    with atomic_write(path) as partial, place.open(name) as file:
        found = _copy(file, partial, listed.size, where)
        if found != listed.sha256:
            raise RunError(
                "the file is not the one that was pushed: its SHA-256 differs", hint="Re-run the command.", where=where
            )


def _copy(file: BinaryIO, path: Path, most: int, where: str) -> str:
    """Copy at most so many bytes, and return their digest. Raises RunError if there are more."""
    digest, size = hashlib.sha256(), 0
    with path.open("wb") as out:
        while block := file.read(BLOCK):
            size += len(block)
            if size > most:
                raise RunError(
                    f"the file has more than the {most:,} bytes that are expected",
                    hint="Do not use this source.",
                    where=where,
                )
            digest.update(block)
            out.write(block)
    return digest.hexdigest()


def _with_texts(run: EmbeddingRun, pulled: Pull, text: DataSpec | None, progress: Progress) -> Pull:
    """Put the texts of examples back into a run that was shared without them."""
    withheld = len(run.store.texts.withheld.read())
    if not withheld:
        return pulled
    if text:
        fill_texts(run, text.read(progress).examples)
    done = len(EmbeddingRun(run.folder).store.texts.found.read())
    return Pull(pulled.folder, pulled.listing, pulled.downloaded, done, withheld - done)
