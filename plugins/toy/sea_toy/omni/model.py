"""The untrained tiny Qwen2.5-Omni thinker, and its two encoders run on batches of media of one size."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from sea_core.model.processor import AbsentPart, with_stand_ins

ARCHITECTURE = "Qwen2_5OmniThinkerForConditionalGeneration"
NAMED = {
    "image_token": "<|IMAGE|>",
    "audio_token": "<|AUDIO|>",
    "video_token": "<|VIDEO|>",
    "vision_bos_token": "<|vision_bos|>",
    "vision_eos_token": "<|vision_eos|>",
    "audio_bos_token": "<|audio_bos|>",
    "audio_eos_token": "<|audio_eos|>",
}
"""Special tokens that the processor asks the tokenizer for by these names."""
SPECIAL = ("<|endoftext|>", "<|im_start|>", "<|im_end|>", *NAMED.values())
TEMPLATE = (
    "{% for message in messages %}{% if loop.first and message['role'] != 'system' %}"
    "<|im_start|>system\nYou are a helpful assistant.<|im_end|>\n{% endif %}<|im_start|>{{ message['role'] }}\n"
    "{% if message['content'] is string %}{{ message['content'] }}{% else %}{% for content in message['content'] %}"
    "{% if content['type'] == 'image' %}<|vision_bos|><|IMAGE|><|vision_eos|>"
    "{% elif content['type'] == 'audio' %}<|audio_bos|><|AUDIO|><|audio_eos|>"
    "{% elif content['type'] == 'video' %}<|vision_bos|><|VIDEO|><|vision_eos|>"
    "{% else %}{{ content['text'] }}{% endif %}{% endfor %}{% endif %}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
IMAGE_SIDE, SECONDS = 84, 2
"""Pixels of the model's square images, and length of its audio: 36 and 50 vectors of E, 9 and 50 placeholders."""
MEL_BINS = 80
PATCH, MERGE, STEP = 14, 2, 2
WIDTH, LAYERS, HEADS, LANGUAGE_WIDTH = 96, 3, 4, 128


def create_model(tokenizer: Any) -> tuple[Any, Any]:
    """Return an untrained model and its processor around a tokenizer."""
    from transformers import Qwen2_5OmniThinkerConfig, Qwen2_5OmniThinkerForConditionalGeneration

    config = Qwen2_5OmniThinkerConfig(
        vision_config=vision_config(), audio_config=audio_config(), text_config=text_config(tokenizer)
    )
    for name, token in (
        ("image_token_index", "<|IMAGE|>"),
        ("audio_token_index", "<|AUDIO|>"),
        ("video_token_index", "<|VIDEO|>"),
        ("vision_start_token_id", "<|vision_bos|>"),
        ("vision_end_token_id", "<|vision_eos|>"),
        ("audio_start_token_id", "<|audio_bos|>"),
        ("audio_end_token_id", "<|audio_eos|>"),
    ):
        setattr(config, name, tokenizer.convert_tokens_to_ids(token))
    return Qwen2_5OmniThinkerForConditionalGeneration(config), build_processor(tokenizer)


def build_processor(tokenizer: Any) -> Any:
    """Return the family's processor, for squares of IMAGE_SIDE pixels and audio of SECONDS."""
    from transformers import Qwen2_5OmniProcessor, Qwen2VLImageProcessorPil, WhisperFeatureExtractor

    tokenizer.padding_side = "left"
    tokenizer.chat_template = TEMPLATE
    size = {"shortest_edge": IMAGE_SIDE**2, "longest_edge": IMAGE_SIDE**2}
    videos = AbsentPart(
        "video_processor", "torchvision", {"video_processor_type": "Qwen2VLVideoProcessor", "size": size}
    )
    return with_stand_ins(Qwen2_5OmniProcessor)(
        image_processor=Qwen2VLImageProcessorPil(size=size),
        video_processor=videos,
        feature_extractor=WhisperFeatureExtractor(feature_size=MEL_BINS, chunk_length=SECONDS),
        tokenizer=tokenizer,
        chat_template=TEMPLATE,
    )


def vision_config() -> dict[str, Any]:
    """Return the vision transformer's configuration: a picture of IMAGE_SIDE is within one window of attention."""
    return {
        "hidden_size": WIDTH,
        "depth": LAYERS,
        "num_heads": HEADS,
        "intermediate_size": 3 * WIDTH,
        "out_hidden_size": LANGUAGE_WIDTH,
        "patch_size": PATCH,
        "spatial_merge_size": MERGE,
        "temporal_patch_size": STEP,
        "window_size": 112,
        "fullatt_block_indexes": [LAYERS - 1],
    }


def audio_config() -> dict[str, Any]:
    """Return the audio transformer's configuration: SECONDS of audio are within one window of attention."""
    return {
        "num_mel_bins": MEL_BINS,
        "d_model": WIDTH,
        "encoder_layers": LAYERS,
        "encoder_attention_heads": HEADS,
        "encoder_ffn_dim": 4 * WIDTH,
        "output_dim": LANGUAGE_WIDTH,
        "max_source_positions": SECONDS * 50,
        "n_window": SECONDS * 50,
    }


def text_config(tokenizer: Any) -> dict[str, Any]:
    """Return the language model's configuration."""
    return {
        "hidden_size": LANGUAGE_WIDTH,
        "num_hidden_layers": 3,
        "num_attention_heads": 4,
        "num_key_value_heads": 4,
        "intermediate_size": 384,
        "vocab_size": len(tokenizer),
        "max_position_embeddings": 512,
        "rope_parameters": {"rope_type": "default", "rope_theta": 1e6, "mrope_section": [4, 6, 6]},
        "bos_token_id": None,
        "eos_token_id": tokenizer.eos_token_id,
        "pad_token_id": tokenizer.pad_token_id,
        "tie_word_embeddings": False,
    }


def encode_pictures(visual: Any, patches: Tensor) -> Tensor:
    """Return the vision transformer's output before the merger, (media, h * w, width), for squares of one window.

    Args:
        patches: as the processor makes them, (media, h * w, values).
    """
    from transformers.models.qwen2_5_omni.modeling_qwen2_5_omni import apply_rotary_pos_emb_vision
    from transformers.vision_utils import get_vision_position_ids

    n, count, _ = patches.shape
    side = round(count**0.5)
    weight = visual.patch_embed.proj.weight  # a convolution whose kernels do not overlap is a matrix product
    hidden = nn.functional.linear(patches, weight.flatten(1))
    cos, sin = visual.rotary_pos_emb(hidden, get_vision_position_ids(torch.tensor([[1, side, side]]), MERGE))
    for block in visual.blocks:
        attn, normed = block.attn, block.norm1(hidden)
        q, k, v = (part(normed).view(n, count, attn.num_heads, -1) for part in (attn.q, attn.k, attn.v))
        q, k = apply_rotary_pos_emb_vision(q, k, cos, sin)
        hidden = hidden + attn.proj(_attend(q, k, v))
        hidden = hidden + block.mlp(block.norm2(hidden))
    return hidden


def encode_sounds(tower: Any, mel: Tensor) -> Tensor:
    """Return the audio transformer's output before its projection, (media, frames / 4, width), for one window each.

    Args:
        mel: spectrograms without padding, (media, bins, frames).
    """
    n = len(mel)
    hidden = nn.functional.gelu(tower.conv1(mel))
    hidden = nn.functional.gelu(tower.conv2(hidden)).transpose(1, 2)
    count = hidden.shape[1]
    hidden = hidden + tower.positional_embedding.positional_embedding[:count]
    for layer in tower.layers:
        attn, normed = layer.self_attn, layer.self_attn_layer_norm(hidden)
        q, k, v = (p(normed).view(n, count, attn.num_heads, -1) for p in (attn.q_proj, attn.k_proj, attn.v_proj))
        hidden = hidden + attn.out_proj(_attend(q, k, v))
        hidden = hidden + layer.fc2(layer.activation_fn(layer.fc1(layer.final_layer_norm(hidden))))
    pooled = (hidden[:, 0::2] + hidden[:, 1::2]) / 2
    normalised: Tensor = tower.ln_post(pooled)
    return normalised


def _attend(q: Tensor, k: Tensor, v: Tensor) -> Tensor:
    """Return attention without a mask, (media, n, width), for heads (media, n, heads, width of a head)."""
    q, k, v = (x.transpose(1, 2) for x in (q, k, v))
    mixed = nn.functional.scaled_dot_product_attention(q, k, v)
    return mixed.transpose(1, 2).flatten(2)
