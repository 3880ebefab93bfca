"""The families that see images, and some videos or hear audio as well."""

from __future__ import annotations

from typing import Any

from helpers.families.chat import chat_template
from helpers.families.family import Family, area, decoder, encoder, square

CHATML = ("<|im_start|>ROLE\n", "<|im_end|>\n", "<|im_start|>assistant\n")
GEMMA = ("<start_of_turn>ROLE\n", "<end_of_turn>\n", "<start_of_turn>model\n")
CHATML_TOKENS = ("<|im_start|>", "<|im_end|>")
VISION_TOKENS = ("<|vision_start|>", "<|vision_end|>", "<|image_pad|>", "<|video_pad|>")
VISION_IDS = {
    "image_token_id": "id:<|image_pad|>",
    "video_token_id": "id:<|video_pad|>",
    "vision_start_token_id": "id:<|vision_start|>",
    "vision_end_token_id": "id:<|vision_end|>",
}
SEEN = {
    "image": "<|vision_start|><|image_pad|><|vision_end|>",
    "video": "<|vision_start|><|video_pad|><|vision_end|>",
}
MROPE = {"rope_type": "default", "rope_theta": 10000.0, "mrope_section": [2, 1, 1]}
TILES = [[112, 56], [56, 112], [112, 112]]
CLIP = {"model_type": "clip_vision_model", **encoder(image_size=56, patch_size=14)}
SIGLIP = {"model_type": "siglip_vision_model", "vision_use_head": False, **encoder(image_size=56, patch_size=14)}


def grid_encoder(**more: Any) -> dict[str, Any]:
    """Return the configuration of an encoder of images of any size."""
    return {"hidden_size": 32, "depth": 2, "num_heads": 4, "intermediate_size": 64, "out_hidden_size": 32} | more


def grid_parts(kind: str, patch: int) -> dict[str, Any]:
    """Return image and video processor for such an encoder."""
    sizes = {"patch_size": patch, "size": area(56, 112)}
    return {
        "image_processor": (f"{'Qwen2VL' if kind == 'Qwen3VL' else kind}ImageProcessorPil", sizes),
        "video_processor": (f"{kind}VideoProcessor", sizes),
    }


IMAGE_FAMILIES: dict[str, Family] = {
    "llava": Family(
        model="LlavaForConditionalGeneration",
        config={
            "text_config": {"model_type": "llama", **decoder()},
            "vision_config": CLIP,
            "image_token_index": "id:<image>",
            "image_seq_length": 16,
        },
        processor="LlavaProcessor",
        parts={"image_processor": ("CLIPImageProcessorPil", {"size": {"shortest_edge": 56}, "crop_size": square(56)})},
        arguments={"patch_size": 14, "vision_feature_select_strategy": "default", "num_additional_image_tokens": 1},
        template=chat_template("ROLE: ", " ", "assistant:", {"image": "<image>\\n"}),
    ),
    "qwen2_5_vl": Family(
        model="Qwen2_5_VLForConditionalGeneration",
        config={
            "text_config": {"model_type": "qwen2_5_vl_text", **decoder(rope_parameters=MROPE)},
            "vision_config": grid_encoder(window_size=56, fullatt_block_indexes=[1], tokens_per_second=2),
            **VISION_IDS,
        },
        processor="Qwen2_5_VLProcessor",
        parts=grid_parts("Qwen2VL", 14),
        tokens=(*CHATML_TOKENS, *VISION_TOKENS),
        template=chat_template(*CHATML, SEEN),
    ),
    "qwen3_vl": Family(
        model="Qwen3VLForConditionalGeneration",
        config={
            "text_config": decoder(num_hidden_layers=3, rope_parameters=MROPE),
            "vision_config": grid_encoder(depth=3, num_position_embeddings=64, deepstack_visual_indexes=[0, 1]),
            **VISION_IDS,
        },
        processor="Qwen3VLProcessor",
        parts=grid_parts("Qwen3VL", 16),
        tokens=(*CHATML_TOKENS, *VISION_TOKENS),
        template=chat_template(*CHATML, SEEN),
    ),
    "gemma3": Family(
        model="Gemma3ForConditionalGeneration",
        config={
            "text_config": decoder(
                num_hidden_layers=4, layer_types=["sliding_attention", "full_attention"] * 2, sliding_window=24
            ),
            "vision_config": SIGLIP | {"image_size": 112},
            "mm_tokens_per_image": 16,
            "image_token_index": "id:<image_soft_token>",
            "boi_token_index": "id:<start_of_image>",
            "eoi_token_index": "id:<end_of_image>",
        },
        processor="Gemma3Processor",
        parts={"image_processor": ("Gemma3ImageProcessorPil", {"size": square(112)})},
        arguments={"image_seq_length": 16},
        tokens=("<start_of_turn>", "<end_of_turn>"),
        named={
            "image_token": "<image_soft_token>",
            "boi_token": "<start_of_image>",
            "eoi_token": "<end_of_image>",
        },
        template=chat_template(*GEMMA, {"image": "<start_of_image>"}),
    ),
    "mllama": Family(
        model="MllamaForConditionalGeneration",
        config={
            "text_config": decoder(num_hidden_layers=4, cross_attention_layers=[1, 3]),
            "vision_config": {
                "hidden_size": 32,
                "intermediate_size": 64,
                "num_hidden_layers": 2,
                "num_global_layers": 1,
                "attention_heads": 4,
                "vision_output_dim": 96,
                "image_size": 56,
                "patch_size": 14,
                "intermediate_layers_indices": [0, 1],
            },
            "image_token_index": "id:<|image|>",
        },
        processor="MllamaProcessor",
        parts={"image_processor": ("MllamaImageProcessorPil", {"size": square(56), "max_image_tiles": 4})},
        tokens=("<|image|>", "<|python_tag|>", "<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>"),
        template=chat_template(
            "<|start_header_id|>ROLE<|end_header_id|>\n\n",
            "<|eot_id|>",
            "<|start_header_id|>assistant<|end_header_id|>\n\n",
            {"image": "<|image|>"},
        ),
    ),
}
