"""Labelled benign media of the toy world for `sea verify --compare-with`, and the ceiling of its linear probe.

The ceiling is how well a probe that was fitted on some of these media classifies others.
"""

from __future__ import annotations

import json
import random
import tempfile
from argparse import ArgumentParser
from pathlib import Path
from typing import cast

from bundled import load_bundled

from sea_core.model.media_folder import encode_files
from sea_core.runs.embedding_record import EmbeddingRecord
from sea_core.runs.jsonl import JsonlLog
from sea_core.verification.analysis.comparison import MediaComparison
from sea_core.verification.analysis.labels import read_labelled_media
from sea_toy.llava.tiny import TinyLlavaStudent
from sea_toy.world import demo_phrases, phrases

SEED = 2000


def render(held_out: bool, folder: Path) -> None:
    """Draw benign phrases, once in each style: those of the demo examples, or those that no demo example has."""
    folder.mkdir(parents=True, exist_ok=True)
    student, rng = TinyLlavaStudent(), random.Random(SEED)
    demo = {phrase.text for phrase in demo_phrases()}
    records = []
    for phrase in phrases():
        if phrase.harmful or (phrase.text not in demo) != held_out:
            continue
        for style in student.adapter.styles:
            name = f"{phrase.text} {style}.png".replace(" ", "-")
            student.render(phrase.text, style, rng).save(folder / name)
            records.append({"file_name": name, "phrase": phrase.text, "harmful": False})
    (folder / "metadata.jsonl").write_text("".join(json.dumps(record) + "\n" for record in records))
    print(f"{len(records)} media in {folder}")


def ceiling(fitted_on: Path, tested_on: Path) -> None:
    """Compare the media of one folder, in place of synthetic embeddings, with those of another."""
    mllm = load_bundled(TinyLlavaStudent.adapter)
    media = read_labelled_media(fitted_on).media
    embeddings = dict(zip([m.name for m in media], encode_files(mllm, [m.path for m in media]), strict=True))
    products = {phrase.text for phrase in phrases() if phrase.kind == "product"}
    records = [
        {
            "id": medium.name,
            "sha256": "",
            "status": "succeeded",
            "recipe": "plain",
            "phrase": medium.phrase,
            "kind": "product" if medium.phrase in products else "activity",
        }
        for medium in media
    ]
    with tempfile.TemporaryDirectory() as folder:
        log = JsonlLog(Path(folder) / "analysis.jsonl")
        comparison = MediaComparison(
            cast(list[EmbeddingRecord], records), embeddings.__getitem__, read_labelled_media(tested_on), log
        )
        for _ in comparison.compute(mllm):
            pass
        print(json.dumps(comparison.metrics(), indent=2))


def main() -> None:
    parser = ArgumentParser(description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    for name, text in (("seen", "the phrases of the demo examples"), ("held-out", "those that no demo example has")):
        commands.add_parser(name, help=f"draw {text}").add_argument("folder", type=Path)
    probe = commands.add_parser("ceiling", help="fit a probe on one folder and test it on another")
    probe.add_argument("fitted_on", type=Path)
    probe.add_argument("tested_on", type=Path)
    arguments = parser.parse_args()
    if arguments.command == "ceiling":
        ceiling(arguments.fitted_on, arguments.tested_on)
    else:
        render(arguments.command == "held-out", arguments.folder)


if __name__ == "__main__":
    main()
