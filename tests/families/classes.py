"""Which classes there are: those of the multimodal mapping, and those that it leaves out."""

from __future__ import annotations

from transformers.models.auto import modeling_auto

UNMAPPED = {
    "audioflamingo3": "AudioFlamingo3ForConditionalGeneration",
    "glm_image": "GlmImageForConditionalGeneration",
    "musicflamingo": "MusicFlamingoForConditionalGeneration",
    "vibevoice": "VibeVoiceForConditionalGeneration",
}


def list_classes() -> dict[str, str]:
    """Return the name of the class of each model type."""
    return {**modeling_auto.MODEL_FOR_MULTIMODAL_LM_MAPPING_NAMES, **UNMAPPED}
