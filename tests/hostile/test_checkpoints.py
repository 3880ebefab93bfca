"""Checkpoints and LoRA adapters of somebody else: nothing in their files becomes code, a download or another file."""

from __future__ import annotations

import io
import json
import pickle
from collections.abc import Callable
from pathlib import Path

import pytest

from helpers.cli_runs import QUICK, write_demo_examples
from helpers.hostile import Canary, Pickled, edit_json, open_hostile, refused


def auto_map(file: str, **classes: str) -> Callable[[Path, Canary], None]:
    """Let a configuration name classes in a Python file of the checkpoint."""

    def change(folder: Path, canary: Canary) -> None:
        (folder / "evil.py").write_text(canary.code + "class Evil: ...\n")
        if not (folder / file).is_file():
            (folder / file).write_text("{}")
        edit_json(folder / file, lambda config: config.update(auto_map=classes, model_type="evil"))

    return change


def kernel(folder: Path, canary: Canary) -> None:
    edit_json(folder / "config.json", lambda config: config.update(attn_implementation="evil/kernel"))


def inner_kernel(folder: Path, canary: Canary) -> None:
    edit_json(folder / "config.json", lambda c: c["text_config"].update(_attn_implementation_internal="evil/kernel:x"))


def index_elsewhere(folder: Path, canary: Canary) -> None:
    (folder / "model.safetensors").rename(canary.secret.with_name("weights.safetensors"))
    index = {"metadata": {}, "weight_map": {"lm_head.weight": "../outside/weights.safetensors"}}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index))


def pickle_alone(folder: Path, canary: Canary) -> None:
    (folder / "model.safetensors").unlink()
    (folder / "pytorch_model.bin").write_bytes(pickle.dumps(Pickled(canary.path)))


def link(name: str) -> Callable[[Path, Canary], None]:
    def change(folder: Path, canary: Canary) -> None:
        (folder / name).unlink(missing_ok=True)
        (folder / name).symlink_to(canary.secret)

    return change


def base_elsewhere(folder: Path, canary: Canary) -> None:
    config = {"peft_type": "LORA", "base_model_name_or_path": "evil/model", "auto_mapping": {"parent_library": "evil"}}
    (folder / "adapter_config.json").write_text(json.dumps(config))


def template(text: str) -> Callable[[Path, Canary], None]:
    return lambda folder, canary: (folder / "chat_template.jinja").write_text(text) and None


REFUSED: dict[str, Callable[[Path, Canary], None]] = {
    "code in config": auto_map("config.json", AutoConfig="evil.Evil", AutoModel="evil.Evil"),
    "kernel": kernel,
    "inner kernel": inner_kernel,
    "index": index_elsewhere,
    "pickle": pickle_alone,
    "link to a template": link("chat_template.jinja"),
    "link to a licence": link("LICENSE"),
    "base elsewhere": base_elsewhere,
    "template with Python": template("{{ ''.__class__.__mro__[1].__subclasses__() }}"),
    "template that raises": template("{{ raise_exception('no\x1b[31m') }}"),
    "template that is broken": template("{% for x in %}"),
}
READ: dict[str, Callable[[Path, Canary], None]] = {
    "code in the processor": auto_map("processor_config.json", AutoProcessor="evil.Evil"),
    "code in the tokenizer": auto_map("tokenizer_config.json", AutoTokenizer="evil.Evil"),
    "code in the preprocessor": auto_map("preprocessor_config.json", AutoFeatureExtractor="evil.Evil"),
    "code on the hub": auto_map("processor_config.json", AutoProcessor="evil/repository--evil.Evil"),
}


@pytest.fixture
def examples(tmp_path: Path) -> Path:
    return write_demo_examples(tmp_path / "rows.jsonl", 1)


def optimize(examples: Path, checkpoint: Path) -> tuple[object, ...]:
    out = checkpoint.parent / "run"
    return (
        "optimize",
        examples,
        "--plugin",
        "qwen2_audio",
        "--model",
        checkpoint,
        "--out",
        out,
        *QUICK,
        "-o",
        "steps=1",
    )


@pytest.mark.parametrize("name", REFUSED)
def test_a_hostile_checkpoint_is_refused_in_words(
    name: str, checkpoint: Path, examples: Path, canary: Canary, monkeypatch: pytest.MonkeyPatch
) -> None:
    REFUSED[name](checkpoint, canary)
    monkeypatch.setattr("sys.stdin", io.StringIO("y\n" * 9))
    refused(canary, *optimize(examples, checkpoint))


@pytest.mark.parametrize("name", READ)
def test_code_beside_a_known_class_is_not_run_and_nobody_is_asked(
    name: str, checkpoint: Path, examples: Path, canary: Canary, monkeypatch: pytest.MonkeyPatch
) -> None:
    READ[name](checkpoint, canary)
    answers = io.StringIO("y\n" * 9)
    monkeypatch.setattr("sys.stdin", answers)
    result = open_hostile(canary, *optimize(examples, checkpoint))
    assert result.code in (0, 1, 2), result.err
    assert answers.tell() == 0, "a question was asked"


def test_pickles_beside_safetensors_are_not_opened(checkpoint: Path, examples: Path, canary: Canary) -> None:
    for name in ("pytorch_model.bin", "model.pt", "training_args.bin", "adapter_model.bin", "optimizer.pt"):
        (checkpoint / name).write_bytes(pickle.dumps(Pickled(canary.path)))
    assert open_hostile(canary, *optimize(examples, checkpoint)).code in (0, 1)
