"""The student of an image and an audio in one prompt, and the model that it trained."""

from __future__ import annotations

import random

import pytest
import torch

from sea_auto.adapter import STYLES
from sea_auto.joint import ImageAudioAutoAdapter
from sea_core.errors import SeaError
from sea_core.model.mllm import MLLM
from sea_toy.evaluation import evaluate
from sea_toy.omni.blueprints import BLUEPRINTS
from sea_toy.omni.tiny import JointStudent, MediaCase, OmniAudioStudent, OmniImageStudent, TinyOmniStudent, share
from sea_toy.student import Student
from sea_toy.world import ToyWorld, fragments, phrases

CASES: tuple[MediaCase, ...] = ("both", "split", "image", "audio")
CHECKPOINT = ImageAudioAutoAdapter.checkpoint


@pytest.fixture(scope="module")
def mllm() -> MLLM:
    adapter = JointStudent.adapter.fitted(CHECKPOINT, dtype=torch.float32, device="cpu")
    return MLLM(adapter, *adapter.load(CHECKPOINT, dtype=torch.float32, device="cpu"))


def through(student: Student, mllm: MLLM) -> MLLM:
    adapter = student.adapter.fitted(CHECKPOINT, dtype=torch.float32, device="cpu")
    return MLLM(adapter, mllm.model, mllm.processor)


def test_blueprint() -> None:
    assert [(blueprint.name, blueprint.plugin, blueprint.modality) for blueprint in BLUEPRINTS] == [
        ("tiny", "auto", "image+audio")
    ]


@pytest.mark.parametrize("student", [OmniImageStudent(), OmniAudioStudent()], ids=lambda s: s.adapter.modality)
def test_batched_encoder_is_the_models_own(mllm: MLLM, student: Student) -> None:
    own, rng = through(student, mllm), random.Random(0)
    media = [student.render("steal a lamp", student.styles[0], rng), student.render_blank(rng)]
    with torch.no_grad():
        encoded, lengths = student.encode(own, student.encoder_inputs(own, media))
    expected = own.encode(media)
    assert [len(each) for each in expected] == lengths.tolist()
    assert [each.grid for each in expected] == student.grids({}, 2)
    for e, known in zip(encoded, expected, strict=True):
        assert torch.allclose(e, known.features, atol=1e-3)


def test_what_training_joins_is_what_the_model_makes_of_both(mllm: MLLM) -> None:
    """E of the two alone, one below the other, is E of the pair but for the scale of each."""
    rng = random.Random(0)
    pair = JointStudent().render("steal a lamp", "painted", rng)
    (joined,) = mllm.encode([pair])
    image, audio = (
        through(student, mllm).encode([medium])[0]
        for student, medium in zip((OmniImageStudent(), OmniAudioStudent()), pair, strict=True)
    )
    assert joined.grid == (*image.grid, *audio.grid)
    ratio = torch.linalg.norm(audio.features) / torch.linalg.norm(joined.features[len(image) :])
    assert torch.allclose(joined.features[: len(image)], image.features, atol=1e-5)
    assert torch.allclose(joined.features[len(image) :] * ratio, audio.features, atol=1e-4)
    assert torch.log2(ratio).item() == pytest.approx(round(torch.log2(ratio).item()), abs=1e-4)


def test_cases() -> None:
    rng = random.Random(0)
    phrase = next(each for each in phrases() if each.text == "steal a lamp")
    assert share(phrase, "both", rng) == (phrase, phrase)
    assert share(phrase, "image", rng) == (phrase, None)
    assert share(phrase, "audio", rng) == (None, phrase)
    assert share(phrase, "blank", rng) == (None, None)
    split = [share(phrase, "split", rng) for _ in range(20)]
    assert {tuple(part.text for part in parts if part) for parts in split} == {("steal", "a lamp"), ("a lamp", "steal")}
    assert len(fragments()) == 22


def test_each_word_of_all_modalities_is_one_token(mllm: MLLM) -> None:
    for student in TinyOmniStudent().all_modalities:
        for sentence in list(ToyWorld(student.adapter).corpus())[:100]:
            words = sentence.count(" ") + 1 + sum(sentence.count(mark) for mark in ".,?:")
            assert len(mllm.tokenizer(sentence)["input_ids"]) == words, sentence


@pytest.mark.parametrize("case", CASES)
def test_bundled_model_reads_both_media(mllm: MLLM, case: MediaCase) -> None:
    student = JointStudent(case)
    assert student.styles == STYLES["audio" if case == "audio" else "image"]
    metrics = evaluate(student, mllm, per_skill=10, seed=99)
    least = 0.5 if case == "split" else 0.75  # of 10; .8 and more than .9 of 100
    assert min(metrics[skill] for skill in ("content", "verify", "style", "blank")) >= least, metrics


def test_no_medium_is_rendered_for_a_modality_that_the_model_has_not() -> None:
    (blueprint,) = BLUEPRINTS
    assert blueprint.render is not None
    picture = blueprint.render("image", "steal a lamp", "painted", random.Random(0))
    assert picture.size == (84, 84)
    with pytest.raises(SeaError, match="no video for the plugin auto"):
        blueprint.render("video", "steal a lamp", "painted", random.Random(0))
