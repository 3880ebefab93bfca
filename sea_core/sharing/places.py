"""Where shared folders lie: a folder, any file system that fsspec knows, or a repository of the Hugging Face hub."""

from __future__ import annotations

import hashlib
import re
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from functools import cached_property
from importlib.util import find_spec
from pathlib import Path
from typing import Any, BinaryIO, Literal, Protocol

from sea_core.data.sources.hf_datasets import http_error
from sea_core.errors import RunError, SeaError, one_line
from sea_core.llm.secrets import shown_address
from sea_core.model.libraries import install_command
from sea_core.runs.containment import require_contained
from sea_core.runs.digests import BLOCK, file_digest
from sea_core.runs.object_store import ObjectStore
from sea_core.sharing.listing import MAX_BYTES, NAME, read_listing

HUB = "hf:"
REPOSITORY = re.compile(r"hf:(?P<repo>[\w.-]+/[\w.-]+)(?:@(?P<revision>[\w./-]+))?")
HUB_FILE = ".gitattributes"
"""What the hub itself puts into a new repository. It stays."""
LOGIN = "Log in with `hf auth login`, or set HF_TOKEN: SEA takes the token from there only, and stores none."
PARTIAL = ".part"
MEMORY = "memory:"
OBJECTS = re.compile(r"(s3|gs|az)://")
"""Addresses of object storage, whose files appear whole or not at all."""

RepoType = Literal["dataset", "model"]
Done = Callable[[str], None]
"""Is called with the name of each file that is sent."""


class SharePlace(Protocol):
    """Where a shared folder lies.

    Attributes:
        name: as people type it, without user and password.
    """

    @property
    def name(self) -> str: ...

    def open(self, file: str) -> AbstractContextManager[BinaryIO]:
        """Open a file of the place for reading. Raises RunError if there is none, or it cannot be read."""

    def send(self, files: Mapping[str, Path], done: Done) -> None:
        """Send files, the list of files last. Raises RunError where something else lies there."""


def open_place(text: str, repo_type: RepoType = "dataset", *, public: bool = False) -> SharePlace:
    """Return a place by its name: `hf:OWNER/NAME@REVISION`, a folder, or an address that fsspec knows (`s3://...`).

    Args:
        repo_type: what a repository of the hub is, to send to; for reading, the other one is tried too.
        public: whether a repository that is made may be read by everybody.
    """
    if text.startswith(HUB):
        found = REPOSITORY.fullmatch(text)
        if found is None:
            raise SeaError(
                f"{text} is not the name of a repository", hint="Type hf:OWNER/NAME, or hf:OWNER/NAME@COMMIT"
            )
        return HubPlace(found["repo"], found["revision"], repo_type, public)
    if OBJECTS.match(text) and find_spec("obstore"):
        return ObjectPlace(ObjectStore(text))
    return FolderPlace(text)


@dataclass
class FolderPlace:
    """A folder, on this machine or wherever fsspec reaches."""

    address: str

    @property
    def name(self) -> str:
        return shown_address(self.address) if "://" in self.address else self.address

    @property
    def local(self) -> Path | None:
        """The folder, if it is on this machine."""
        from fsspec.implementations.local import LocalFileSystem

        return Path(self._root) if isinstance(self._system, LocalFileSystem) else None

    @cached_property
    def _system(self) -> Any:
        return self._found[0]

    @cached_property
    def _root(self) -> str:
        return str(self._found[1]).rstrip("/")

    @cached_property
    def _found(self) -> tuple[Any, str]:
        from fsspec.core import url_to_fs

        try:
            found: tuple[Any, str] = url_to_fs(self.address)
        except ImportError as error:
            for_s3 = f"For s3:// type: {install_command('sea-core[s3]')}"
            hint = f"{for_s3}. For others the package that it names: paramiko for sftp://"
            raise RunError(one_line(error), hint=hint, where=self.name) from error
        except (OSError, TypeError, ValueError) as error:  # TypeError: an address without its server
            hint = "Check the address, and the rights that it needs."
            raise RunError(f"the address cannot be used: {one_line(error)}", hint=hint, where=self.name) from error
        return found

    @contextmanager
    def open(self, file: str) -> Iterator[BinaryIO]:
        if self.local:
            require_contained(self.local)
        with _errors(self.name), self._system.open(f"{self._root}/{file}", "rb") as opened:
            yield opened

    def send(self, files: Mapping[str, Path], done: Done) -> None:
        system, root = self._system, self._root
        if self.local:
            require_contained(self.local)
        with _errors(self.name):
            if system.isfile(root):
                raise file_error(self.name)
            paths = system.find(root) if system.exists(root) else []
            there = {path.removeprefix(root).lstrip("/") for path in paths}
            _require_same(self.name, there, files, self._differs)
            for name, path in files.items():
                if name not in there:
                    system.makedirs(f"{root}/{name}".rpartition("/")[0], exist_ok=True)
                    system.put_file(str(path), f"{root}/{name}{PARTIAL}")
                    system.mv(f"{root}/{name}{PARTIAL}", f"{root}/{name}")
                done(name)

    def _differs(self, name: str, path: Path) -> bool:
        if self._system.size(f"{self._root}/{name}") != path.stat().st_size:
            return True
        with self._system.open(f"{self._root}/{name}", "rb") as file:
            return _digest(file) != file_digest(path)


def file_error(name: str) -> RunError:
    """Return the error for a file where a folder is to be sent."""
    return RunError(f"{name} is a file, and what is shared is a folder", hint="Give a new or empty folder.")


def require_lasting(address: str) -> None:
    """Raise SeaError for an address whose files are gone when the command ends."""
    if any(part.startswith(MEMORY) for part in address.split("::")):
        what = f"{MEMORY}// is in the memory of this command, and gone when it ends: nothing was sent"
        raise SeaError(what, hint="Give hf:OWNER/NAME, a folder, or an address such as s3://BUCKET/NAME.")


def _digest(file: BinaryIO) -> str:
    digest = hashlib.sha256()
    while block := file.read(BLOCK):
        digest.update(block)
    return digest.hexdigest()


def _require_same(place: str, there: set[str], files: Mapping[str, Path], differs: Callable[[str, Path], bool]) -> None:
    """Raise RunError unless a place is empty, or holds what an interrupted command has sent."""
    for name in sorted(there):
        is_partial = name.endswith(PARTIAL) and name.removesuffix(PARTIAL) in files
        if not is_partial and (name not in files or differs(name, files[name])):
            raise RunError(
                f"{place} contains {name!r}, which is not what would be sent, and nothing is replaced",
                hint="Give a new or empty folder.",
            )


@dataclass
class ObjectPlace:
    """A folder in object storage. Credentials are those of the environment."""

    store: ObjectStore

    @property
    def name(self) -> str:
        return self.store.address

    @contextmanager
    def open(self, file: str) -> Iterator[BinaryIO]:
        with self.store.open(file) as opened:
            yield opened

    def send(self, files: Mapping[str, Path], done: Done) -> None:
        there = set(self.store.times())
        _require_same(self.name, there, files, self._differs)
        last = list(files)[-1]  # the list of files
        for name in files.keys() & there:
            done(name)
        for name in self.store.send({name: path for name, path in files.items() if name not in {last, *there}}):
            done(name)
        if last not in there:
            self.store.write(last, files[last])
            done(last)

    def _differs(self, name: str, path: Path) -> bool:
        with self.store.open(name) as file:
            return _digest(file) != file_digest(path)


@dataclass
class HubPlace:
    """A repository of the hub. Its token is that of the environment, or of `hf auth login`."""

    repo: str
    revision: str | None
    repo_type: RepoType
    public: bool

    @property
    def name(self) -> str:
        return f"{HUB}{self.repo}" + (f"@{self.revision}" if self.revision else "")

    @contextmanager
    def open(self, file: str) -> Iterator[BinaryIO]:
        with _hub_errors(self.name), self._system.open(f"{self._root}/{file}", "rb", block_size=0) as opened:
            yield opened

    @cached_property
    def _system(self) -> Any:
        from huggingface_hub import HfFileSystem

        return HfFileSystem(skip_instance_cache=True)

    @cached_property
    def _root(self) -> str:
        """The path of the repository at one commit: a pull must not change when the repository does."""
        from huggingface_hub import HfApi
        from huggingface_hub.errors import RepositoryNotFoundError

        missing: RepositoryNotFoundError | None = None
        for kind, folder in (("dataset", "datasets/"), ("model", "")):
            try:
                info = HfApi().repo_info(self.repo, repo_type=kind, revision=self.revision)
            except RepositoryNotFoundError as error:
                missing = error
                continue
            return f"{folder}{self.repo}@{info.sha}"
        assert missing
        raise missing

    def send(self, files: Mapping[str, Path], done: Done) -> None:
        from huggingface_hub import CommitOperationAdd, CommitOperationDelete, HfApi

        api = HfApi()
        with _hub_errors(self.name):
            api.create_repo(self.repo, repo_type=self.repo_type, private=not self.public, exist_ok=True)
            info: Any = api.repo_info(self.repo, repo_type=self.repo_type)
            there = {each.rfilename for each in info.siblings or ()}
            self._require_readers(bool(info.private))
            ours = self._sent_before(there, info.sha)
            self._require_ours((there - ours) & files.keys())
            operations: list[Any] = [CommitOperationAdd(name, path) for name, path in files.items()]
            operations += [CommitOperationDelete(name) for name in sorted((there & ours) - files.keys())]
            message = "sea push"
            api.create_commit(
                self.repo, operations, commit_message=message, repo_type=self.repo_type, parent_commit=info.sha
            )
            for name in files:
                done(name)

    def _sent_before(self, there: set[str], commit: str) -> set[str]:
        """Return the files that `sea push` has sent. Raises RunError if there are only others: none is replaced."""
        if NAME not in there:
            self._require_ours(there - {HUB_FILE})
            return set()
        folder = "datasets/" if self.repo_type == "dataset" else ""
        with tempfile.TemporaryDirectory(prefix="sea-push-") as temporary:
            path = Path(temporary, NAME)
            with self._system.open(f"{folder}{self.repo}@{commit}/{NAME}", "rb", block_size=0) as file:
                path.write_bytes(file.read(MAX_BYTES))
            return {*read_listing(path, self.name).files, NAME} - {HUB_FILE}

    def _require_readers(self, private: bool) -> None:
        """Raise RunError for a repository that everybody can read, unless that is wanted."""
        if not private and not self.public:
            raise RunError(
                f"{self.name} exists, and everybody can read it",
                hint="Make it private on the hub, give another name, or type --public.",
            )

    def _require_ours(self, foreign: set[str]) -> None:
        """Raise RunError if files that `sea push` has not sent are in the way."""
        if foreign:
            raise RunError(
                f"{self.name} contains files that `sea push` has not sent, such as {min(foreign)!r}",
                hint="Give the name of a new repository, or remove a README.md that the hub has made.",
            )


@contextmanager
def _errors(name: str) -> Iterator[None]:
    """Turn errors of a file system into a RunError that names the place."""
    try:
        yield
    except FileNotFoundError as error:
        what = "this is no folder that `sea push` has made, or one of its files is missing"
        raise RunError(what, hint="Check its name.", where=name) from error
    except NotImplementedError as error:
        raise RunError("nothing can be written there", hint="Give a folder, or hf:OWNER/NAME.", where=name) from error
    except (OSError, ValueError) as error:  # ValueError: a name that the file system does not take
        hint = "Check its name, your rights and the network. Re-run the command to resume."
        raise RunError(one_line(error), hint=hint, where=name) from error


@contextmanager
def _hub_errors(name: str) -> Iterator[None]:
    """Turn what the hub's library raises into a RunError that says what to do."""
    from huggingface_hub.errors import (
        EntryNotFoundError,
        GatedRepoError,
        HfHubHTTPError,
        LocalTokenNotFoundError,
        OfflineModeIsEnabled,
        RepositoryNotFoundError,
    )

    try:
        yield
    except OfflineModeIsEnabled as error:
        raise RunError(
            "the hub is not used: HF_HUB_OFFLINE is set", hint="Type: unset HF_HUB_OFFLINE", where=name
        ) from error
    except (LocalTokenNotFoundError, GatedRepoError, RepositoryNotFoundError) as error:
        what = "there is no such repository, or your token may not see it"
        raise RunError(what, hint=f"Check the name. {LOGIN}", where=name) from error
    except (EntryNotFoundError, FileNotFoundError) as error:
        what = "this is no repository that `sea push` has made, or one of its files is missing"
        raise RunError(what, hint="Check its name and commit.", where=name) from error
    except HfHubHTTPError as error:
        status = error.response.status_code if error.response is not None else 0
        hint = LOGIN if status in (401, 403) else "Re-run the command to resume."
        raise RunError(f"the hub answers: {one_line(error)[:200]}", hint=hint, where=name) from error
    except (http_error(), OSError, ValueError, RuntimeError) as error:  # RuntimeError: of an upload
        what = f"the hub cannot be used: {one_line(error)[:200]}"
        raise RunError(what, hint="Check the network. Re-run the command to resume.", where=name) from error
