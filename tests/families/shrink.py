"""Make any config tiny, by the names of its fields, so that the real class builds in a second."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from transformers import PreTrainedConfig

TEXT_WIDTH = 64
ENCODER_WIDTH = 32
LAYERS = 3
VOCABULARY = 400
FIRST_SPECIAL_TOKEN = 300
"""Special tokens get the ids from here on, text has those below."""

COMMON_TOKENS = {"pad": 0, "bos": 1, "eos": 2, "decoder_start": 0}
MROPE = {2: [4, 4], 3: [4, 2, 2], 4: [2, 2, 2, 2]}
"""Sections of 8 pairs of dimensions (heads have 16), by their number."""

ENCODER_PARTS = re.compile(
    "vision|audio|speech|vq|encoder|qformer|codec|vit|sam|visual|acoustic|semantic|resampler|aligner"
)


@dataclass
class TokenIds:
    """New ids of special tokens: equal ones stay equal."""

    new: dict[int, int] = field(default_factory=dict)

    def __call__(self, old: int) -> int:
        return self.new.setdefault(old, FIRST_SPECIAL_TOKEN + len(self.new))


@dataclass(frozen=True)
class Part:
    """A config within a config."""

    path: str
    config: PreTrainedConfig
    encoder_width: int
    tokens: TokenIds

    @property
    def is_text(self) -> bool:
        return not ENCODER_PARTS.search(self.path)

    @property
    def width(self) -> int:
        return TEXT_WIDTH if self.is_text else self.encoder_width

    @property
    def heads(self) -> int:
        return 4 if self.is_text else 2

    @property
    def key_heads(self) -> int:
        return self.heads if getattr(self.config, "kv_lora_rank", None) else 2

    @property
    def patch(self) -> int:
        patch = getattr(self.config, "patch_size", None) or 14
        return int(patch[0] if isinstance(patch, list | tuple) else patch)


def shrink(config: PreTrainedConfig, encoder_width: int = ENCODER_WIDTH) -> None:
    """Make a config and all configs within it tiny, in place."""
    _shrink(Part("", config, encoder_width, TokenIds()))


def set_field(config: PreTrainedConfig, name: str, value: Any) -> None:
    """Set a field without the validation, which would fail between two changes that belong together."""
    object.__setattr__(config, getattr(config, "attribute_map", {}).get(name, name), value)


def sub_configs(config: PreTrainedConfig) -> Iterator[tuple[str, PreTrainedConfig]]:
    """Yield the configs within a config, with their names."""
    for name, value in list(vars(config).items()):
        if isinstance(value, PreTrainedConfig):
            yield name, value


def _shrink(part: Part) -> None:
    for name, value in list(vars(part.config).items()):
        if name.startswith("_") or value is None or isinstance(value, bool | PreTrainedConfig):
            continue
        for pattern, kind, new in RULES:
            if isinstance(value, kind) and pattern.search(name):
                set_field(part.config, name, new(part, name, value))
                break
    for name, config in sub_configs(part.config):
        _shrink(Part(f"{part.path}.{name}", config, part.encoder_width, part.tokens))


# Each returns the new value of a field.


def _token(part: Part, name: str, value: int) -> int:
    common = [new for prefix, new in COMMON_TOKENS.items() if name.startswith(f"{prefix}_")]
    return common[0] if common else part.tokens(value) if value >= 0 else value


def _image_size(part: Part, _name: str, value: int | list[int] | tuple[int, ...]) -> int | list[int]:
    if isinstance(value, int):
        return value if part.is_text else 8 * part.patch
    return [8 * part.patch] * 2


def _layer_kinds(_part: Part, _name: str, value: list[str]) -> list[str]:
    """Keep a layer of each kind."""
    kinds = list(dict.fromkeys(value))
    return (kinds + list(value))[:LAYERS] if len(kinds) > 1 else list(value)[:LAYERS]


def _rope(part: Part, _name: str, value: dict[str, Any]) -> dict[str, Any]:
    return {key: _rope_entry(part, x) if isinstance(x, dict) else x for key, x in _rope_entry(part, value).items()}


def _rope_entry(_part: Part, rope: dict[str, Any]) -> dict[str, Any]:
    if rope.get("rope_type") == "longrope":
        return {"rope_type": "default", "rope_theta": 10000.0}
    new = dict(rope)
    if "partial_rotary_factor" in rope:
        new["partial_rotary_factor"] = 1.0
    for sections in ("mrope_section", "xdrope_section"):
        if isinstance(rope.get(sections), list):
            new[sections] = MROPE[len(rope[sections])]
    return new


def _inner_width(part: Part, _name: str, value: int | list[int]) -> int | list[int]:
    return 2 * part.width if isinstance(value, int) else [2 * part.width] * len(value)


def _number(_part: Part, name: str, value: float) -> float:
    return type(value)(NUMBERS[name])


NUMBERS = {
    # heads, and what attention is made of
    "head_dim": 16,
    "global_head_dim": 16,
    "kv_channels": 16,
    "qk_nope_head_dim": 16,
    "qk_rope_head_dim": 16,
    "v_head_dim": 16,
    "qk_head_dim": 32,
    "q_lora_rank": 32,
    "kv_lora_rank": 16,
    "index_head_dim": 32,
    "index_n_heads": 2,
    "index_topk": 2048,
    "sliding_window": 2048,
    "partial_rotary_factor": 1,
    "linear_key_head_dim": 16,
    "linear_value_head_dim": 16,
    "linear_num_key_heads": 2,
    "linear_num_value_heads": 4,
    # experts
    "num_experts": 4,
    "n_routed_experts": 4,
    "num_local_experts": 4,
    "moe_num_experts": 4,
    "num_experts_per_tok": 2,
    "moe_topk": 2,
    "moe_k": 2,
    "top_k_experts": 2,
    "n_group": 1,
    "topk_group": 1,
    "expert_layer_period": 1,
    "first_k_dense_replace": 1,
    # state-space layers
    "mamba_num_heads": 4,
    "mamba_head_dim": 16,
    "ssm_state_size": 16,
    "n_groups": 2,
    "chunk_size": 16,
    "conv_dim": 16,
    # positions and windows
    "max_source_positions": 64,
    "max_position_embeddings": 2048,
    "position_embedding_size": 64,
    "num_position_embeddings": 64,
    "n_window": 16,
    "n_window_infer": 32,
    # resamplers
    "num_query_tokens": 8,
    "mm_tokens_per_image": 16,
    "resampler_n_latents": 8,
    # the rest
    "hidden_size_per_layer_input": 8,
    "vocab_size_per_layer_input": VOCABULARY,
    "altup_num_inputs": 2,
    "laurel_rank": 8,
    "num_kv_shared_layers": 0,
    "codebook_vocab_size": 320,
}

RULES: list[tuple[re.Pattern[str], type | Any, Callable[[Part, str, Any], Any]]] = [
    (re.compile(pattern), kind, new)
    for pattern, kind, new in (
        (
            r"^(num_hidden_layers|num_layers|depth|n_layers?|(num_)?(en|de)coder_layers|vision_.*_layers"
            r"|num_global_layers|layers|conf_num_layers)$",
            int,
            lambda _part, _name, value: min(value, LAYERS),
        ),
        (r"_token_(id|index)$|^media_token_id$", int, _token),
        (r"_token_ids?$", list | tuple, lambda _part, _name, _value: [2]),
        (
            r"^vocab_size$",
            int,
            lambda part, _name, value: VOCABULARY if part.is_text else min(value, VOCABULARY),
        ),
        (r"^image_size$", int | list | tuple, _image_size),
        (r"^(layer_types|mlp_layer_types|block_types|layers_block_type)$", list | tuple, _layer_kinds),
        (r"^deepstack_visual_indexes$", list | tuple, lambda _part, _name, value: [0, 1][: len(value)]),
        (r"^(fullatt_block_indexes|global_attn_indexes)$", list | tuple, lambda _part, _name, _value: [1]),
        (r"^rope_(parameters|scaling|theta)$", dict, _rope),
        (
            r"^(hidden_size|d_model|embed_dim|dim|n_embd|width|hidden_dim|encoder_hidden_size|conf_hidden_size"
            r"|word_embed_proj_dim)$",
            int,
            lambda part, _name, _value: part.width,
        ),
        (
            r"^((num_|encoder_|decoder_|conf_num_)?attention_heads|num_heads|n_heads?|num_attention_heads_.*"
            r"|mm_projector_num_heads)$",
            int,
            lambda part, _name, _value: part.heads,
        ),
        (
            r"^(num_key_value_heads|n_kv_heads|num_kv_heads|num_global_key_value_heads"
            r"|num_key_value_heads_per_layer)$",
            int,
            lambda part, _name, _value: part.key_heads,
        ),
        (
            r"(intermediate_size|ffn_dim|mlp_hidden_size|ffn_hidden_size|ffn_hidden|conv_hidden_size)$",
            int | list,
            _inner_width,
        ),
        (
            r"^(out_hidden_size|output_dim|projection_dim|output_proj_dims?|text_hidden_size|vision_output_dim"
            r"|n_output_hidden|projector_output_dim|mm_hidden_size|output_hidden_size|proj_out_dim|llm_hidden_size"
            r"|projector_hidden_size|image_text_hidden_size|text_dim|decoder_hidden_size)$",
            int,
            lambda _part, _name, _value: TEXT_WIDTH,
        ),
        (rf"^({'|'.join(NUMBERS)})$", int | float, _number),
    )
]
