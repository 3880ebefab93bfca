"""Whisper's weights: from CTranslate2's names to those of transformers, with no key missing or left over."""

from __future__ import annotations

import re

import pytest
import torch
from torch import Tensor
from transformers import Qwen2AudioEncoderConfig, WhisperConfig, WhisperModel
from transformers.models.qwen2_audio.modeling_qwen2_audio import Qwen2AudioEncoder

from helpers.ctranslate2 import write_file
from sea_core import DataError
from sea_toy.ctranslate2 import parse_weights
from sea_toy.qwen2_audio import whisper

NAMES = (
    (r"encoder_attn_layer_norm", "attention/layer_norm"),
    (r"self_attn_layer_norm", "self_attention/layer_norm"),
    (r"final_layer_norm", "ffn/layer_norm"),
    (r"self_attn\.out_proj", "self_attention/linear_1"),
    (r"encoder_attn\.q_proj", "attention/linear_0"),
    (r"encoder_attn\.out_proj", "attention/linear_2"),
    (r"fc1", "ffn/linear_0"),
    (r"fc2", "ffn/linear_1"),
    (r"embed_tokens", "embeddings"),
    (r"embed_positions\.weight", "position_encodings/encodings"),
    (r"layers\.(\d+)", r"layer_\1"),
)

ALIASES = {"decoder/projection/weight": "decoder/embeddings/weight"}


@pytest.fixture(scope="module")
def model() -> WhisperModel:
    config = WhisperConfig(
        vocab_size=51,
        d_model=16,
        encoder_layers=2,
        decoder_layers=1,
        encoder_attention_heads=2,
        decoder_attention_heads=2,
        encoder_ffn_dim=32,
        decoder_ffn_dim=32,
        num_mel_bins=80,
        max_target_positions=8,
        pad_token_id=0,
        bos_token_id=1,
        eos_token_id=2,
        decoder_start_token_id=1,
    )
    torch.manual_seed(0)
    return WhisperModel(config).eval()


def convert(state: dict[str, Tensor]) -> dict[str, Tensor]:
    """Return a model's state as CTranslate2 names and fuses it."""
    converted = {"decoder/num_heads": torch.tensor(2, dtype=torch.int16)}
    for name, weight in state.items():
        if found := re.match(r"(.*)\.(self|encoder)_attn\.(k|q|v)_proj\.weight", name):
            prefix, kind, product = found.groups()
            if (kind, product) in {("self", "q"), ("encoder", "k")}:
                products = ("q", "k", "v") if kind == "self" else ("k", "v")
                fused = "self_attention/linear_0" if kind == "self" else "attention/linear_1"
                path = f"{to_path(prefix)}/{fused}"
                weights = [state[f"{prefix}.{kind}_attn.{p}_proj.weight"] for p in products]
                biases = [state.get(f"{prefix}.{kind}_attn.{p}_proj.bias", torch.zeros(16)) for p in products]
                converted |= {f"{path}/weight": torch.cat(weights), f"{path}/bias": torch.cat(biases)}
                continue
        if re.search(r"self_attn\.[kqv]_proj|encoder_attn\.[kv]_proj", name):
            continue
        converted[to_path(name)] = weight
    return converted


def to_path(name: str) -> str:
    for pattern, replacement in NAMES:
        name = re.sub(pattern, replacement, name)
    name = name.replace(".", "/")
    if "layer_norm" in name:
        name = name.replace("/weight", "/gamma").replace("/bias", "/beta")
    return name


def read_back(model: WhisperModel) -> dict[str, Tensor]:
    converted = convert(model.state_dict())
    return whisper.rename(parse_weights(write_file(converted, ALIASES)))


def test_every_weight_comes_back_under_its_name(model: WhisperModel) -> None:
    found = read_back(model)
    expected = model.state_dict()
    assert set(found) == set(expected)
    assert all(torch.equal(found[name], weight) for name, weight in expected.items())


def test_encoder_fills_an_audio_tower_with_fewer_positions(model: WhisperModel) -> None:
    weights = whisper.encoder_weights(read_back(model))
    config = whisper.encoder_config(weights, heads=2, seconds=2)
    tower = Qwen2AudioEncoder(Qwen2AudioEncoderConfig(**config)).eval()
    whisper.load_encoder(tower, weights)
    mel = torch.randn(1, 80, 3000)
    mel[..., 200:] = 0
    states = model.encoder.conv1(mel[..., :200])
    assert torch.allclose(tower.conv1(mel[..., :200]), states)
    assert torch.equal(tower.embed_positions.weight, model.encoder.embed_positions.weight[:100])
    assert tower(mel[..., :200]).last_hidden_state.shape == (1, 50, 16)


def test_bias_of_the_keys_is_an_error(model: WhisperModel) -> None:
    converted = convert(model.state_dict())
    converted["encoder/layer_0/self_attention/linear_0/bias"] = torch.ones(48)
    with pytest.raises(DataError, match="keys of this Whisper have a bias"):
        whisper.rename(converted)
