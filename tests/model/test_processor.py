"""The processor of any family: media reach the model, and a part whose library is not installed only says so."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers.utils import is_torchvision_available

from helpers.families import FAMILIES, write_checkpoint
from helpers.families.media import answer, ask, make_medium
from sea_core.errors import ModelError
from sea_core.model.checkpoint import load_transformers
from sea_core.model.processor import AbsentPart, load_processor

needs_absence = pytest.mark.skipif(is_torchvision_available(), reason="torchvision is installed")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Write the checkpoint of a family, once."""
    root = tmp_path_factory.mktemp("families")

    def write(name: str) -> Path:
        if not (root / name).is_dir():
            write_checkpoint(name, root / name)
        return root / name

    return write


@pytest.mark.parametrize("name", FAMILIES)
def test_a_medium_reaches_the_model(name: str, folder: Callable[[str], Path]) -> None:
    family = FAMILIES[name]
    model, processor = load_transformers(
        str(folder(name)), [family.model], dtype=torch.float32, device="cpu", revision=None
    )
    if family.needs and not find_spec(family.needs):
        with pytest.raises(ModelError, match=f"needs {family.needs}.*\n.*pip install {family.needs}"):
            ask(family, processor, family.media[0], make_medium(family.media[0], None))
        return
    for modality in family.media:
        blank, noise = (
            answer(model.eval(), ask(family, processor, modality, make_medium(modality, seed))) for seed in (None, 0)
        )
        assert torch.isfinite(torch.stack([blank[:, -1], noise[:, -1]])).all()
        assert (blank[:, -1] - noise[:, -1]).abs().max() > 1e-3, modality


@pytest.mark.parametrize("name", FAMILIES)
def test_a_saved_processor_is_the_same(name: str, folder: Callable[[str], Path], tmp_path: Path) -> None:
    first = load_processor(str(folder(name)), None)
    first.save_pretrained(tmp_path)
    second = load_processor(str(tmp_path), None)
    assert second.to_dict() == first.to_dict()
    assert second.chat_template == first.chat_template
    assert second.tokenizer.get_vocab() == first.tokenizer.get_vocab()


@needs_absence
def test_an_absent_part_says_what_to_install_only_when_it_is_used(folder: Callable[[str], Path]) -> None:
    processor = load_processor(str(folder("qwen3_vl")), None)
    videos = processor.video_processor
    assert isinstance(videos, AbsentPart)
    assert videos.patch_size == 16, "its settings can be read"
    assert not hasattr(videos, "no_such_setting")
    for use in (
        lambda: videos.no_such_setting,
        lambda: ask(FAMILIES["qwen3_vl"], processor, "video", make_medium("video", None)),
    ):
        with pytest.raises(ModelError, match=r"video processor needs torchvision.*\n.*pip install torchvision"):
            use()


@needs_absence
def test_the_settings_of_an_absent_part_are_never_lost(folder: Callable[[str], Path], tmp_path: Path) -> None:
    """Older checkpoints have them in a file of their own, newer ones in that of the processor."""
    copy = Path(shutil.copytree(folder("qwen3_vl"), tmp_path / "old"))
    file = copy / "processor_config.json"
    settings = json.loads(file.read_text())
    videos = settings.pop("video_processor") | {"fps": 7, "a_key_of_tomorrow": [1, 2]}
    file.write_text(json.dumps(settings))
    (copy / "video_preprocessor_config.json").write_text(json.dumps(videos))
    load_processor(str(copy), None).save_pretrained(tmp_path / "new")
    assert json.loads((tmp_path / "new/processor_config.json").read_text())["video_processor"] == videos
    assert load_processor(str(tmp_path / "new"), None).video_processor.fps == 7


def change(file: str, **entries: Any) -> Callable[[Path], None]:
    def edit(folder: Path) -> None:
        path = folder / file
        settings = json.loads(path.read_text()) if path.is_file() else {}
        path.write_text(json.dumps(settings | entries))

    return edit


def without_processor(folder: Path) -> None:
    (folder / "processor_config.json").unlink()
    for file in ("tokenizer_config.json", "config.json"):
        settings = json.loads((folder / file).read_text())
        settings.pop("processor_class", None)
        (folder / file).write_text(json.dumps(settings | {"model_type": "llama"}))


def remote(folder: Path) -> None:
    without_processor(folder)
    code = {"AutoProcessor": "processing.Own", "AutoTokenizer": ["processing.Own", None]}
    change("processor_config.json", processor_class="OwnProcessor", auto_map=code)(folder)


def without_name(folder: Path) -> None:
    """The model's configuration is read where the processor's files do not name its class."""
    for file in ("processor_config.json", "tokenizer_config.json"):
        change(file, processor_class=None)(folder)
    change("config.json", image_seq_length="many")(folder)


def with_sentencepiece(folder: Path) -> None:
    (folder / "tokenizer.json").unlink()
    (folder / "tokenizer.model").write_bytes(b"\x0a\x10abc")


SMOL = {"video_processor_type": "SmolVLMVideoProcessor"}
BAD: dict[str, tuple[Callable[[Path], None], str]] = {
    "no processor": (without_processor, "has no processor that transformers knows"),
    "code of its own": (remote, "code of its own, which SEA does not run"),
    "a tokenizer's library": (with_sentencepiece, "needs tiktoken, which is not installed"),
    "another library": (
        change("processor_config.json", processor_class="SmolVLMProcessor", video_processor=SMOL),
        "needs num2words",
    ),
    "another model": (
        change("processor_config.json", audio_tokenizer={"audio_tokenizer_name_or_path": "a/b"}),
        "names another model",
    ),
    "a part of another type": (change("processor_config.json", image_processor=[1]), "image_processor: expected"),
    "a size of another type": (
        change("processor_config.json", image_processor={"size": "large", "image_processor_type": 5}),
        "cannot be loaded",
    ),
    "a configuration of another type": (without_name, "cannot be loaded"),
    "no JSON": (lambda folder: (folder / "processor_config.json").write_text("{") and None, "not valid JSON"),
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_processor_is_refused_in_words(name: str, folder: Callable[[str], Path], tmp_path: Path) -> None:
    damage, words = BAD[name]
    copy = Path(shutil.copytree(folder("llava"), tmp_path / "model"))
    damage(copy)
    with pytest.raises(ModelError) as error:
        load_processor(str(copy), None)
    assert words in error.value.what, str(error.value)
    assert error.value.hint


@pytest.mark.skipif(find_spec("timm") is not None, reason="timm is installed")
def test_a_model_that_needs_another_library_is_refused_in_words(tmp_path: Path) -> None:
    architecture = "Gemma3nForConditionalGeneration"
    (tmp_path / "config.json").write_text(json.dumps({"architectures": [architecture], "model_type": "gemma3n"}))
    with pytest.raises(ModelError, match=r"needs timm.*\n.*pip install timm"):
        load_transformers(str(tmp_path), [architecture], dtype=torch.float32, device="meta", revision=None)
