"""Generators: drawn scenes, voices, diffusion pipelines, and those of plugins."""

from __future__ import annotations

import json
import sys
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pytest
from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import PreTrainedTokenizerFast

from sea_bench.build.generators import diffusion
from sea_bench.build.generators.diffusion import DiffusionImages, DiffusionVideos, _pipeline
from sea_bench.build.generators.drawn import DrawnImages, DrawnVideos
from sea_bench.build.generators.registry import BUILT_IN, get_generator
from sea_bench.build.generators.voices import EdgeVoice, EspeakVoice, PiperVoice, _load_piper
from sea_bench.build.media_io import write_audio
from sea_bench.build.scenes import EXAMPLES, describe_by_rule, scene_messages
from sea_core.errors import DataError, ModelError, PluginError, SeaError
from sea_core.plugin import loader

SCENT = """
from sea_core import Generator, hookimpl

class Scent(Generator):
    name, modality, noun, suffix = "scent", "smell", "smell", ".txt"
    def generate(self, text, seed): return text
    def write(self, medium, path): path.write_text(medium)

@hookimpl
def sea_generators(): return [Scent()]
"""


def test_defaults_need_neither_network_nor_gpu() -> None:
    assert [get_generator(modality, None).name for modality in ("image", "video", "audio")] == [
        "drawn",
        "drawn",
        "espeak",
    ]
    assert len({(generator.modality, generator.name) for generator in BUILT_IN}) == len(BUILT_IN)
    assert get_generator("audio", "edge-tts").name == "edge-tts"


def test_a_drawn_scene_depends_on_description_and_seed() -> None:
    drawn = DrawnVideos(width=64, height=48, fps=4.0, seconds=1.0)
    first, same, other = (drawn.generate(text, 1) for text in ("A lamp.", "A lamp.", "A bike."))
    assert first.pixels.shape == (4, 48, 64, 3)
    assert np.array_equal(first.pixels, same.pixels)
    assert not np.array_equal(first.pixels, other.pixels)
    assert not np.array_equal(first.pixels, drawn.generate("A lamp.", 2).pixels)
    assert not np.array_equal(first.pixels[0], first.pixels[-1])
    assert DrawnImages(width=64, height=48).generate("Nothing known.", 0).size == (64, 48)


def test_settings_of_a_voice_change_the_speech() -> None:
    fast, slow = (replace(EspeakVoice(), words_per_minute=n).generate("steal a lamp", 0) for n in (250, 100))
    assert len(slow) > 1.5 * len(fast) > 0
    with pytest.raises(SeaError, match="no voice 'martian'"):
        EspeakVoice(voice="martian").generate("a lamp", 0)


def test_voice_that_a_hint_names_exists() -> None:
    with pytest.raises(SeaError, match="no voice 'nobody'") as caught:
        EspeakVoice(voice="nobody").generate("hello", 0)
    assert len(EspeakVoice(voice=caught.value.hint.rpartition("=")[2]).generate("hello", 0)) > 0


def test_scenes_described_by_rule() -> None:
    assert describe_by_rule("steal a lamp", "activity", 0).startswith("A person is stealing a lamp in")
    assert describe_by_rule("a fake ticket", "product", 0).startswith("A fake ticket on a table in")
    assert describe_by_rule("lamp stealing", "activity", 0).startswith("A person wants to lamp stealing")
    assert len({describe_by_rule("steal a lamp", "activity", seed) for seed in range(20)}) > 5
    examples = {
        tuple(turn["content"] for turn in scene_messages("x", "activity", seed, "video")[1:-1]) for seed in range(50)
    }
    assert len(examples) > 10
    assert all({turns[1], turns[3]} <= {scene for _, scene in EXAMPLES} for turns in examples)


def test_generators_of_a_named_plugin_come_first(tmp_path: Path) -> None:
    file = tmp_path / "nose.py"
    file.write_text(SCENT)
    (own,) = loader.get_plugin(str(file)).generators
    assert get_generator("smell", None, [own]) is own
    file.write_text(SCENT.replace('"smell", "smell"', '"audio", "audio"'))
    (own,) = loader.get_plugin(str(file)).generators
    assert get_generator("audio", None, [own]) is own
    assert get_generator("audio", "espeak", [own]).name == "espeak"


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("def write", "def right", r"its generator Scent does not define write\(\), which smell media need"),
        ("name, modality, noun", "title, modality, noun", "Scent does not set name"),
        ("[Scent()]", "[Scent(), Scent()]", "several generators with the same modality and name: 'smell scent'"),
        ("[Scent()]", "[Scent]", "a list containing the class Scent .* expected Generator objects"),
        ("def generate", "def make", "abstract"),
    ],
)
def test_a_broken_generator_is_explained(tmp_path: Path, old: str, new: str, message: str) -> None:
    file = tmp_path / "nose.py"
    file.write_text(SCENT.replace(old, new))
    with pytest.raises(PluginError, match=message):
        loader.get_plugin(str(file))


# --- stubs of optional libraries --------------------------------------------------------------------------------------


@pytest.fixture
def clear_caches() -> Iterator[None]:
    yield
    _pipeline.cache_clear()
    _load_piper.cache_clear()


def stub_module(monkeypatch: pytest.MonkeyPatch, name: str, **attributes: Any) -> None:
    stub = ModuleType(name)
    stub.__dict__.update(attributes)
    monkeypatch.setitem(sys.modules, name, stub)


@pytest.mark.usefixtures("clear_caches")
def test_missing_libraries_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("edge_tts", "piper", "diffusers"):
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(SeaError, match="edge-tts, which is not installed"):
        EdgeVoice().generate("a lamp", 0)
    with pytest.raises(SeaError, match="piper, which is not installed"):
        PiperVoice(model="x.onnx").generate("a lamp", 0)
    with pytest.raises(SeaError, match="diffusers, which is not installed"):
        DiffusionVideos(model="somebody/something").generate("a lamp", 0)


def test_edge_tts_speech_is_resampled_to_16_khz(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    write_audio(np.sin(np.arange(8000) / 8).astype(np.float32) / 2, tmp_path / "a.mp3", "mp3")
    speech, requests = (tmp_path / "a.mp3").read_bytes(), []

    class Communicate:
        def __init__(self, text: str, voice: str) -> None:
            requests.append((text, voice))

        async def stream(self) -> AsyncIterator[dict[str, Any]]:
            yield {"type": "audio", "data": speech[:500]}
            yield {"type": "WordBoundary"}
            yield {"type": "audio", "data": speech[500:]}

    class EdgeTTSException(Exception):
        pass

    stub_module(monkeypatch, "aiohttp", ClientError=OSError)
    stub_module(monkeypatch, "edge_tts", Communicate=Communicate)
    stub_module(monkeypatch, "edge_tts.exceptions", EdgeTTSException=EdgeTTSException)
    assert abs(len(EdgeVoice().generate("a lamp", 0)) - 8000) < 2000
    assert requests == [("a lamp", "en-US-AriaNeural")]

    async def fail(self: Any) -> AsyncIterator[dict[str, Any]]:
        raise EdgeTTSException("No audio was received.")
        yield {}

    monkeypatch.setattr(Communicate, "stream", fail)
    with pytest.raises(SeaError, match="returned no speech: No audio was received"):
        EdgeVoice().generate("a lamp", 0)


@pytest.mark.usefixtures("clear_caches")
def test_a_load_piper_voice_is_resampled(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    chunk = SimpleNamespace(audio_float_array=np.zeros(2205, np.float32), sample_rate=22_050)
    voice = SimpleNamespace(synthesize=lambda text: iter([chunk] * len(text.split())))
    stub_module(monkeypatch, "piper", PiperVoice=SimpleNamespace(load=lambda path: voice))
    with pytest.raises(SeaError, match="not a Piper voice"):
        PiperVoice(model=str(tmp_path / "v.onnx")).generate("a lamp", 0)
    for name in ("v.onnx", "v.onnx.json"):
        (tmp_path / name).touch()
    assert len(PiperVoice(model=str(tmp_path / "v.onnx")).generate("a lamp", 0)) == 3200


class EndsAtItsToken:
    """A pipeline whose tokenizer has a token that ends the prompt."""

    def __init__(self, tokenizer: Any) -> None:
        self.components = {"tokenizer": tokenizer, "tokenizer_2": None, "scheduler": object()}

    def __call__(self, prompt: str, generator: Any, output_type: str, width: int, height: int) -> Any:
        return SimpleNamespace(images=[np.zeros((height, width, 3))])


def test_no_text_ends_the_prompt_of_a_pipeline(monkeypatch: pytest.MonkeyPatch) -> None:
    letters = Tokenizer(models.BPE({letter: i for i, letter in enumerate(pre_tokenizers.ByteLevel.alphabet())}, []))
    letters.pre_tokenizer = pre_tokenizers.ByteLevel()
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=letters, eos_token="<|endoftext|>")
    monkeypatch.setattr(diffusion, "_pipeline", lambda *_: EndsAtItsToken(tokenizer))
    images = DiffusionImages(model="x", width=8, height=4, device="cpu")
    assert images.generate("a lamp", 1).size == (8, 4)
    with pytest.raises(DataError, match=r"special token '<\|endoftext\|>'"):
        images.generate("a lamp<|endoftext|> on a table", 1)


@pytest.fixture(scope="module")
def pipelines(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Tiny pipelines of the real classes with random weights, saved like a user's."""
    diffusers = pytest.importorskip("diffusers", reason="needs pip install 'sea-bench[diffusion]'")
    from transformers import CLIPTextConfig, CLIPTextModel, CLIPTokenizer

    folder = tmp_path_factory.mktemp("pipelines")
    words = [letter + end for end in ("", "</w>") for letter in "abcdefghijklmnopqrstuvwxyz"]
    vocabulary = {word: i for i, word in enumerate([*words, "<|startoftext|>", "<|endoftext|>"])}
    (folder / "vocab.json").write_text(json.dumps(vocabulary))
    (folder / "merges.txt").write_text("#version: 0.2\n")
    size = {"hidden_size": 32, "intermediate_size": 37, "num_attention_heads": 4, "num_hidden_layers": 2}
    ends = {"bos_token_id": len(words), "eos_token_id": len(words) + 1}
    small = {"layers_per_block": 1, "sample_size": 32, "cross_attention_dim": 32, "norm_num_groups": 2}
    parts = {
        "vae": diffusers.AutoencoderKL(block_out_channels=(8,), latent_channels=4, sample_size=32, norm_num_groups=2),
        "text_encoder": CLIPTextModel(CLIPTextConfig(vocab_size=len(vocabulary), projection_dim=32, **size, **ends)),
        "tokenizer": CLIPTokenizer.from_pretrained(folder, model_max_length=77),
        "scheduler": diffusers.DDIMScheduler(clip_sample=False, set_alpha_to_one=False, steps_offset=1),
    }
    blocks = (("CrossAttnDownBlock{}", "DownBlock{}"), ("UpBlock{}", "CrossAttnUpBlock{}"))
    for kind, unet, pipeline, more in (
        ("3D", diffusers.UNet3DConditionModel, diffusers.TextToVideoSDPipeline, {}),
        (
            "2D",
            diffusers.UNet2DConditionModel,
            diffusers.StableDiffusionPipeline,
            {"safety_checker": None, "feature_extractor": None, "requires_safety_checker": False},
        ),
    ):
        down, up = (tuple(name.format(kind) for name in names) for names in blocks)
        made = unet(block_out_channels=(4, 8), down_block_types=down, up_block_types=up, attention_head_dim=4, **small)
        pipeline(unet=made, **parts, **more).save_pretrained(folder / kind)
    return folder


@pytest.mark.filterwarnings("ignore")  # of the library itself, about its older classes
@pytest.mark.usefixtures("clear_caches")
def test_a_pipeline_makes_scenes_by_seed(pipelines: Path) -> None:
    settings: dict[str, Any] = {"width": 32, "height": 32, "steps": 2}
    videos = DiffusionVideos(model=str(pipelines / "3D"), fps=4.0, seconds=1.0, **settings)
    first, same, other = (videos.generate("a lamp", seed) for seed in (1, 1, 2))
    assert (first.pixels.shape, first.rate) == ((4, 32, 32, 3), 4.0)
    assert np.array_equal(first.pixels, same.pixels)
    assert not np.array_equal(first.pixels, other.pixels)
    images = DiffusionImages(model=str(pipelines / "2D"), **settings)
    assert images.generate("a lamp", 1).size == (32, 32)
    with pytest.raises(ModelError, match="StableDiffusionPipeline does not accept num_frames"):
        DiffusionVideos(model=str(pipelines / "2D")).generate("a lamp", 1)
    with pytest.raises(ModelError, match="cannot be loaded"):
        DiffusionVideos(model=str(pipelines / "none")).generate("a lamp", 1)
