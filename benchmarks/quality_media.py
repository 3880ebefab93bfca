"""Labelled benign media of the toy world, for `sea verify --compare-with`, and the accuracy of a probe fitted on them.

quality_media.py seen FOLDER        the benign phrases of the demo examples, once in each style
quality_media.py held-out FOLDER    those that no demo example has: two objects for each benign verb
quality_media.py ceiling SEEN HELD_OUT
"""

from __future__ import annotations

import json
import random
import sys
import tempfile
from pathlib import Path

import torch

from sea_core.model.media_folder import encode_files
from sea_core.model.mllm import MLLM
from sea_core.runs.jsonl import JsonlLog
from sea_core.verification.analysis.comparison import MediaComparison
from sea_core.verification.analysis.labels import read_labelled_media
from sea_toy.llava.tiny import TinyLlavaStudent
from sea_toy.world import demo_phrases, phrases

SEED = 2000


def render(which: str, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    pupil, rng = TinyLlavaStudent(), random.Random(SEED)
    seen = {phrase.text for phrase in demo_phrases()}
    lines = []
    for phrase in phrases():
        if not phrase.harmful and (phrase.text in seen) == (which == "seen"):
            for style in pupil.adapter.styles:
                name = f"{phrase.text} {style}.png".replace(" ", "-")
                pupil.render(phrase.text, style, rng).save(folder / name)
                lines.append({"file_name": name, "phrase": phrase.text, "harmful": False})
    (folder / "metadata.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    print(f"{len(lines)} media in {folder}")


def ceiling(fitted_on: Path, tested_on: Path) -> None:
    adapter = TinyLlavaStudent.adapter
    mllm = MLLM(adapter, *adapter.load(adapter.checkpoint, dtype=torch.float32, device="cpu"))
    media = read_labelled_media(fitted_on).media
    made = dict(zip([m.name for m in media], encode_files(mllm, [m.path for m in media]), strict=True))
    products = {phrase.text for phrase in phrases() if phrase.kind == "product"}
    records = [
        {
            "id": m.name,
            "sha256": "",
            "status": "succeeded",
            "phrase": m.phrase,
            "kind": "product" if m.phrase in products else "activity",
        }
        for m in media
    ]
    with tempfile.TemporaryDirectory() as folder:
        view = MediaComparison(
            records, made.__getitem__, read_labelled_media(tested_on), JsonlLog(Path(folder) / "analysis.jsonl")
        )
        for _ in view.compute(mllm):
            pass
        print(json.dumps(view.metrics(), indent=2))


def main() -> None:
    """Do what the first argument says."""
    what, *folders = sys.argv[1:]
    if what == "ceiling":
        ceiling(*map(Path, folders))
    else:
        render(what, Path(folders[0]))


if __name__ == "__main__":
    main()
