"""The media of the families that take them in a way of their own, at the sizes of their tiny configs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from families.media import Media, grid


@dataclass(frozen=True)
class Noise:
    """A tensor of noise, with what stands before it in the last dimension."""

    shape: tuple[int, ...]
    before: Tensor | None = None

    def draw(self) -> Tensor:
        """Draw the noise."""
        noise = torch.randn(self.shape)
        return noise if self.before is None else torch.cat([self.before, noise], -1)


def make_media(model_type: str, modality: str) -> Media | None:
    """Make a medium, of new noise with every call. None: the family takes media as others do."""
    recipe = MEDIA.get((model_type, modality))
    return recipe and {name: _make(value) for name, value in recipe.items()}


def _make(value: Any) -> Tensor:
    if isinstance(value, Noise):
        return value.draw()
    return value.clone() if isinstance(value, Tensor) else torch.tensor(value)


def _noise(*shape: int) -> Noise:
    return Noise(shape)


def _ones(*shape: int, dtype: torch.dtype = torch.long) -> Tensor:
    return torch.ones(shape, dtype=dtype)


IMAGE = {"pixel_values": _noise(1, 3, 112, 112)}
TILES = {"pixel_values": _noise(1, 5, 3, 112, 112), "image_sizes": [[214, 214]]}
"""A view of the whole image, and four of its parts."""

QUESTION = {"qformer_input_ids": [[1, 2, 3]], "qformer_attention_mask": _ones(1, 3)}
WHISPER = {"input_features": _noise(1, 128, 128)}
"""A log-mel spectrogram of 128 bands."""

GEMMA_AUDIO = {"input_features": _noise(1, 64, 128), "input_features_mask": _ones(1, 64, dtype=torch.bool)}
GRANITE_SPEECH = {"input_features": _noise(1, 30, 160), "input_features_mask": _ones(1, 6, dtype=torch.bool)}
MUSE_IMAGE = {"pixel_values": _noise(24, 1176), "image_grid_thw": [[1, 4, 6]]}
MUSE_VIDEO = {"pixel_values_videos": _noise(48, 1176), "video_grid_thw": [[2, 4, 6]]}

MEDIA: Mapping[tuple[str, str], Mapping[str, Noise | Tensor | list[Any]]] = {
    ("blip-2", "image"): IMAGE,
    ("dots3_note", "audio"): {**WHISPER, "chunk_sample_lengths": [128 * 160]},
    ("fuyu", "image"): {"pixel_values": _noise(1, 6, 2700)},
    ("gemma3n", "audio"): GEMMA_AUDIO,
    ("gemma3n", "image"): {"pixel_values": _noise(1, 3, 128, 128)},
    ("gemma4", "audio"): GEMMA_AUDIO,
    ("gemma4_unified", "image"): {"pixel_values": _noise(1, 16, 432), "image_position_ids": grid(4, 4)},
    ("gemma4_unified", "video"): {
        "pixel_values_videos": _noise(2, 16, 432),
        "video_position_ids": grid(4, 4).repeat(2, 1, 1),
        "num_frames_per_video": [2],
    },
    ("granite4_vision", "image"): {"pixel_values": _noise(1, 5, 3, 256, 256), "image_sizes": [[502, 502]]},
    ("granite_speech", "audio"): GRANITE_SPEECH,
    ("granite_speech_plus", "audio"): GRANITE_SPEECH,
    ("idefics", "image"): {"pixel_values": _noise(1, 1, 3, 112, 112)},
    ("inkling2", "image"): {"pixel_values": _noise(6, 40, 40, 3), "image_grid_thw": [[1, 2, 3]]},
    ("inkling_mm_model", "image"): {"pixel_values": _noise(4, 2, 40, 40, 3)},
    ("instructblip", "image"): {**IMAGE, **QUESTION},
    ("instructblipvideo", "video"): {"pixel_values": _noise(1, 2, 3, 112, 112), **QUESTION},
    ("kimi_k25", "image"): {"pixel_values": _noise(16, 3, 14, 14), "image_grid_thw": [[1, 4, 4]]},
    ("kimi_k25", "video"): {"pixel_values_videos": _noise(16, 3, 14, 14), "video_grid_thw": [[1, 4, 4]]},
    ("kosmos-2", "image"): IMAGE,
    # Each patch comes after its row and column.
    ("kosmos-2.5", "image"): {"flattened_patches": Noise((1, 16, 768), before=1.0 + grid(4, 4))},
    ("llava_next", "image"): TILES,
    ("llava_next_video", "image"): TILES,
    ("llava_onevision", "image"): TILES,
    ("mllama", "image"): {
        "pixel_values": _noise(1, 1, 4, 3, 112, 112),
        "aspect_ratio_ids": [[6]],
        "aspect_ratio_mask": _ones(1, 1, 4),
    },
    ("molmo2", "image"): {
        "pixel_values": _noise(1, 64, 588),
        "image_token_pooling": torch.arange(64).reshape(16, 4),
        "image_grids": [[2, 4, 2, 4]],
        "image_num_crops": [1],
    },
    ("molmo2", "video"): {
        "pixel_values_videos": _noise(2, 64, 588),
        "video_token_pooling": torch.arange(128).reshape(32, 4),
        "video_grids": [[2, 4, 4]],
    },
    ("muse_glimmer", "image"): MUSE_IMAGE,
    ("muse_glimmer", "video"): MUSE_VIDEO,
    ("muse_spark", "audio"): {"input_values": _noise(1, 7680), "input_values_mask": _ones(1, 7680)},
    ("muse_spark", "image"): MUSE_IMAGE,
    ("muse_spark", "video"): MUSE_VIDEO,
    ("nemo_speechlm", "audio"): {**WHISPER, "input_features_mask": _ones(1, 128)},
    ("nemotron_h_omni", "image"): {"pixel_values": _noise(64, 768), "image_grid_hw": [[8, 8]]},
    ("perception_lm", "image"): {"pixel_values": _noise(1, 1, 3, 64, 64)},
    ("perception_lm", "video"): {"pixel_values_videos": _noise(1, 2, 3, 64, 64)},
    ("phi4_multimodal", "audio"): {"audio_input_features": _noise(1, 64, 80), "audio_embed_sizes": [8]},
    ("phi4_multimodal", "image"): {
        "image_pixel_values": _noise(1, 2, 3, 112, 112),
        "image_sizes": [[448, 448]],
        "image_attention_mask": _ones(1, 2, 8, 8, dtype=torch.bool),
    },
    ("qwen2_5_omni_thinker", "audio"): {**WHISPER, "feature_attention_mask": _ones(1, 128)},
    ("qwen2_audio", "audio"): {**WHISPER, "feature_attention_mask": _ones(1, 128)},
    ("qwen3_asr", "audio"): {"input_features": _noise(1, 128, 200), "input_features_mask": _ones(1, 200)},
    ("qwen3_omni_moe_thinker", "audio"): {**WHISPER, "feature_attention_mask": _ones(1, 128)},
    ("voxtral", "audio"): WHISPER,
}
