"""What the tiny config of a family needs beside the general rules."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import transformers

Settings = dict[str, Any]
UNNAMED_PLACEHOLDER = 299
"""The id of a placeholder that the config does not name."""

PINPOINTS = [[224, 112], [112, 224], [224, 224]]
MROPE = {"text_config.rope_parameters.mrope_section": [4, 2, 2]}
OMNI_TOKENS = {
    "vision_start_token_id": 310,
    "vision_end_token_id": 311,
    "audio_start_token_id": 312,
    "audio_end_token_id": 313,
}
SMALL_TIMM = {
    "vision_config.architecture": "resnet10t",
    "vision_config.hidden_size": 512,
    "vision_config.model_args": None,
}
"""In place of encoders of 120 and 300 million parameters."""

WINDOWS = {"audio_config.n_window": 50, "audio_config.n_window_infer": 800, "audio_config.max_source_positions": 1500}

CODEC = {"depths": [1, 1, 1, 1], "downsampling_ratios": [2, 2, 4], "num_filters": 8, "vae_std": 0.0}
"""Without the noise that an audio tokenizer adds to its latents: two forwards of the same inputs must be equal."""

ARGUMENTS: Mapping[str, Settings] = {
    "chameleon": {
        "vocabulary_map": {
            "<image>": UNNAMED_PLACEHOLDER,
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
    "cohere_compass": {
        "text_config": {
            "layer_types": ["full_attention"] * 3,
            "num_hidden_layers": 3,
            "rope_parameters": {
                "full_attention": {"rope_type": "default", "rope_theta": 10000.0, "mrope_section": [4, 2, 2]}
            },
        }
    },
    "deepseek_ocr2": {
        "text_config": {
            "mlp_layer_types": ["dense", "sparse", "sparse"],
            "n_group": 1,
            "topk_group": 1,
            "num_experts_per_tok": 2,
        }
    },
    "diffusion_gemma": {
        "vision_config": transformers.Gemma4VisionConfig(),
        "text_config": {"num_experts": 4, "top_k_experts": 2, "moe_intermediate_size": 128},
    },
    "dots3_note": {
        "text_config": {"num_hidden_layers": 3, "use_sliding_window": False},
        "vision_config": {"mlp_layer_types": ["dense"] * 42},
    },
    "emu3": {
        "vocabulary_map": {
            "<image>": UNNAMED_PLACEHOLDER,
            "<|extra_200|>": 391,
            **{f"<|visual token {i:06d}|>": 10 + i for i in range(128)},
        },
        "vq_config": {
            "codebook_size": 128,
            "embed_dim": 16,
            "base_channels": 32,
            "channel_multiplier": [1, 1],
            "num_res_blocks": 1,
            "attn_resolutions": [],
        },
    },
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
    "nemo_speechlm": {"text_config": {"hybrid_override_pattern": "ME*"}},
    "nemotron_h_omni": {
        "audio_config": {"projection_hidden_size": 64, "projection_bias": False},
        "image_token_id": 5000,
        "video_token_id": 5001,
        "audio_token_id": 5002,
    },
    "perception_lm": {
        "vision_config": {
            "architecture": "vit_pe_core_tiny_patch16_384",
            "model_args": {
                "depth": 3,
                "embed_dim": 192,
                "global_pool": "",
                "img_size": [64, 64],
                "init_values": 0.1,
                "ref_feat_shape": [4, 4],
                "use_post_transformer_norm": False,
            },
        }
    },
    "qwen4_exp": {
        "text_config": {
            "indexer_n_heads": 2,
            "indexer_kv_heads": 1,
            "indexer_head_dim": 256,
            "indexer_budget": 64,
            "indexer_compress_ratio": 4,
            "rope_parameters": {"rope_type": "default", "rope_theta": 10000.0, "mrope_section": [4, 2, 2]},
        }
    },
    "vibevoice": {"audio_config": CODEC, "semantic_model_config": {**CODEC, "hidden_size": 128}},
    "vibevoice_asr": {
        "acoustic_tokenizer_encoder_config": CODEC,
        "semantic_tokenizer_encoder_config": {**CODEC, "hidden_size": 128},
    },
}
"""What the constructor is called with; the default config of these does not build."""

SETTINGS: Mapping[str, Settings] = {
    "aria": {"projector_patch_to_query_dict": {64: 16}, "max_value_projector_patch_to_query_dict": 16},
    "chameleon": {"image_token_id": UNNAMED_PLACEHOLDER},
    "deepseek_ocr2": {
        "vision_config.sam_config.downsample_channels": [32, 32],
        "vision_config.sam_config.output_channels": 32,
    },
    "dots3_note": {
        "vision_config.adapter_in_dim": 32,
        "vision_config.adapter_out_dim": 64,
        "audio_config.adapter_input_size": 32,
        "audio_config.adapter_out_dim": 64,
        "audio_config.downsample_hidden_size": 8,
        "audio_config.conv_output_size": 128,
    },
    "emu3": {"image_token_id": UNNAMED_PLACEHOLDER},
    "ernie4_5_vl_moe": {"text_config.rope_parameters.mrope_section": [3, 3, 2]},
    "fast_vlm": SMALL_TIMM,
    "gemma3n": {
        **SMALL_TIMM,
        "vision_soft_tokens_per_image": 16,
        "vision_config.vocab_offset": 384,
        "audio_config.vocab_offset": 392,
        "audio_soft_tokens_per_image": 16,
    },
    "gemma4_unified": {
        "vision_config.mm_embed_dim": 32,
        "vision_config.output_proj_dims": 32,
        "vision_config.patch_size": 4,
    },
    "glm46v": MROPE,
    "glm4v": MROPE,
    "glm4v_moe": MROPE,
    "glm5_next": {
        "text_config.linear_head_dim": 16,
        "text_config.linear_num_heads": 4,
        "text_config.head_dim": 0,
        "text_config.qk_rope_head_dim": 0,
        "text_config.qk_head_dim": 16,
    },
    "glm_ocr": MROPE,
    "glmga": MROPE,
    "granite4_vision": {
        "text_config.num_hidden_layers": 6,
        "vision_config.num_hidden_layers": 12,
        "spatial_target_layers": [2, 3, 4, 5],
    },
    "hunyuan_vl": {**MROPE, "text_config.rope_parameters.alpha": 1000.0, "text_config.head_dim": 16},
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
    "molmo2": {
        "adapter_config.vision_feature_layer": [-1, -2],
        "image_patch_id": 310,
        "adapter_config.hidden_size": 32,
        "adapter_config.num_attention_heads": 2,
    },
    "muse_glimmer": {"out_hidden_size": 128, "projector_hidden_size": 64},
    "muse_spark": {
        "out_hidden_size": 128,
        "projector_hidden_size": 64,
        "text_config.moe_hidden_size": 64,
        "audio_config.hidden_sizes": [16, 16, 16, 16],
        "audio_config.num_hidden_layers": 4,
    },
    "nemo_speechlm": {"audio_config.diarization_config.head_config.audio_hidden_size": 32},
    "nemotron_h_omni": {"vision_hidden_size": 32},
    "paddleocr_vl": MROPE,
    "phi4_multimodal": {
        "audio_config.nemo_conv_channels": 32,
        "audio_config.ext_pw_out_channel": 32,
        "audio_config.depthwise_separable_out_channel": 32,
    },
    "qwen2_5_omni_thinker": {**MROPE, **OMNI_TOKENS},
    "qwen2_5_vl": MROPE,
    "qwen2_vl": {**MROPE, "vision_config.hidden_size": 64},
    "qwen3_asr": WINDOWS,
    "qwen3_omni_moe_thinker": {**MROPE, **OMNI_TOKENS, **WINDOWS},
    "step3p7": {"text_config.sliding_window": 2048},
    "unlimited_ocr": {
        "vision_config.sam_config.downsample_channels": [32, 32],
        "vision_config.sam_config.output_channels": 32,
    },
    "vipllava": {"vision_feature_layers": [-2, -1]},
}
"""Fields by their paths, set when the config is tiny."""
