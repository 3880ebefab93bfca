"""The steps of the LLaVA blueprints on a few renderings: the result loads, and is of the family's class."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from transformers import AutoModelForImageTextToText, LlamaConfig, LlamaForCausalLM

from sea_core.model.embedding import Embedding
from sea_core.model.mllm import MLLM
from sea_core.model.proof import check_seam
from sea_toy import build, pictures
from sea_toy.graft import GraftConfig, graft
from sea_toy.llava.blueprints import BLUEPRINTS
from sea_toy.llava.small import SmallLlavaStudent
from sea_toy.llava.tiny import TinyLlavaStudent
from sea_toy.student import TrainConfig
from sea_toy.tokenizer import train_tokenizer
from sea_toy.world import SKILLS, ToyWorld

QUICK = TrainConfig(renderings=1, encoder_steps=2, encoder_batch=4, language_steps=2, media_batch=4, text_batch=2)


def test_styles_of_adapter_and_pictures_agree() -> None:
    assert TinyLlavaStudent.adapter.styles == pictures.STYLES


def test_blueprints() -> None:
    assert [(blueprint.name, blueprint.modality) for blueprint in BLUEPRINTS] == [
        ("tiny", "image"),
        ("small", "image"),
        ("tiny-zh", "image"),
    ]


def test_student_encodes_like_the_model(mllm: MLLM, media: Path) -> None:
    images = [mllm.adapter.read_media(path, mllm.processor) for path in sorted(media.glob("*.png"))]
    student = TinyLlavaStudent()
    encoded, n_features = student.encode(mllm, student.encoder_inputs(mllm, images))
    assert n_features.tolist() == [25] * len(images)
    assert torch.equal(encoded, torch.stack([e.features for e in mllm.encode(images)]))


class QuickStudent(TinyLlavaStudent):
    config = QUICK


def test_training_a_tokenizer_prints_nothing(capfd: pytest.CaptureFixture[str]) -> None:
    """`sea toy build --json` prints one JSON value. The tokenizers library prints from Rust."""
    train_tokenizer(["steal a lamp"], ["<end>"], end="<end>", pad="<end>")
    assert capfd.readouterr() == ("", "")


def test_tiny_model_is_trained_and_saved(tmp_path: Path) -> None:
    progress: list[str] = []
    build.build_tiny(QuickStudent(), tmp_path, 0, progress.append)
    assert "644 renderings of 104 phrases" in progress[0]
    assert {path.stat().st_mode & 0o777 for path in tmp_path.iterdir()} == {0o644}
    card = json.loads((tmp_path / "sea.json").read_text())
    assert card["blueprint"] == "tiny"
    assert "sea toy build small --plugin llava" in card["limits"]
    metrics = build.check(QuickStudent(), tmp_path, 1, per_skill=2)
    assert set(metrics) == {*SKILLS, "blank", "text"}
    AutoModelForImageTextToText.from_pretrained(tmp_path)


@pytest.mark.filterwarnings("ignore:`is_gradient_checkpointing` is deprecated:FutureWarning")  # peft asks for it
def test_small_model_is_built_around_a_language_model(tmp_path: Path) -> None:
    student = SmallLlavaStudent()
    special = ("<|endoftext|>", "<|im_start|>", "<|im_end|>")
    tokenizer = train_tokenizer(ToyWorld(student.adapter).corpus(), special, end="<|im_end|>", pad="<|im_end|>")
    config = LlamaConfig(
        hidden_size=32,
        num_hidden_layers=1,
        num_attention_heads=2,
        num_key_value_heads=1,
        intermediate_size=32,
        vocab_size=len(tokenizer),
        tie_word_embeddings=True,
    )
    mllm = student.build_around(LlamaForCausalLM(config), tokenizer)
    graft(student, mllm, 0, QUICK, GraftConfig(2, 4, 2, 2, 1, 2), lambda _: None)
    build.save(mllm, tmp_path)
    loaded = MLLM(student.adapter, *student.adapter.load(str(tmp_path), dtype=torch.float32, device="cpu"))
    check_seam(loaded)
    expected = "<|im_start|>user\n<image>\nHm?<|im_end|>\n<|im_start|>assistant\n"
    assert loaded.tokenizer.decode(loaded.prompt_ids("Hm?", Embedding.of_size(1))) == expected
