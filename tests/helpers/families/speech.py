"""The families that hear audio."""

from __future__ import annotations

from helpers.families.chat import chat_template
from helpers.families.family import Family, decoder, encoder
from helpers.families.images import CHATML, CHATML_TOKENS

TWO_SECONDS = {"feature_size": 128, "chunk_length": 2, "sampling_rate": 16000}

SPEECH_FAMILIES: dict[str, Family] = {
    "audioflamingo3": Family(
        model="AudioFlamingo3ForConditionalGeneration",
        config={
            "text_config": {"model_type": "qwen2", **decoder()},
            "audio_config": encoder(max_source_positions=100),
            "audio_token_id": "id:<sound>",
        },
        processor="AudioFlamingo3Processor",
        media=("audio",),
        parts={"feature_extractor": ("WhisperFeatureExtractor", TWO_SECONDS | {"return_attention_mask": True})},
        tokens=(*CHATML_TOKENS, "<sound>"),
        template=chat_template(*CHATML, {"audio": "<sound>"}),
    ),
    "voxtral": Family(
        model="VoxtralForConditionalGeneration",
        config={
            "text_config": {"model_type": "llama", **decoder()},
            "audio_config": encoder(max_source_positions=100, intermediate_size=128),
            "audio_token_id": "id:[AUDIO]",
        },
        processor="VoxtralProcessor",
        media=("audio",),
        parts={"feature_extractor": ("WhisperFeatureExtractor", TWO_SECONDS)},
        tokens=("[INST]", "[/INST]", "[BEGIN_AUDIO]"),
        fixed={24: "[AUDIO]"},
        unexpanded=("[AUDIO]", 25),
        template=chat_template("[INST]", "[/INST]", "", {"audio": "[BEGIN_AUDIO][AUDIO]"}),
    ),
    "granite_speech": Family(
        model="GraniteSpeechForConditionalGeneration",
        config={
            "text_config": {"model_type": "granite", **decoder()},
            "encoder_config": {
                "input_dim": 160,
                "num_layers": 2,
                "hidden_dim": 32,
                "num_heads": 4,
                "dim_head": 8,
                "output_dim": 8,
                "context_size": 50,
                "max_pos_emb": 64,
                "dropout": 0.0,
            },
            "projector_config": {
                "model_type": "blip_2_qformer",
                **encoder(encoder_hidden_size=32, hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0),
            },
            "audio_token_index": "id:<|audio|>",
            "has_lora_adapter": False,
        },
        processor="GraniteSpeechProcessor",
        media=("audio",),
        needs="torchaudio",
        parts={"audio_processor": ("GraniteSpeechFeatureExtractor", {})},
        tokens=("<|audio|>", "<|start_of_role|>", "<|end_of_role|>", "<|end_of_text|>"),
        template=chat_template(
            "<|start_of_role|>ROLE<|end_of_role|>",
            "<|end_of_text|>\n",
            "<|start_of_role|>assistant<|end_of_role|>",
            {"audio": "<|audio|>"},
        ),
    ),
}
