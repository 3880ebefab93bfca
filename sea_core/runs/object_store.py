"""Object storage (S3 and the like): whole objects under an address. Of several writers of a new one, one creates it."""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, cast

from typing_extensions import Buffer

from sea_core.errors import RunError, SeaError, one_line
from sea_core.runs.atomic import atomic_write, disk_errors

if TYPE_CHECKING:
    from obstore.store import ObjectStore as Client

ADDRESS = re.compile(r"[a-z][a-z0-9+.-]*://.*", re.DOTALL)
CODE = re.compile(r"<Code>(\w+)</Code>")
"""What is wrong, in an answer of S3."""
CONNECTIONS = 8
"""How many files are sent or fetched at a time."""
QUICK: Any = {"max_retries": 2}
"""For requests that another one will soon follow, and for the first one. By default a request is tried for minutes."""
MAX_ERROR = 200
"""Characters of a message of the storage that are shown."""
HINT = (
    "Check the address and the rights. Credentials, region and server are those of the environment "
    "(AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_REGION, AWS_ENDPOINT_URL). What is finished is kept there."
)


def is_address(text: Path | str) -> bool:
    """Return whether a text is an address such as `s3://bucket/run`, and not a path."""
    return ADDRESS.fullmatch(str(text)) is not None


class ObjectStore:
    """The objects under an address. Their names are relative to it, with `/` between the parts.

    Credentials are those of the environment; none is stored or shown.

    Raises:
        SeaError: obstore is not installed, or the address has credentials or parameters in it.
        RunError: the address cannot be used.
    """

    def __init__(self, address: str) -> None:
        self.address = address.rstrip("/")
        if "@" in address or "?" in address:
            what = "an address with a user, a password or parameters is not used: it would be seen by others"
            raise SeaError(what, hint="Type s3://BUCKET/NAME, and set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY.")
        self._client = _open(self.address)

    @cached_property
    def _quick_client(self) -> Client:
        return _open(self.address, retry_config=QUICK)

    def require_exclusive(self) -> None:
        """Check that of two writers of a new object only one can create it.

        Raises:
            RunError: the storage cannot be used, or does not know conditional writes.
        """
        name = f"probe/{secrets.token_hex(8)}"
        with self._errors():
            self._quick_client.put(name, b"first")
        is_exclusive = not self.create(name, b"second")
        self.delete([name])
        if not is_exclusive:
            raise RunError(
                "this storage has no conditional writes (If-None-Match), so that two workers could claim one block",
                hint="Make the run in a folder, and send it there: sea optimize ... --out FOLDER, then "
                f"sea push FOLDER {self.address}",
                where=self.address,
            )

    def create(self, name: str, data: bytes) -> bool:
        """Write a new object. Return False if there is one of this name, which then stays as it is.

        Args:
            data: that no other writer would write: a request whose reply was lost is made again.
        """
        from obstore.exceptions import AlreadyExistsError, PreconditionError

        with self._errors():
            try:
                self._client.put(name, data, mode="create")
            except (AlreadyExistsError, PreconditionError):
                return self.read(name) == data
        return True

    def read(self, name: str) -> bytes | None:
        """Return the content of an object; None if there is none."""
        with self._errors():
            try:
                return bytes(self._client.get(name).bytes())
            except FileNotFoundError:
                return None

    @contextmanager
    def open(self, name: str) -> Iterator[BinaryIO]:
        """Open an object for reading. Raises RunError where there is none."""
        with self._errors():
            yield cast(BinaryIO, _Reader(self._client.get(name).stream()))

    def write(self, name: str, data: bytes | Path, *, quick: bool = False) -> None:
        """Write an object, in place of an earlier one.

        Args:
            data: the content, or a file that has it.
            quick: give up early where the storage cannot be reached.
        """
        with self._errors():
            (self._quick_client if quick else self._client).put(name, data)

    def send(self, files: Mapping[str, Path]) -> Iterator[str]:
        """Write files as objects, several at a time; yield the name of each."""
        with ThreadPoolExecutor(CONNECTIONS) as pool:
            yield from pool.map(self._send_file, files.items())

    def _send_file(self, file: tuple[str, Path]) -> str:
        self.write(*file)
        return file[0]

    def fetch(self, files: Mapping[str, Path]) -> Iterator[str]:
        """Read objects into files, several at a time; yield the name of each."""
        with ThreadPoolExecutor(CONNECTIONS) as pool:
            yield from pool.map(self._fetch_file, files.items())

    def _fetch_file(self, file: tuple[str, Path]) -> str:
        name, path = file
        with self._errors():
            stream = self._client.get(name).stream()
            with atomic_write(path) as partial, disk_errors(path), partial.open("wb") as out:
                for chunk in stream:
                    out.write(chunk)
        return name

    def copy(self, objects: Mapping[str, str]) -> Iterator[str]:
        """Copy objects inside the storage, from the names that are given to those that they map to; yield each."""
        with ThreadPoolExecutor(CONNECTIONS) as pool:
            yield from pool.map(self._copy_object, objects.items())

    def _copy_object(self, names: tuple[str, str]) -> str:
        with self._errors():
            self._client.copy(*names)
        return names[0]

    def times(self, folder: str = "") -> dict[str, float]:
        """Return when each object in a folder was last written, by the clock of the storage, by their names in it."""
        prefix = f"{folder}/" if folder else ""
        with self._errors():
            found = [entry for entries in self._client.list(prefix or None) for entry in entries]
        return {entry["path"].removeprefix(prefix): entry["last_modified"].timestamp() for entry in found}

    def delete(self, names: Iterable[str]) -> None:
        """Delete objects, if they exist."""
        with self._errors(), suppress(FileNotFoundError):
            self._client.delete(list(names))

    @contextmanager
    def _errors(self) -> Iterator[None]:
        """Turn what the client raises into a RunError that names the address. Only the first line of it is shown."""
        from obstore.exceptions import BaseError

        try:
            yield
        except FileNotFoundError as error:
            code = next(iter(CODE.findall(str(error))), "")
            what = f"there is no such bucket, or an object is missing{f' ({code})' if code else ''}"
            hint = "Check the name. A run can be pulled when it is finished."
            raise RunError(what, hint=hint, where=self.address) from None
        except (BaseError, PermissionError) as error:
            raise RunError(_described(error), hint=HINT, where=self.address) from None


class _Reader:
    """The content of an object as a file, read once from its beginning."""

    def __init__(self, chunks: Iterable[Buffer]) -> None:
        self.chunks, self.rest = iter(chunks), b""

    def read(self, size: int) -> bytes:
        """Return at most so many bytes; none at the end."""
        if not self.rest:
            self.rest = bytes(next(self.chunks, b""))
        found, self.rest = self.rest[:size], self.rest[size:]
        return found


def _described(error: Exception) -> str:
    """Return what the storage answers, without the request, which may have been signed."""
    text = str(error).partition("\n")[0].partition("<?xml")[0]
    codes = CODE.findall(str(error))
    return f"the storage cannot be used: {one_line(text)[:MAX_ERROR]}{' ' + codes[0] if codes else ''}"


def _open(address: str, **options: Any) -> Client:
    try:
        from obstore.exceptions import BaseError
        from obstore.store import from_url
    except ImportError as error:
        raise SeaError("obstore is not installed", hint="Type: pip install 'sea-core[s3]'") from error
    if not address.startswith("file:"):
        options["client_options"] = {"allow_http": True}  # for a server whose address has no TLS
    try:
        return from_url(address, **options)
    except (BaseError, TypeError) as error:
        hint = "Type an address such as s3://BUCKET/NAME."
        raise RunError(_described(error), hint=hint, where=address) from None
