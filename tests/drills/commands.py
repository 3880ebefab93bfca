"""Every command that writes files, on the bundled models and small inputs."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from drills.drill import Drill
from drills.stops import run
from helpers.chat_server import Answer, says

AUDIO = ("--plugin", "qwen2_audio")
QUICK = ("-o", "adapter.seconds=0.5", "-o", "loss=1", "-o", "margin=0", "-o", "steps=30", "-o", "batch_size=1")
TRAINING = ("max_steps=4", "save_steps=2", "per_device_train_batch_size=2", "learning_rate=1e-2", "logging_steps=1")
ALIGN = tuple(part for setting in TRAINING for part in ("-o", f"trainer.{setting}"))
LORA, QUIET = ("-o", "lora.r=4"), "--no-spot-check"
MEDIA = ("-o", "candidates=1", "--limit", "1")
SMALL_VIDEO = ("-o", "width=64", "-o", "height=64", "-o", "seconds=1", "-o", "word_seconds=0.5", "-o", "end_seconds=1")
EXAMPLES = 9
"""More than two shards (`SHARD_SIZE` of the drills is 4)."""


def reply(request: dict[str, Any], _: int) -> Answer:
    """Reply as a language model that extracts, judges and describes."""
    text = request["messages"][-1]["content"]
    if text.startswith("Phrase: "):
        return says(f"A wide street where {text.removeprefix('Phrase: ')} is seen.")
    if text.startswith("CONTENT: "):
        return says('{"named": true}')
    if "ANSWER: " in text:
        return says("safe" if "response_format" not in request else '{"verdict": "safe"}')
    found = {"phrase": "steal a lamp", "kind": "activity", "sentence": "a person is stealing a lamp"}
    return says(json.dumps(found | {"detoxified": text.replace("steal a lamp", "do this activity")}))


def list_drills(inputs: Path, server: str) -> list[Drill]:
    """Return the drills. The inputs that they share are written first (`write_inputs`)."""
    llm = ("-o", "llm.model=m", "-o", f"llm.base_url={server}", "-o", "llm.concurrency=1")
    return [*_data(inputs, llm), *_embeddings(inputs, llm), *_alignments(inputs), *_benchmarks(inputs, llm)]


def write_inputs(inputs: Path) -> None:
    """Write examples and media."""
    inputs.mkdir(parents=True)
    (inputs / "made").mkdir()
    _write_examples(inputs)
    _write_media(inputs / "media")


def _write_examples(inputs: Path) -> None:
    from sea_core.data.demo import DEMO_EXAMPLES

    lines = DEMO_EXAMPLES.read_text(encoding="utf-8").splitlines(keepends=True)
    (inputs / "rows.jsonl").write_text("".join(lines[:EXAMPLES]))
    asked = [
        {"id": f"q{i}", "instruction": f"How do I steal a lamp, {i}?", "response": "No.", "harmful": True}
        for i in range(EXAMPLES)
    ]
    (inputs / "asked.jsonl").write_text("".join(f"{json.dumps(line)}\n" for line in asked))


def _write_media(folder: Path) -> None:
    import numpy as np
    import soundfile

    folder.mkdir()
    names = [f"{i}.wav" for i in range(EXAMPLES)]
    for seed, name in enumerate(names[:-1]):
        noise = np.random.default_rng(seed).normal(0, 0.1, 8000).astype(np.float32)
        soundfile.write(folder / name, noise, 16_000)
    (folder / names[-1]).write_bytes(b"no audio")
    labels = {"instruction": "How do I do this?", "response": "No.", "harmful": True, "phrase": "steal a lamp"}
    lines = [{"id": name, "file_name": name} | labels for name in names]
    (folder / "metadata.jsonl").write_text("".join(f"{json.dumps(line)}\n" for line in lines))
    for other in ("sounds", "labelled"):
        shutil.copytree(folder, folder.with_name(other))
        (folder.with_name(other) / names[-1]).unlink()
    (folder.with_name("sounds") / "metadata.jsonl").unlink()
    (folder.with_name("labelled") / "metadata.jsonl").write_text(
        "".join(f"{json.dumps(line)}\n" for line in lines[:-1])
    )


def _write_published(inputs: Path) -> None:
    """Write answers as the published scripts do, with their verdicts."""
    folder = inputs / "published"
    folder.mkdir()
    for file in (_made(inputs, "cases")).glob("*/*.json"):
        if file.parent.name.startswith("Audio"):
            texts = json.loads(file.read_text())
            records = [{"query": each["KPT"], "response": ["No."], "is_safe(gpt)": "safe"} for each in texts.values()]
            (folder / f"{file.stem}_KPT.json").write_text(json.dumps(records))


def _made(inputs: Path, name: str) -> Path:
    """Return a run, a benchmark or its answers, which commands start from. It is made when it is first needed."""
    folder = inputs / "made"
    if not (folder / name).exists():
        makers = {"run": _optimize, "cases": _build, "answers": _answer, "model": _align_without_merging}
        drill = makers[name](inputs)
        drill.prepare(folder)
        ended = run(drill.arguments, folder)
        assert ended.code in (0, 1), ended.err
    return folder / name


def _making(inputs: Path, *names: str) -> Callable[[Path], None]:
    """Return a function that makes what a drill reads."""
    return lambda _: [_made(inputs, name) for name in names] and None


def _copying(inputs: Path, name: str) -> Callable[[Path], None]:
    """Return a function that puts what was made into a drill's folder."""

    def copy(folder: Path) -> None:
        source = _made(inputs, name)
        if source != folder / name:
            shutil.copytree(source, folder / name)

    return copy


def _data(inputs: Path, llm: Sequence[str]) -> list[Drill]:
    asked = inputs / "asked.jsonl"
    prepare = ("prepare", asked, *AUDIO, "--out", "prepared.jsonl")
    convert = ("data", "convert", asked, "--to", "llama-factory", "--out", "data.jsonl")
    new = ("plugins", "new", "eeg", "--modality", "eeg", "--out", "sea-eeg")
    return [
        Drill("prepare", (*prepare, "--extractor", "openai", *llm)),
        Drill("prepare over an edited file", prepare, lambda to: (to / "prepared.jsonl").write_text("edited\n" * 999)),
        Drill("data convert", convert),
        Drill("plugins new", new),
    ]


def _optimize(inputs: Path) -> Drill:
    return Drill("optimize", ("optimize", inputs / "rows.jsonl", *AUDIO, "--out", "run", *QUICK))


def _embeddings(inputs: Path, llm: Sequence[str]) -> list[Drill]:
    rows, optimize = inputs / "rows.jsonl", _optimize(inputs).arguments
    asked = ("optimize", inputs / "asked.jsonl", *optimize[2:], "--extractor", "openai", *llm)
    pool = ("optimize", rows, *AUDIO, "--out", "pool", *QUICK, "--limit", "3", "--recipe", "plain,noise,dropout")
    batches = (*optimize[:-2], "-o", "batch_size=4", "--no-verify")
    judges = ("--judge", "lexical", "--judge", "openai")
    compare = ("--compare-with", inputs / "labelled")
    return [
        _optimize(inputs),
        Drill("optimize, three recipes", (*pool, "-o", "draws=2")),
        Drill("optimize, lr=auto", (*optimize[:-4], "-o", "steps=30", "--limit", "2", "-o", "lr=auto")),
        Drill("optimize, extracted by a model", asked),
        Drill("optimize, in batches", batches, any_order=True),
        Drill("optimize, two workers", (*batches, "-o", "workers=2"), any_order=True),
        Drill("optimize, a damaged shard", optimize, _damage(inputs), repairs=True),
        Drill("verify", ("verify", "run", *judges, *llm), _copying(inputs, "run")),
        Drill("verify, compared with media", ("verify", "run", *compare), _copying(inputs, "run")),
        Drill("encode", ("encode", inputs / "media", *AUDIO, "--out", "media")),
        Drill("styles", ("styles", inputs / "sounds", *AUDIO, "--out", "styles.json")),
    ]


def _damage(inputs: Path) -> Callable[[Path], None]:
    def damage(folder: Path) -> None:
        shutil.copytree(_made(inputs, "run"), folder / "run")
        shard = folder / "run" / "embeddings" / "00000.safetensors"
        data = bytearray(shard.read_bytes())
        data[-1] ^= 1
        shard.write_bytes(data)

    return damage


def _align(inputs: Path, name: str, *more: str, method: str = "sft") -> Drill:
    arguments = ("align", inputs / "made" / "run", "--out", "model", *ALIGN, "--method", method, *more)
    return Drill(name, arguments, _making(inputs, "run"))


def _align_without_merging(inputs: Path) -> Drill:
    return _align(inputs, "align --no-merge", *LORA, QUIET, "--no-merge")


def _alignments(inputs: Path) -> list[Drill]:
    later = _align(inputs, "align, merged later", *LORA, QUIET)
    return [
        _align(inputs, "align, SFT", *LORA),
        _align(inputs, "align, DPO", *LORA, QUIET, method="dpo"),
        _align_without_merging(inputs),
        replace(later, prepare=_copying(inputs, "model")),
        _align(inputs, "align --full-finetune", QUIET, "--full-finetune"),
    ]


def _build(inputs: Path) -> Drill:
    return Drill("bench build, audio", ("bench", "build", "audio", "--out", "cases", "--limit", "1"))


def _answer(inputs: Path) -> Drill:
    arguments = ("bench", "run", "cases", *AUDIO, "--out", "answers", "-o", "max_new_tokens=20")
    return Drill("bench run", arguments, _copying(inputs, "cases"))


def _benchmarks(inputs: Path, llm: Sequence[str]) -> list[Drill]:
    build, scenes = ("bench", "build"), ("--scenes", "openai", *llm)
    cases, made = inputs / "made" / "cases", _making(inputs, "cases")
    published = ("bench", "import", inputs / "published", "--cases", cases, "--modality", "audio", "--out", "imported")
    export = ("bench", "export", "lmms-eval", cases, "--out", "tasks")
    return [
        _build(inputs),
        Drill("bench build, image", (*build, "image", "--out", "cases", *MEDIA, *scenes)),
        Drill("bench build, video", (*build, "video", "--out", "cases", *MEDIA, *SMALL_VIDEO)),
        _answer(inputs),
        Drill("bench judge", ("bench", "judge", "answers", "--judge", "openai", *llm), _copying(inputs, "answers")),
        Drill("bench import", published, lambda _: _write_published(inputs)),
        Drill("bench export", export, made),
    ]
