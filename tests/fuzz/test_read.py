"""Files that people give to SEA, damaged: each is read or refused in words, in time."""

from __future__ import annotations

import csv
import gzip
import io
import json
import lzma
import shutil
from collections.abc import Callable
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

import av
import numpy as np
import pyarrow as pa
import pyarrow.ipc
import pyarrow.parquet as pq
import pytest
import soundfile
from PIL import Image

from helpers.cli import sea
from helpers.damage import damage_file
from helpers.format_samples import SAMPLES
from helpers.fuzz import count, in_time, read_or_refuse, with_seeds
from sea_bench.build.media_io import check_medium
from sea_core.alignment.checkpoints import last_checkpoint
from sea_core.config import parse_overrides
from sea_core.errors import SeaError
from sea_core.extraction.styles import read_styles
from sea_core.model.checkpoint import read_card
from sea_core.pipeline.model_target import ModelTarget
from sea_core.plugin import loader
from sea_core.verification.analysis.labels import read_labelled_media

pytestmark = pytest.mark.filterwarnings("ignore")


def jsonl(records: list[dict[str, Any]]) -> bytes:
    return "".join(json.dumps(record) + "\n" for record in records).encode()


def in_csv(records: list[dict[str, Any]]) -> bytes:
    text = io.StringIO()
    writer = csv.DictWriter(text, list(records[0]))
    writer.writeheader()
    writer.writerows(
        {name: value if isinstance(value, str) else json.dumps(value) for name, value in r.items()} for r in records
    )
    return text.getvalue().encode()


def table(records: list[dict[str, Any]], write: Callable[[pa.Table, Any], object]) -> bytes:
    file = io.BytesIO()
    write(pa.Table.from_pylist(records), file)
    return file.getvalue()


def arrow(records: pa.Table, file: Any) -> None:
    with pyarrow.ipc.new_file(file, records.schema) as writer:
        writer.write_table(records)


CONTAINERS: dict[str, Callable[[list[dict[str, Any]]], bytes]] = {
    ".jsonl": jsonl,
    ".json": lambda records: json.dumps(records).encode(),
    ".csv": in_csv,
    ".parquet": lambda records: table(records, pq.write_table),
    ".arrow": lambda records: table(records, arrow),
    ".jsonl.gz": lambda records: gzip.compress(jsonl(records)),
    ".jsonl.xz": lambda records: lzma.compress(jsonl(records)),
}


@with_seeds
def test_data_of_any_format(seed: int, tmp_path: Path) -> None:
    random = Random(seed)
    name, suffix = random.choice(list(SAMPLES)), random.choice(list(CONTAINERS))
    format_name, record, _ = SAMPLES[name]
    for medium in ("a.png", "a.mp4", "a.wav"):
        (tmp_path / medium).touch()
    path = tmp_path / f"a{suffix}"
    data = CONTAINERS[suffix]([{**record, "id": str(number)} for number in range(3)])
    path.write_bytes(damage_file(data, path.suffix, random))
    with in_time():
        result = sea("data", "check", path, "--json", *(("--format", format_name) if random.random() < 0.5 else ()))
    assert result.code in (0, 1, 2), result
    count(f"data{suffix}", refused=result.code != 0)


ANSWERS: list[dict[str, Any]] = [
    {"id": str(number), "question": "How?", "answer": f"Take {number}.", "outputs": [{"text": "So."}], "benign": "no"}
    for number in range(3)
]


@with_seeds
def test_tables_of_answers(seed: int, tmp_path: Path) -> None:
    random = Random(seed)
    suffix = random.choice(list(CONTAINERS))
    path, out = tmp_path / f"answers{suffix}", tmp_path / f"run-{seed}"
    path.write_bytes(damage_file(CONTAINERS[suffix](ANSWERS), path.suffix, random))
    columns = random.choice([(), ("--columns", "answer=outputs.0.text,benign=benign"), ("--columns", "id=benign")])
    with in_time():
        result = sea("bench", "import", path, "--out", out, "--json", *columns)
    assert result.code in (0, 2), result
    assert out.exists() == (result.code == 0)
    count(f"answers{suffix}", refused=result.code != 0)


@with_seeds
def test_files_beside_data(seed: int, tmp_path: Path) -> None:
    random = Random(seed)
    shutil.rmtree(tmp_path / "data", ignore_errors=True)
    folder = tmp_path / "data"
    folder.mkdir()
    (folder / "a.json").write_text(json.dumps([{"instruction": "Why?", "output": "So."}] * 3))
    info = {"a": {"file_name": "a.json", "formatting": "alpaca", "columns": {"prompt": "instruction"}, "tags": {}}}
    (folder / "dataset_info.json").write_bytes(damage_file(json.dumps(info).encode(), ".json", random))
    with in_time():
        result = sea("data", "check", folder / "a.json", "--json")
    assert result.code in (0, 1, 2), result
    count("dataset_info.json", refused=result.code != 0)
    for name in ("a.png", "b.png"):
        (folder / name).write_bytes(b"x")
    labels = jsonl([{"file_name": name, "phrase": "polish a bike", "harmful": True} for name in ("a.png", "b.png")])
    (folder / "metadata.jsonl").write_bytes(damage_file(labels, ".jsonl", random))
    labelled = read_or_refuse(partial(read_labelled_media, folder))
    count("metadata.jsonl", refused=isinstance(labelled, SeaError))


SETTINGS = b"lr: 0.1\nsteps: 200\nllm:\n  model: qwen\n  base_url: 'http://here'\nnoise.strength: 1e-3\nx: [1, 2]\n"


@with_seeds
def test_settings_and_styles(seed: int, tmp_path: Path) -> None:
    random = Random(seed)
    settings, styles = tmp_path / "settings.yaml", tmp_path / "styles.json"
    settings.write_bytes(damage_file(SETTINGS, ".yaml", random))
    count("settings.yaml", refused=isinstance(read_or_refuse(partial(parse_overrides, settings, [])), SeaError))
    option = damage_file(b"lr={a: [1, 2], b: 'x'}", ".yaml", random).decode(errors="replace")
    read_or_refuse(partial(parse_overrides, None, [option]))
    styles.write_bytes(damage_file(b'{"styles": {"cartoon": 12, "painted": 5}, "files": 17}', ".json", random))
    count("styles.json", refused=isinstance(read_or_refuse(partial(read_styles, styles)), SeaError))


@partial(with_seeds, share=0.1)
def test_checkpoint(seed: int, tmp_path: Path) -> None:
    random = Random(seed)
    original = Path(loader.get_adapter("qwen2_audio")[1].checkpoint)
    folder = tmp_path / "model"
    if not folder.exists():
        shutil.copytree(original, folder)
    name = random.choice(sorted(path.name for path in original.iterdir()))
    (folder / name).write_bytes(damage_file((original / name).read_bytes(), Path(name).suffix, random))
    loaded = read_or_refuse(ModelTarget.find("qwen2_audio", model=str(folder)).load)
    read_or_refuse(partial(read_card, str(folder)))
    shutil.copyfile(original / name, folder / name)
    count("checkpoint", refused=isinstance(loaded, SeaError))


@with_seeds
def test_state_of_a_trainer(seed: int, tmp_path: Path) -> None:
    state = {"global_step": 4, "log_history": [{"loss": 1.5, "step": 2}, {"loss": 1.0, "step": 4}], "epoch": 1.0}
    checkpoint = tmp_path / "checkpoints/checkpoint-4"
    checkpoint.mkdir(parents=True, exist_ok=True)
    damaged = damage_file(json.dumps(state).encode(), ".json", Random(seed))
    (checkpoint / "trainer_state.json").write_bytes(damaged)
    count("trainer_state.json", refused=read_or_refuse(partial(last_checkpoint, tmp_path)) is None)


@pytest.fixture(scope="module")
def media(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """A small file of each type, by its suffix."""
    folder = tmp_path_factory.mktemp("media")
    picture = Image.effect_noise((48, 32), 50).convert("RGB")
    for suffix in (".png", ".jpg", ".gif", ".webp", ".bmp", ".tiff"):
        picture.save(folder / f"a{suffix}")
    wave = np.sin(np.arange(8000) / 20).astype(np.float32)
    for suffix in (".wav", ".flac", ".ogg", ".mp3"):
        soundfile.write(folder / f"a{suffix}", wave, 16_000)
    with av.open(str(folder / "a.mp4"), "w") as container:
        stream = container.add_stream("libx264", rate=8)
        stream.width, stream.height, stream.pix_fmt = 64, 64, "yuv420p"
        for shade in range(8):
            frame = av.VideoFrame.from_ndarray(np.full((64, 64, 3), 30 * shade, np.uint8))
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return {path.suffix: path.read_bytes() for path in folder.iterdir()}


@pytest.fixture(scope="module")
def readers() -> dict[str, Callable[[Path], object]]:
    """What reads a medium, by modality."""
    target = ModelTarget.find("qwen2_vl", modality="video")
    _, processor = target.adapter.load(target.checkpoint, dtype=None, device="meta")
    adapters = {name: loader.get_adapter(*names)[1] for name, names in ADAPTERS.items()}
    return {name: lambda path, a=adapter: a.read_media(path, processor) for name, adapter in adapters.items()}


ADAPTERS = {"image": ("llava",), "video": ("qwen2_vl", "video"), "audio": ("qwen2_audio",)}
MODALITIES = {".mp4": "video", **dict.fromkeys((".wav", ".flac", ".ogg", ".mp3"), "audio")}


@with_seeds
def test_media(
    seed: int, tmp_path: Path, media: dict[str, bytes], readers: dict[str, Callable[[Path], object]]
) -> None:
    random = Random(seed)
    suffix = random.choice(sorted(media))
    modality = MODALITIES.get(suffix, "image")
    path = tmp_path / f"a{suffix}"
    path.write_bytes(damage_file(media[suffix], suffix, random))
    medium = read_or_refuse(partial(readers[modality], path))
    read_or_refuse(partial(check_medium, path, modality))
    count(f"media{suffix}", refused=isinstance(medium, SeaError))
