"""The families that see images, and some videos or hear audio as well."""

from __future__ import annotations

from typing import Any

from helpers.families.chat import chat_template
from helpers.families.family import VOCABULARY, Family, area, decoder, encoder, square

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
    "qwen3_5": Family(
        model="Qwen3_5ForConditionalGeneration",
        config={
            "text_config": decoder(
                layer_types=["linear_attention", "full_attention"],
                linear_key_head_dim=8,
                linear_value_head_dim=8,
                linear_num_key_heads=2,
                linear_num_value_heads=4,
                rope_parameters=MROPE | {"partial_rotary_factor": 1.0},
            ),
            "vision_config": grid_encoder(num_position_embeddings=64),
            **VISION_IDS,
        },
        processor="Qwen3VLProcessor",
        parts=grid_parts("Qwen3VL", 16),
        tokens=(*CHATML_TOKENS, *VISION_TOKENS),
        template=chat_template(*CHATML, SEEN),
    ),
    "gemma4": Family(
        model="Gemma4ForConditionalGeneration",
        config={
            "text_config": decoder(
                num_hidden_layers=4,
                layer_types=["sliding_attention", "full_attention"] * 2,
                sliding_window=24,
                vocab_size_per_layer_input=VOCABULARY,
                hidden_size_per_layer_input=8,
                global_head_dim=8,
            ),
            "vision_config": encoder(num_key_value_heads=4, head_dim=8, position_embedding_size=64),
            "audio_config": {
                "hidden_size": 32,
                "num_hidden_layers": 2,
                "num_attention_heads": 4,
                "subsampling_conv_channels": [128, 8],
                "output_proj_dims": 32,
            },
            "image_token_id": "id:<|image|>",
            "video_token_id": "id:<|video|>",
            "audio_token_id": "id:<|audio|>",
            "boi_token_id": "id:<|image>",
            "eoi_token_id": "id:<image|>",
            "boa_token_id": "id:<|audio>",
            "eoa_token_index": "id:<audio|>",
        },
        processor="Gemma4Processor",
        media=("image", "audio"),
        parts={
            "image_processor": ("Gemma4ImageProcessorPil", {"max_soft_tokens": 70}),
            "video_processor": ("Gemma4VideoProcessor", {"max_soft_tokens": 70}),
            "feature_extractor": ("Gemma4AudioFeatureExtractor", {}),
        },
        arguments={"image_seq_length": 70},
        tokens=("<|turn>", "<turn|>", "<|video|>"),
        named={
            "image_token": "<|image|>",
            "boi_token": "<|image>",
            "eoi_token": "<image|>",
            "audio_token": "<|audio|>",
            "boa_token": "<|audio>",
            "eoa_token": "<audio|>",
        },
        template=chat_template(
            "<|turn>ROLE\n",
            "<turn|>\n",
            "<|turn>model\n",
            {"image": "<|image|>", "audio": "<|audio|>", "video": "<|video|>"},
        ),
    ),
    "internvl": Family(
        model="InternVLForConditionalGeneration",
        config={
            "text_config": {"model_type": "qwen2", **decoder()},
            "vision_config": {"model_type": "internvl_vision", **encoder(image_size=[56, 56], patch_size=[14, 14])},
            "image_token_id": "id:<IMG_CONTEXT>",
            "image_seq_length": 4,
        },
        processor="InternVLProcessor",
        parts={
            "image_processor": (
                "GotOcr2ImageProcessorPil",
                {"size": square(56), "crop_to_patches": True, "max_patches": 4},
            ),
            "video_processor": ("InternVLVideoProcessor", {"size": square(56)}),
        },
        arguments={"image_seq_length": 4},
        tokens=CHATML_TOKENS,
        named={
            "start_image_token": "<img>",
            "end_image_token": "</img>",
            "context_image_token": "<IMG_CONTEXT>",
            "video_token": "<video>",
        },
        template=chat_template(*CHATML, {"image": "<IMG_CONTEXT>\n", "video": "<video>\n"}),
    ),
    "llava_next": Family(
        model="LlavaNextForConditionalGeneration",
        config={
            "text_config": {"model_type": "llama", **decoder()},
            "vision_config": CLIP,
            "image_token_index": "id:<image>",
            "image_grid_pinpoints": TILES,
        },
        processor="LlavaNextProcessor",
        parts={
            "image_processor": (
                "LlavaNextImageProcessorPil",
                {"size": {"shortest_edge": 56}, "crop_size": square(56), "image_grid_pinpoints": TILES},
            )
        },
        arguments={"patch_size": 14, "vision_feature_select_strategy": "default", "num_additional_image_tokens": 1},
        tokens=("[INST]", "[/INST]"),
        template=chat_template("[INST] ", " [/INST]", "", {"image": "<image>\n"}),
    ),
    "llava_onevision": Family(
        model="LlavaOnevisionForConditionalGeneration",
        config={
            "text_config": {"model_type": "qwen2", **decoder()},
            "vision_config": SIGLIP,
            "image_token_index": "id:<image>",
            "video_token_index": "id:<video>",
            "image_grid_pinpoints": TILES,
        },
        processor="LlavaOnevisionProcessor",
        parts={
            "image_processor": ("LlavaOnevisionImageProcessorPil", {"size": square(56), "image_grid_pinpoints": TILES}),
            "video_processor": ("LlavaOnevisionVideoProcessor", {"size": square(56)}),
        },
        arguments={"num_image_tokens": 16, "vision_feature_select_strategy": "full"},
        tokens=(*CHATML_TOKENS, "<video>"),
        template=chat_template(*CHATML, {"image": "<image>\n", "video": "<video>\n"}),
    ),
    "idefics3": Family(
        model="Idefics3ForConditionalGeneration",
        config={
            "text_config": {"model_type": "llama", **decoder()},
            "vision_config": encoder(image_size=56, patch_size=14),
            "image_token_id": "id:<image>",
            "scale_factor": 2,
        },
        processor="Idefics3Processor",
        parts={
            "image_processor": (
                "Idefics3ImageProcessorPil",
                {"size": {"longest_edge": 112}, "max_image_size": {"longest_edge": 56}},
            )
        },
        arguments={"image_seq_len": 4},
        tokens=(
            "<fake_token_around_image>",
            "<end_of_utterance>",
            "<global-img>",
            *(f"<row_{row}_col_{column}>" for row in range(1, 7) for column in range(1, 7)),
        ),
        template=chat_template("ROLE: ", "<end_of_utterance>\n", "assistant:", {"image": "<image>"}),
    ),
    "mistral3": Family(
        model="Mistral3ForConditionalGeneration",
        config={
            "text_config": {"model_type": "mistral", **decoder()},
            "vision_config": {"model_type": "pixtral", **encoder(image_size=112, patch_size=14, head_dim=8)},
            "image_token_index": "id:[IMG]",
        },
        processor="PixtralProcessor",
        parts={
            "image_processor": ("PixtralImageProcessorPil", {"size": {"longest_edge": 112}, "patch_size": square(14)})
        },
        arguments={"patch_size": 14, "spatial_merge_size": 2},
        tokens=("[INST]", "[/INST]", "[IMG]", "[IMG_BREAK]", "[IMG_END]"),
        template=chat_template("[INST]", "[/INST]", "", {"image": "[IMG]"}),
    ),
    "llama4": Family(
        model="Llama4ForConditionalGeneration",
        config={
            "text_config": decoder(
                intermediate_size_mlp=64,
                num_local_experts=2,
                moe_layers=[1],
                no_rope_layers=[1, 1],
                attention_chunk_size=512,
            ),
            "vision_config": encoder(
                intermediate_size=128,
                vision_output_dim=32,
                image_size=56,
                patch_size=14,
                projector_input_dim=32,
                projector_output_dim=32,
            ),
            "image_token_index": "id:<|patch|>",
            "boi_token_index": "id:<|image_start|>",
            "eoi_token_index": "id:<|image_end|>",
        },
        processor="Llama4Processor",
        needs="torchvision",
        parts={"image_processor": ("Llama4ImageProcessor", {"size": square(56)})},
        arguments={"patch_size": 14},
        tokens=(
            *("<|header_start|>", "<|header_end|>", "<|eot|>", "<|image|>", "<|image_start|>", "<|image_end|>"),
            *("<|patch|>", "<|tile_x_separator|>", "<|tile_y_separator|>"),
        ),
        template=chat_template(
            "<|header_start|>ROLE<|header_end|>\n\n",
            "<|eot|>",
            "<|header_start|>assistant<|header_end|>\n\n",
            {"image": "<|image|>"},
        ),
    ),
    "blip-2": Family(
        model="Blip2ForConditionalGeneration",
        config={
            "text_config": {
                "model_type": "opt",
                **decoder(ffn_dim=64, word_embed_proj_dim=32),
            },
            "vision_config": encoder(image_size=56, patch_size=14, initializer_range=0.02),
            "qformer_config": encoder(
                vocab_size=VOCABULARY, encoder_hidden_size=32, hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0
            ),
            "num_query_tokens": 8,
            "image_token_index": "id:<image>",
        },
        processor="Blip2Processor",
        parts={"image_processor": ("BlipImageProcessorPil", {"size": square(56)})},
        arguments={"num_query_tokens": 8},
        template=chat_template("", " ", "Answer:", {"image": ""}),
    ),
    "instructblip": Family(
        model="InstructBlipForConditionalGeneration",
        config={
            "text_config": {"model_type": "llama", **decoder()},
            "vision_config": encoder(image_size=56, patch_size=14, initializer_range=0.02),
            "qformer_config": encoder(
                vocab_size=VOCABULARY, encoder_hidden_size=32, hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0
            ),
            "num_query_tokens": 8,
            "image_token_index": "id:<image>",
        },
        processor="InstructBlipProcessor",
        parts={"image_processor": ("BlipImageProcessorPil", {"size": square(56)})},
        arguments={"num_query_tokens": 8},
        subfolder_tokenizers=("qformer_tokenizer",),
        template=chat_template("", " ", "Answer:", {"image": ""}),
    ),
    "glm4v": Family(
        model="Glm4vForConditionalGeneration",
        config={
            "text_config": decoder(rope_parameters=MROPE | {"partial_rotary_factor": 1.0}),
            "vision_config": grid_encoder(image_size=112, patch_size=14, attention_dropout=0.0),
            "image_token_id": "id:<|image|>",
            "video_token_id": "id:<|video|>",
            "image_start_token_id": "id:<|begin_of_image|>",
            "image_end_token_id": "id:<|end_of_image|>",
            "video_start_token_id": "id:<|begin_of_video|>",
            "video_end_token_id": "id:<|end_of_video|>",
        },
        processor="Glm4vProcessor",
        parts=grid_parts("Glm4v", 14),
        tokens=(
            *("[gMASK]", "<sop>", "<|user|>", "<|assistant|>", "<|image|>", "<|video|>"),
            *("<|begin_of_image|>", "<|end_of_image|>", "<|begin_of_video|>", "<|end_of_video|>"),
        ),
        template=chat_template(
            "<|ROLE|>\n",
            "",
            "<|assistant|>\n",
            {
                "image": "<|begin_of_image|><|image|><|end_of_image|>",
                "video": "<|begin_of_video|><|video|><|end_of_video|>",
            },
        ),
    ),
    "paligemma": Family(
        model="PaliGemmaForConditionalGeneration",
        config={
            "text_config": {"model_type": "gemma", **decoder()},
            "vision_config": SIGLIP | {"projection_dim": 32},
            "projection_dim": 32,
            "image_token_index": "id:<image>",
        },
        processor="PaliGemmaProcessor",
        parts={"image_processor": ("SiglipImageProcessorPil", {"size": square(56), "image_seq_length": 16})},
        tokens=(
            *(f"<loc{place:0>4}>" for place in range(1024)),
            *(f"<seg{segment:0>3}>" for segment in range(128)),
        ),
        template=chat_template("", "", "", {"image": "<image>"}),
    ),
    "qwen2_5_omni": Family(
        model="Qwen2_5OmniThinkerForConditionalGeneration",
        config={
            "text_config": decoder(rope_parameters=MROPE),
            "vision_config": grid_encoder(window_size=56, fullatt_block_indexes=[1]),
            "audio_config": {
                "num_mel_bins": 128,
                "encoder_layers": 2,
                "encoder_attention_heads": 4,
                "encoder_ffn_dim": 64,
                "d_model": 32,
                "output_dim": 32,
                "max_source_positions": 100,
                "n_window": 25,
            },
            "image_token_id": "id:<|IMAGE|>",
            "video_token_id": "id:<|VIDEO|>",
            "audio_token_id": "id:<|AUDIO|>",
            "image_token_index": "id:<|IMAGE|>",
            "video_token_index": "id:<|VIDEO|>",
            "audio_token_index": "id:<|AUDIO|>",
            "audio_start_token_id": "id:<|audio_bos|>",
            "audio_end_token_id": "id:<|audio_eos|>",
            "vision_start_token_id": "id:<|vision_bos|>",
            "vision_end_token_id": "id:<|vision_eos|>",
        },
        processor="Qwen2_5OmniProcessor",
        media=("image", "audio"),
        parts=grid_parts("Qwen2VL", 14)
        | {"feature_extractor": ("WhisperFeatureExtractor", {"feature_size": 128, "chunk_length": 2})},
        tokens=CHATML_TOKENS,
        named={
            "image_token": "<|IMAGE|>",
            "audio_token": "<|AUDIO|>",
            "video_token": "<|VIDEO|>",
            "vision_bos_token": "<|vision_bos|>",
            "vision_eos_token": "<|vision_eos|>",
            "audio_bos_token": "<|audio_bos|>",
            "audio_eos_token": "<|audio_eos|>",
        },
        template=chat_template(
            *CHATML,
            {
                "image": "<|vision_bos|><|IMAGE|><|vision_eos|>",
                "audio": "<|audio_bos|><|AUDIO|><|audio_eos|>",
                "video": "<|vision_bos|><|VIDEO|><|vision_eos|>",
            },
        ),
    ),
}
