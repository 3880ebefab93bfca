"""`sea modalities --model`: what a model can be optimised for; bad inputs are refused in one sentence."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from helpers.cli import expect_error, sea
from sea_llava.adapter import LlavaAdapter


def test_each_modality_is_carried_or_refused_with_the_reason(checkpoint: Any) -> None:
    found = sea("modalities", "--model", checkpoint("qwen3_vl"), "--json").json()
    image = next(carried for carried in found["carried"] if carried["modality"] == "image")
    assert image["plugin"] == "auto"
    assert image["mechanism"] == "replay"
    assert image["seam"][0] == "model.visual.merger (input)"
    assert (image["placeholder"], image["end_token"], image["embedding"]) == ("<|image_pad|>", "<|im_end|>", "36 x 96")
    assert image["prefixes"]["activity"] == "The image shows that"
    refused = {each["modality"]: each for each in found["refused"]}
    assert refused["audio"]["reason"] == "this checkpoint's processor reads no audio"
    assert all(each["hint"] for each in refused.values())


def test_a_written_plugin_for_the_class_is_named_too() -> None:
    found = sea("modalities", "--model", LlavaAdapter.checkpoint, "--modality", "image", "--json").json()
    assert [(each["plugin"], each["mechanism"]) for each in found["carried"]] == [
        ("auto", "splice"),
        ("llava", "splice"),
    ]
    done = sea("modalities", "--model", LlavaAdapter.checkpoint, "--plugin", "llava")
    assert "multi_modal_projector (input)" in done.out
    assert f"--plugin llava --modality image --model {LlavaAdapter.checkpoint}" in done.err


def test_a_modality_that_is_not_carried_alone_is_an_error(checkpoint: Any) -> None:
    message = expect_error("modalities", "--model", checkpoint("qwen3_vl"), "--modality", "audio", "--plugin", "auto")
    assert "reads no audio" in message


@pytest.mark.parametrize("option", [("--ask",), ("--media", "."), ("--modality", "image"), ("--plugin", "auto")])
def test_an_option_about_a_model_needs_one(option: tuple[str, ...]) -> None:
    assert "Add --model" in expect_error("modalities", *option)


# --- bad inputs -------------------------------------------------------------------------------------------------------

AUTO = ("optimize", "--plugin", "auto", "--modality", "image")


@pytest.fixture
def copy(checkpoint: Any, tmp_path: Path) -> Path:
    """A copy of a tiny checkpoint, to change."""
    return Path(shutil.copytree(checkpoint("qwen3_vl"), tmp_path / "model"))


def edit(path: Path, **entries: Any) -> None:
    settings = json.loads(path.read_text()) | entries
    path.write_text(json.dumps({key: value for key, value in settings.items() if value is not None}))


def test_no_model() -> None:
    message = expect_error(*AUTO)
    assert "the plugin auto has no model of its own" in message
    assert "--model FOLDER_OR_HUB_ID" in message


def test_a_class_that_transformers_does_not_have(copy: Path) -> None:
    edit(copy / "config.json", architectures=["NoseForConditionalGeneration"])
    message = expect_error(*AUTO, "--model", copy)
    assert "is a NoseForConditionalGeneration, which transformers" in message
    assert "Upgrade transformers, or give another model." in message


def test_a_model_with_code_of_its_own(copy: Path) -> None:
    edit(
        copy / "config.json", architectures=["NoseForCausalLM"], auto_map={"AutoModel": "modeling_nose.NoseForCausalLM"}
    )
    message = expect_error(*AUTO, "--model", copy)
    assert "whose code comes with the checkpoint, and SEA runs no such code" in message
    assert "-hf" in message


def test_a_text_model(copy: Path) -> None:
    from transformers import AutoTokenizer, Qwen2Config, Qwen2ForCausalLM

    folder = copy.with_name("text")
    AutoTokenizer.from_pretrained(copy).save_pretrained(folder)
    sizes = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "num_key_value_heads": 2}
    Qwen2ForCausalLM(Qwen2Config(vocab_size=600, intermediate_size=16, **sizes)).save_pretrained(folder)
    message = expect_error(*AUTO, "--model", folder)
    assert "reads text only" in message
    assert "Give a model that reads" in message


def test_no_chat_template(copy: Path) -> None:
    (copy / "chat_template.jinja").unlink()
    message = expect_error(*AUTO, "--model", copy)
    assert "has no chat template" in message
    assert "--chat-template" in message


def test_a_chat_template_without_a_placeholder(copy: Path) -> None:
    (copy / "chat_template.jinja").write_text(
        "{% for m in messages %}{% for c in m['content'] %}{{ c.get('text', '') }}{% endfor %}{% endfor %}"
    )
    message = expect_error(*AUTO, "--model", copy)
    assert "writes no placeholder of its tokenizer for an image" in message
    assert "--chat-template FILE" in message


def test_a_placeholder_that_the_tokenizer_does_not_know(copy: Path) -> None:
    template = copy / "chat_template.jinja"
    template.write_text(template.read_text().replace("<|image_pad|>", "<|picture_pad|>"))
    message = expect_error(*AUTO, "--model", copy)
    assert "writes no placeholder of its tokenizer for an image" in message
    assert "--chat-template FILE" in message


@pytest.mark.parametrize(
    ("family", "modality", "library"), [("llama4", "image", "torchvision"), ("granite_speech", "audio", "torchaudio")]
)
def test_a_processor_that_needs_a_library(checkpoint: Any, family: str, modality: str, library: str) -> None:
    message = expect_error("optimize", "--plugin", "auto", "--modality", modality, "--model", checkpoint(family))
    assert f"needs {library}, which is not installed\n  Type: pip install {library}" in message


def test_a_modality_that_the_model_lacks(checkpoint: Any) -> None:
    message = expect_error(
        "optimize", "--plugin", "auto", "--modality", "image", "--model", checkpoint("audioflamingo3")
    )
    assert "takes no image" in message
    assert "another --modality" in message
