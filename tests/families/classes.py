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
DISCRETE = "ids of discrete codes: the model's forward gets no tensor that a gradient could pass"
GENERATE_ONLY = "it has no forward, only generate; its thinker is a class of its own"

NOT_POSSIBLE: dict[tuple[str, str], str] = {
    ("evolla", ""): "it reads proteins",
    ("glm_image", ""): DISCRETE,
    ("inkling_mm_model", "audio"): DISCRETE,
    ("kyutai_speech_to_text", ""): DISCRETE,
    ("mistral4", ""): "it reads text only",
    ("nemotron_h_omni", "video"): "its forward fails on each video: it takes the features for a list of tensors",
    ("pi0", ""): "it gives the actions of a robot, and no logits",
    ("pix2struct", ""): NO_TEXT,
    ("pp_formulanet", ""): NO_TEXT,
    ("qwen2_5_omni", ""): GENERATE_ONLY,
    ("qwen3_omni_moe", ""): GENERATE_ONLY,
    ("udop", ""): "an encoder-decoder that reads the boxes of words beside the page",
    ("vision-encoder-decoder", ""): NO_TEXT,
    ("voxtral_realtime", ""): "a stream: a piece of the audio is added to each token of the text",
}
"""Why a class has no pair of a modality, or of any (""). Read in transformers 5.23."""
