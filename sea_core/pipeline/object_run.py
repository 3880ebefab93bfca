"""`sea optimize --out s3://...` and `sea worker s3://...` from Python: a run in object storage."""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping
from dataclasses import asdict, replace
from itertools import chain
from pathlib import Path

from sea_core import __version__
from sea_core.errors import RunError, SeaError
from sea_core.extraction.prepare import Preparation
from sea_core.optimization.record import make_skipped_record
from sea_core.pipeline.data_spec import DataSpec
from sea_core.pipeline.extraction import ExtractorSession
from sea_core.pipeline.join import read_synthesis, require_same_run
from sea_core.pipeline.model_target import ModelTarget
from sea_core.pipeline.optimize import finish, make_manifest, make_order, prepare_run
from sea_core.pipeline.optimize_worker import OptimizeWorker
from sea_core.pipeline.progress import SILENT, Progress
from sea_core.pipeline.synthesis import Synthesis
from sea_core.pipeline.work_order import WorkOrder, make_rows
from sea_core.pipeline.worker_process import end_with_parent, own_device
from sea_core.runs.atomic import DAMAGED
from sea_core.runs.block import ROWS, BlockRow
from sea_core.runs.block_folder import BLOCKS, TOKEN
from sea_core.runs.blocks import ORDER
from sea_core.runs.containment import is_file_name
from sea_core.runs.embedding_run import EmbeddingManifest, EmbeddingRun
from sea_core.runs.folder import LOCK
from sea_core.runs.jsonl import JsonlLog
from sea_core.runs.manifest import normalise, require_same_identity, write_sealed
from sea_core.runs.object_blocks import ObjectBlocks
from sea_core.runs.object_store import ObjectStore
from sea_core.sharing.listing import NAME as LISTING
from sea_core.sharing.listing import Listing, list_files, write_listing

START = f"{BLOCKS}/start.json"
FINISH = "finish"
"""The label of the job that joins, audits and verifies the run."""
MANIFEST = EmbeddingRun.MANIFEST_NAME
ANOTHER = "Give another address with --out, or the same settings to resume."


def prepare_in_store(
    data: DataSpec,
    target: ModelTarget,
    address: str,
    synthesis: Synthesis,
    verify: bool,
    folder: Path,
    progress: Progress,
) -> Preparation:
    """Prepare a run in object storage for workers (see `work_in_store`); one that is prepared already stays.

    Args:
        folder: an empty one, for files that are on the way.

    Raises:
        SeaError: the storage cannot be used, or several workers are to be started here.
        RunError: the address has another run, or one with other rows.
    """
    store = ObjectStore(address)
    store.require_exclusive()
    if synthesis.config.workers not in (0, 1):
        what = "a run in object storage starts no processes by itself"
        hint = f"Type -o workers=0, and then as often as you have GPUs: sea worker {store.address}"
        raise SeaError(what, hint=hint)
    target.note_limits(progress)
    _ = synthesis.wanted  # a wrong recipe is reported before a language model is asked for phrases
    session = ExtractorSession.open(synthesis.extractor, synthesis.llm, None, progress, target.adapter.language)
    plan = prepare_run(data, target, synthesis, session, progress)
    manifest = normalise(make_manifest(data, target, synthesis, session, plan))
    if not _is_started(store):
        run = EmbeddingRun.start(folder / "prepared", manifest)
        with run.writing():
            run.write_skipped(map(make_skipped_record, plan.preparation.skipped))
        order = make_order(manifest.identity_digest(), synthesis, plan, verify, workers=0)
        order = replace(order, audited="")  # workers send no audits
        write_sealed(run.folder / ORDER, asdict(order))
        JsonlLog(run.folder / ROWS, BlockRow).append(make_rows(plan.todo))
        _start(store, run.folder)
    _require_same(store, manifest, folder / "stored")
    return plan.preparation


def _is_started(store: ObjectStore) -> bool:
    return store.read(START) is not None or store.read(LISTING) is not None


def _start(store: ObjectStore, folder: Path) -> None:
    """Send what was prepared. What counts is who writes the last object, which says where the others are."""
    token = secrets.token_hex(8)
    files = {f"{BLOCKS}/{token}/{path.name}": path for path in folder.iterdir() if path.name != LOCK and path.is_file()}
    for _ in store.send(files):
        pass
    if not store.create(START, token.encode()):
        store.delete(files)


def _require_same(store: ObjectStore, requested: EmbeddingManifest, folder: Path) -> None:
    """Raise RunError where an address has another run than the requested one, or other rows of it."""
    start = store.read(START)
    place = f"{BLOCKS}/{start.decode()}/" if start else ""
    for _ in store.fetch({f"{place}{MANIFEST}": folder / MANIFEST}):
        pass
    stored = EmbeddingRun(folder, may_be_damaged=True).manifest
    require_same_identity(
        store.address, stored.identity, requested.identity, data_path=requested.metadata.data_path, hint=ANOTHER
    )
    if stored.metadata.embeddings != requested.metadata.embeddings:
        raise RunError(
            f"the run has {stored.metadata.embeddings} embeddings, and {requested.metadata.embeddings} are requested",
            hint=f"Rows cannot be added there. {ANOTHER} Or go on in a folder: sea pull {store.address} FOLDER",
            where=store.address,
        )


def work_in_store(
    address: str,
    folder: Path,
    *,
    plugin: str | None = None,
    model: str | None = None,
    device: str = "auto",
    progress: Progress = SILENT,
) -> EmbeddingRun | None:
    """Work on a run in object storage until nothing is left to do. One of the workers then audits and verifies it.

    Args:
        folder: an empty one that only this process uses. What is finished in it is in the storage too.
        plugin, model, device: see `join.work`.

    Returns:
        the finished run, in `folder`; None if there is nothing to do, or another process finishes it.

    Raises:
        RunError: there is no such run, or it was made with another model, version or media.
    """
    end_with_parent()
    store = ObjectStore(address)
    store.require_exclusive()
    if store.read(LISTING) is not None:
        _delete_blocks(store)
        progress.note(f"nothing is left to do in {store.address}. To get the run: sea pull {store.address} FOLDER")
        return None
    run = _open(store, folder)
    order = run.blocks.read(ORDER, WorkOrder)
    assert order
    target = ModelTarget.of_run(run, plugin=plugin, model=model, device=own_device(device), progress=progress)
    synthesis = read_synthesis(run, order)
    require_same_run(run, target, synthesis)
    with run.blocks.registered() as worker:
        working = OptimizeWorker(run, target, synthesis, order, worker, progress)
        working.work()
        return _finish(store, working, progress)


def _open(store: ObjectStore, folder: Path) -> EmbeddingRun:
    """Return the run in a folder of this process, as it was prepared."""
    if (start := store.read(START)) is None:
        hint = f"Prepare one: sea optimize DATA --plugin NAME -o workers=0 --out {store.address}"
        raise RunError("there is no run there", hint=hint, where=store.address)
    if not re.fullmatch(TOKEN.encode(), start):
        hint = "Somebody has changed what is stored there. Make the run again, at another address."
        raise RunError("what says where the run was prepared is damaged", hint=hint, where=f"{store.address}/{START}")
    root = f"{BLOCKS}/{start.decode()}"
    names = [name for name in store.times(root) if name not in (ORDER, ROWS) and is_file_name(name)]
    places = {name: folder / name for name in names} | {ORDER: folder / BLOCKS / ORDER}
    for _ in store.fetch({f"{root}/{name}": path for name, path in places.items()}):
        pass
    run = EmbeddingRun(folder)
    run.blocks = ObjectBlocks(folder, store, start.decode())
    return run


def _finish(store: ObjectStore, working: OptimizeWorker, progress: Progress) -> EmbeddingRun | None:
    """Join what all workers have finished, audit, verify and send the run, if no other process does so."""
    blocks, run = working.blocks, working.run
    assert isinstance(blocks, ObjectBlocks)
    claim = blocks.claim_job(FINISH, working.worker)
    if claim is None or store.read(LISTING) is not None:
        progress.note("nothing is left to do for this worker: another process finishes the run")
        return None
    with progress.track("fetch", len(blocks.labels())) as tracker:
        for label in blocks.fetch_parts():
            tracker.advance(note=label)
    copies = blocks.part_objects()
    with run.writing():
        run.join_blocks()
        if damaged := blocks.all():
            what = f"the part of block {damaged[0].label} is not the one that a worker has sent"
            raise RunError(what, hint="Make the run again, at another address.", where=store.address)
        run.require_whole()
        finish(run, working.target, working.mllm, working.order.verify, progress)
    _send(store, run, copies, progress)
    blocks.drop(claim)
    _delete_blocks(store)
    blocks.discard()
    return EmbeddingRun(run.folder)


def _send(store: ObjectStore, run: EmbeddingRun, copies: Mapping[str, str], progress: Progress) -> None:
    """Send a finished run, its list of files last: `sea pull` reads that.

    Args:
        copies: the objects that have the content of files already.
    """
    hidden = (LOCK, BLOCKS, DAMAGED)
    paths = [path for path in run.folder.rglob("*") if path.is_file()]
    files = {path.relative_to(run.folder).as_posix(): path for path in paths}
    files = {name: path for name, path in files.items() if name.partition("/")[0] not in hidden}
    listing = Listing(
        manifest=MANIFEST,
        what=f"SEA embeddings ({run.manifest.identity.model.modality})",
        licence="",
        with_text=True,
        fingerprint=run.manifest.identity.model.fingerprint,
        sea=__version__,
        files=list_files(files),
    )
    copied = {source: name for name, source in copies.items() if name in files}
    with progress.track("send", len(files)) as tracker:
        for name in chain(
            store.copy(copied), store.send({name: path for name, path in files.items() if name not in copies})
        ):
            tracker.advance(note=name)
    write_listing(run.folder / LISTING, listing)
    store.write(LISTING, run.folder / LISTING)


def _delete_blocks(store: ObjectStore) -> None:
    """Delete what workers share, after the run is finished: first what says where the rest is."""
    store.delete([START])
    store.delete(f"{BLOCKS}/{name}" for name in store.times(BLOCKS))
