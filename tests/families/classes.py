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


NO_TEXT = "its forward takes no text beside the medium"
NOT_POSSIBLE = {
    "evolla": "it reads proteins",
    "glm_image": "its images become ids of discrete codes, which a gradient does not pass",
    "kyutai_speech_to_text": "its audio is ids of discrete codes, in the place of text",
    "mistral4": "it reads text only",
    "pi0": "it gives the actions of a robot, and no logits",
    "pix2struct": NO_TEXT,
    "pp_formulanet": NO_TEXT,
    "qwen2_5_omni": "it has no forward, only generate; its thinker is a class of its own",
    "qwen3_omni_moe": "it has no forward, only generate; its thinker is a class of its own",
    "udop": "an encoder-decoder that reads the boxes of words beside the page",
    "vision-encoder-decoder": NO_TEXT,
    "voxtral_realtime": "a stream: a piece of the audio is added to each token of the text",
}
"""Why there can be no two inputs of a class that differ in a medium between text."""
