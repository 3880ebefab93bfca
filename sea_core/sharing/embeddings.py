"""A run of embeddings, shared with the texts of its examples or without them, and given them back.

Without texts the embeddings, the phrases that say what each shows, and the detoxified instructions are shared. Who has
the same text safety set puts the texts back: each is known by its digest.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path, PurePath

from sea_core.data.examples import Example
from sea_core.errors import RunError, number_of
from sea_core.runs.atomic import write_text
from sea_core.runs.digests import sha256
from sea_core.runs.embedding_files import read_index, write_index
from sea_core.runs.embedding_record import EmbeddingRecord
from sea_core.runs.embedding_run import EmbeddingRun
from sea_core.runs.public import public_name, public_record
from sea_core.runs.withheld import TextRecord, WithheldRecord, WithheldTexts
from sea_core.sharing.package import Package, stage_inventory, stage_journal, stage_manifest

JOURNALS = ("tuning.jsonl",)
TEXT_JOURNALS = ("texts.jsonl", "audit.jsonl", "verify.jsonl", "verdicts.jsonl", "analysis.jsonl")
"""Journals that hold texts of examples, or answers of the model."""
SKIPPED = "skipped.jsonl"
"""The examples that were not prepared. Its lines have no checksums."""

ABOUT_TEXT = """Each embedding is a tensor that one model reads as if an encoder had seen a medium with a given content.
It is not media and shows nothing to a person: it was found by gradient descent from text, and means nothing to any
other model (the fingerprint below says which). It is made to train models to refuse, with `sea align`."""
ABOUT_MEDIA = """Each embedding is what the encoder of one model gives for a real medium. The media are not here, but an
embedding of a real medium may let a person who has the model guess what it showed: the licence and the consent of the
media hold for it. To any other model it means nothing (the fingerprint below says which)."""


def text_digest(instruction: str, response: str | None, chosen: str | None, rejected: str | None) -> str:
    """Return the digest by which the texts of an example are found again."""
    return sha256(json.dumps([instruction, response, chosen, rejected], ensure_ascii=False).encode())


def pack_run(folder: Path, temporary: Path, with_text: bool) -> Package:
    """Return what of a run of embeddings is shared. Paths on this machine never are."""
    run = EmbeddingRun(folder)
    with run.writing():
        pass  # merges single files into a part
    run = EmbeddingRun(folder)
    records, identity, metadata = run.store.records(), run.manifest.identity, run.manifest.metadata
    files = _pack_embeddings(run, temporary, with_text)
    journals = [folder / name for name in JOURNALS + (TEXT_JOURNALS if with_text else ())]
    files |= {path.name: stage_journal(temporary, path) for path in journals if path.is_file() and path.stat().st_size}
    if with_text and (skipped := folder / SKIPPED).is_file():
        files[SKIPPED] = _stage_skipped(temporary, skipped)
    files["inventory.jsonl"] = stage_inventory(temporary, files, run.store.inventory.files())
    location = metadata.model
    files["run.json"] = stage_manifest(
        temporary,
        "run.json",
        run.manifest,
        data_path=public_name(metadata.data_path),
        model=type(location)(public_name(location.checkpoint), location.revision),
    )
    is_media = identity.source == "media"
    stored = [record for record in records if record["sha256"]]
    source = "real media, read by the encoder" if is_media else "synthetic, found by gradient descent from text"
    return Package(
        manifest="run.json",
        what=f"SEA embeddings ({identity.model.modality})",
        repo_type="dataset",
        files=files,
        facts={
            "Embeddings": f"{len(stored)} of {len({r['example_id'] for r in stored})} examples; {source}",
            "Harmful": f"{sum(record['harmful'] for record in stored)} of them",
            "Model": f"{public_name(location.checkpoint)}, {identity.model.fingerprint}, plugin {identity.model.plugin}"
            f" {identity.model.plugin_version}, {identity.model.modality}, {identity.model.dtype}",
            "Data": f"{public_name(metadata.data_path)}, {identity.data.digest}",
        },
        sent=_sent(is_media, with_text),
        kept=_kept(with_text),
        commands=_commands(with_text, public_name(metadata.data_path)),
        source=metadata.data_path,
        with_text=with_text,
        fingerprint=identity.model.fingerprint,
        about=ABOUT_MEDIA if is_media else ABOUT_TEXT,
    )


def fill_texts(run: EmbeddingRun, examples: Iterable[Example]) -> tuple[int, int]:
    """Put the texts of examples back into a run that was shared without them.

    Args:
        examples: of the text safety set that the run was made from.

    Returns:
        how many embeddings have their texts now, and how many do not.

    Raises:
        RunError: none of the examples belongs to the run.
    """
    wanted = run.store.texts.withheld.read()
    known = {text_digest(e.instruction, e.response, e.chosen, e.rejected): e for e in examples}
    found = {record["id"]: known[record["sha256"]] for record in wanted if record["sha256"] in known}
    if wanted and not found:
        raise RunError(
            f"none of {number_of(len(wanted), 'embedding')} was made from an example of this data",
            hint=f"Give the data that the run was made from: {run.manifest.metadata.data_path} "
            f"({run.manifest.identity.data.digest}), with the same --format and --columns.",
            where=str(run.folder),
        )
    with run.writing():
        done = {record["id"] for record in run.store.texts.found.read()}
        run.store.texts.found.append(_text_record(i, example) for i, example in found.items() if i not in done)
    return len(found), len(wanted) - len(found)


def _text_record(embedding_id: str, example: Example) -> TextRecord:
    return {
        "id": embedding_id,
        "instruction": example.instruction,
        "response": example.response,
        "chosen": example.chosen,
        "rejected": example.rejected,
    }


def _pack_embeddings(run: EmbeddingRun, temporary: Path, with_text: bool) -> dict[str, Path]:
    """Return shards and indexes by name; an index with texts or paths that stay here as a changed copy."""
    files: dict[str, Path] = {}
    withheld = {record["id"]: record for record in run.store.texts.withheld.read()}
    for name in run.store.inventory.files():
        path = run.folder / name
        if name.startswith(f"{run.store.shards.name}/"):
            files[name] = path
        if name.startswith(f"{run.store.index.name}/"):
            records = read_index(path.read_bytes())
            shared = [_shared_record(record, with_text) for record in records]
            for record in records:
                if not with_text and record["id"] not in withheld:
                    withheld[record["id"]] = _withheld_record(record)
            files[name] = path
            if shared != records:
                files[name] = temporary / name
                write_index(temporary / name, shared)
    if withheld:
        log = WithheldTexts(temporary).withheld
        log.append(withheld.values())
        files[log.path.name] = log.path
    return files


def _shared_record(record: EmbeddingRecord, with_text: bool) -> EmbeddingRecord:
    public: EmbeddingRecord = public_record(record)  # type: ignore[assignment]
    shared: EmbeddingRecord = {**public, "media": PurePath(record["media"]).name}
    if with_text:
        return shared
    return {**shared, "instruction": "", "response": None, "chosen": None, "rejected": None}


def _stage_skipped(temporary: Path, path: Path) -> Path:
    """Return the file of skipped examples, or a changed copy if a reason names where a file lies on this machine."""
    records = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    public = [public_record(record) for record in records]
    if public == records:
        return path
    copy = temporary / path.name
    write_text(copy, "".join(json.dumps(record, ensure_ascii=False) + "\n" for record in public))
    return copy


def _withheld_record(record: EmbeddingRecord) -> WithheldRecord:
    texts = (record["instruction"], record["response"], record["chosen"], record["rejected"])
    return {"id": record["id"], "sha256": text_digest(*texts)}


def _sent(is_media: bool, with_text: bool) -> list[str]:
    tensors = "what the encoder gives for real media" if is_media else "the embeddings"
    labels = "of each the phrase that it shows, its detoxified instruction, style and target answers"
    names = "the examples' ids, lines and labels, and the names of the data file and of the model"
    media = ["the names of the media files"] * is_media
    texts = ["the texts of the examples, harmful ones included, and the model's answers about the embeddings"]
    return [
        tensors,
        *([] if is_media else [labels]),
        names,
        *media,
        "settings and digests",
        *(texts if with_text else ()),
    ]


def _kept(with_text: bool) -> list[str]:
    texts = ["instructions and responses of the examples", "answers of the model, and verdicts on them"]
    return [*([] if with_text else texts), "caches, locks, damaged files, and where files lie on this machine"]


def _commands(with_text: bool, data: str) -> list[str]:
    pull = "sea pull SOURCE FOLDER" + ("" if with_text else f" --text {data or 'DATA'}")
    return [pull, "sea show FOLDER", "sea align FOLDER --out model"]
