"""MOSSBench: harmless questions about images that only look dangerous. Refusing is the failure.

`images_information/information.json` has an object for each case, by its number; the images lie beside that folder.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from typing_extensions import TypedDict

from sea_bench.build.published.case import PublishedCase, PublishedMedium
from sea_core.errors import DataError
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


def read_mossbench(folder: Path) -> list[PublishedCase]:
    """Return the cases, by type of what looks dangerous. Raises DataError if the file has another form."""
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
