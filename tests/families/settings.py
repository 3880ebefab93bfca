"""What the tiny config of a family needs beside the general rules."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import transformers

Settings = dict[str, Any]

PINPOINTS = [[224, 112], [112, 224], [224, 224]]
MROPE = {"text_config.rope_parameters.mrope_section": [4, 2, 2]}
OMNI_TOKENS = {
    "vision_start_token_id": 310,
    "vision_end_token_id": 311,
    "audio_start_token_id": 312,
    "audio_end_token_id": 313,
}
WINDOWS = {"audio_config.n_window": 50, "audio_config.n_window_infer": 800, "audio_config.max_source_positions": 1500}

ARGUMENTS: Mapping[str, Settings] = {
    "chameleon": {
        "vocabulary_map": {
            "<image>": 390,
            **{f"IMGIMG{''.join(chr(65 + int(digit)) for digit in str(i))}Z": 10 + i for i in range(200)},
        },
        "vq_config": {
            "num_embeddings": 128,
            "embed_dim": 16,
            "base_channels": 32,
            "channel_multiplier": [1, 1, 1],
            "num_res_blocks": 1,
            "resolution": 32,
            "latent_channels": 16,
        },
    },
    "diffusion_gemma": {"vision_config": transformers.Gemma4VisionConfig()},
    "gemma4": {"vision_config": transformers.Gemma4VisionConfig(), "audio_config": transformers.Gemma4AudioConfig()},
    "gemma4_unified": {
        "vision_config": transformers.Gemma4UnifiedVisionConfig(),
        "audio_config": transformers.Gemma4UnifiedAudioConfig(),
    },
    "granite4_vision": {
        "deepstack_layer_map": [[1, 0], [2, 1]],
        "downsample_rate": "1/2",
        "image_grid_pinpoints": [[512, 256], [256, 512], [512, 512]],
    },
}
"""What the constructor is called with; the default config of these does not build."""

SETTINGS: Mapping[str, Settings] = {
    "aria": {"projector_patch_to_query_dict": {64: 16}, "max_value_projector_patch_to_query_dict": 16},
    "ernie4_5_vl_moe": {"text_config.rope_parameters.mrope_section": [3, 3, 2]},
    "fast_vlm": {"vision_config.hidden_size": 3072},
    "gemma3n": {"vision_config.hidden_size": 2048},
    "glm46v": MROPE,
    "glm4v": MROPE,
    "glm4v_moe": MROPE,
    "glm_ocr": MROPE,
    "glmga": MROPE,
    "hunyuan_vl": {**MROPE, "text_config.rope_parameters.alpha": 1000.0},
    "kimi_k25": {"projection_hidden_size": 32, "vision_config.projection_hidden_size": 32},
    "kosmos-2": {"latent_query_num": 8},
    "kosmos-2.5": {"latent_query_num": 8},
    "llama4": {
        "vision_config.vision_output_dim": 64,
        "vision_config.projector_output_dim": 64,
        "vision_config.projector_input_dim": 64,
        "vision_config.intermediate_size": 128,
    },
    "llava_next": {"image_grid_pinpoints": PINPOINTS},
    "llava_next_video": {"image_grid_pinpoints": PINPOINTS},
    "llava_onevision": {"image_grid_pinpoints": PINPOINTS},
    "minimax_m3_vl": {"merged_hidden_size": 256},
    "mllama": {
        "vision_config.intermediate_layers_indices": [0, 1],
        "vision_config.vision_output_dim": 96,
        "text_config.cross_attention_layers": [1],
    },
    "molmo2": {"adapter_config.vision_feature_layer": [-1, -2]},
    "paddleocr_vl": MROPE,
    "qwen2_5_omni_thinker": {**MROPE, **OMNI_TOKENS},
    "qwen2_5_vl": MROPE,
    "qwen2_vl": {**MROPE, "vision_config.hidden_size": 64},
    "qwen3_asr": WINDOWS,
    "qwen3_omni_moe_thinker": {**MROPE, **OMNI_TOKENS, **WINDOWS},
    "step3p7": {"text_config.sliding_window": 2048},
    "vipllava": {"vision_feature_layers": [-2, -1]},
}
"""Fields by their paths, set when the config is tiny."""
