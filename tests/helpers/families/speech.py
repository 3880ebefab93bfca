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
}
