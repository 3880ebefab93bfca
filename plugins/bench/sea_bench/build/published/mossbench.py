"""MOSSBench: harmless questions about images that only look dangerous. Refusing is the failure.

`images_information/information.json` has an object for each case, by its number; the images lie beside that folder.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from typing_extensions import TypedDict

from sea_bench.build.published.case import PublishedCase, PublishedMedium
from sea_core.errors import DataError, SeaError
from sea_core.runs.containment import is_inside
from sea_core.schema import read_json

FILE = "images_information/information.json"
NAME = "MOSSBench"
HINT = "Download the set again: github.com/xirui-li/MOSSBench, folder data"


class MossRecord(TypedDict):
    """A case of the file."""

    image: str
    question: str
    metadata: dict[str, Any]


@dataclass(frozen=True)
class MOSSBench:
    """The set, its scenarios by type of what looks dangerous."""

    name: str = NAME

    def matches(self, folder: Path) -> bool:
        return (folder / FILE).is_file()

    def read(self, folder: Path, modality: str) -> list[PublishedCase]:
        """Return the cases.

        Raises:
            DataError: the file has another form.
            SeaError: the modality is not `image`.
        """
        if modality != "image":
            raise SeaError(f"{NAME} is about images", hint="Type: --modality image")
        path = folder / FILE
        records = read_json(path, dict[str, MossRecord], what="the list of MOSSBench", hint=HINT, error=DataError)
        return [
            PublishedCase(
                id=case_id,
                scenario=f"{NAME} {record['metadata'].get('over', '')}".strip().replace(" ", "_"),
                texts={NAME: record["question"]},
                media={NAME: {"image": _image(folder, record["image"], path)}},
                benign=True,
            )
            for case_id, record in records.items()
        ]


def _image(folder: Path, name: str, where: Path) -> PublishedMedium:
    """Return the image of this name. Its suffix may be another one: the authors have converted the files."""
    path = folder / name
    if not is_inside(path, folder):
        raise DataError(f"an image lies outside the set: {name!r}", hint=HINT, where=str(where))
    others = sorted(path.parent.glob(f"{path.stem}.*")) if not path.is_file() else []
    return PublishedMedium(others[0] if others else path)
