"""The media of the families that take them in a way of their own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import torch
from transformers import PreTrainedConfig

from families.media import Media, grid, noise

Make = Callable[[PreTrainedConfig], Iterator[Media]]


def _ones(*shape: int) -> torch.Tensor:
    return torch.ones(shape, dtype=torch.long)


def _single(make: Callable[[Any], Media]) -> Make:
    """Return a maker of a single medium."""

    def one_medium(config: PreTrainedConfig) -> Iterator[Media]:
        yield make(config)

    return one_medium


def _tiles(config: Any) -> Iterator[Media]:
    """A view of the whole image and its tiles."""
    size = config.vision_config.image_size
    yield {"pixel_values": noise(1, 5, 3, size, size), "image_sizes": torch.tensor([[2 * size - 10, 2 * size - 10]])}
    yield {"pixel_values": noise(1, 3, 3, size, size), "image_sizes": torch.tensor([[2 * size - 10, size - 10]])}


def _with_question(config: Any) -> Iterator[Media]:
    """An image, and the question that InstructBLIP's Q-Former reads."""
    size = config.vision_config.image_size
    for shape in ((1, 3, size, size), (1, 2, 3, size, size)):
        question = {"qformer_input_ids": torch.tensor([[1, 2, 3]]), "qformer_attention_mask": _ones(1, 3)}
        yield {"pixel_values": noise(*shape), **question}


def _granite_speech(config: Any) -> Iterator[Media]:
    for steps, rows in ((30, 6), (60, 12)):
        mask = torch.ones(1, rows, dtype=torch.bool)
        yield {"input_features": noise(1, steps, config.encoder_config.input_dim), "input_features_mask": mask}


def _mel(mask: str | None, *steps: int) -> Make:
    """Return a maker of log-mel spectrograms of 128 bands."""

    def spectrograms(_config: PreTrainedConfig) -> Iterator[Media]:
        for n in steps:
            yield {"input_features": noise(1, 128, n), **({mask: _ones(1, n)} if mask else {})}

    return spectrograms


def _gemma_audio(_config: Any) -> Iterator[Media]:
    yield {"input_features": noise(1, 64, 128), "input_features_mask": torch.ones(1, 64, dtype=torch.bool)}


def _image(config: Any) -> Media:
    size = config.vision_config.image_size
    return {"pixel_values": noise(1, 3, size, size)}


def _phi4_image(config: Any) -> Media:
    size, patch = config.vision_config.image_size, config.vision_config.patch_size
    return {
        "image_pixel_values": noise(1, 2, 3, size, size),
        "image_sizes": torch.tensor([[config.vision_config.crop_size] * 2]),
        "image_attention_mask": torch.ones(1, 2, size // patch, size // patch, dtype=torch.bool),
    }


def _muse(modality: str, pixels: str) -> Make:
    frames = 2 if modality == "video" else 1
    return _single(
        lambda _c: {
            pixels: noise(frames * 24, 1176),
            f"{modality}_grid_thw": torch.tensor([[frames, 4, 6]]),
        }
    )


MEDIA: dict[tuple[str, str], Make] = {
    ("blip-2", "image"): _single(_image),
    ("dots3_note", "audio"): _single(
        lambda _c: {"input_features": noise(1, 128, 128), "chunk_sample_lengths": torch.tensor([128 * 160])}
    ),
    ("fuyu", "image"): _single(lambda c: {"pixel_values": noise(1, 6, 3 * c.patch_size**2)}),
    ("gemma3n", "audio"): _gemma_audio,
    ("gemma3n", "image"): _single(lambda _c: {"pixel_values": noise(1, 3, 128, 128)}),
    ("gemma4", "audio"): _gemma_audio,
    ("gemma4_unified", "image"): _single(
        lambda _c: {"pixel_values": noise(1, 16, 432), "image_position_ids": grid(4, 4)}
    ),
    ("gemma4_unified", "video"): _single(
        lambda _c: {
            "pixel_values_videos": noise(2, 16, 432),
            "video_position_ids": grid(4, 4).expand(2, -1, -1),
            "num_frames_per_video": torch.tensor([2]),
        }
    ),
    ("granite4_vision", "image"): _tiles,
    ("granite_speech", "audio"): _granite_speech,
    ("granite_speech_plus", "audio"): _granite_speech,
    ("idefics", "image"): _single(lambda c: {"pixel_values": _image(c)["pixel_values"][None]}),
    ("instructblip", "image"): _with_question,
    ("instructblipvideo", "video"): _with_question,
    ("kimi_k25", "image"): _single(
        lambda _c: {"pixel_values": noise(16, 3, 14, 14), "image_grid_thw": torch.tensor([[1, 4, 4]])}
    ),
    ("inkling2", "image"): _single(
        lambda _c: {"pixel_values": noise(6, 40, 40, 3), "image_grid_thw": torch.tensor([[1, 2, 3]])}
    ),
    ("inkling_mm_model", "image"): _single(lambda _c: {"pixel_values": noise(4, 2, 40, 40, 3)}),
    ("kimi_k25", "video"): _single(
        lambda _c: {"pixel_values_videos": noise(16, 3, 14, 14), "video_grid_thw": torch.tensor([[1, 4, 4]])}
    ),
    ("kosmos-2", "image"): _single(_image),
    ("kosmos-2.5", "image"): _single(
        lambda _c: {"flattened_patches": torch.cat([1 + grid(4, 4).float(), noise(1, 16, 768)], -1)}
    ),
    ("llava_next", "image"): _tiles,
    ("llava_next_video", "image"): _tiles,
    ("llava_onevision", "image"): _tiles,
    ("mllama", "image"): _single(
        lambda c: {
            "pixel_values": noise(1, 1, 4, 3, c.vision_config.image_size, c.vision_config.image_size),
            "aspect_ratio_ids": torch.tensor([[6]]),
            "aspect_ratio_mask": _ones(1, 1, 4),
        }
    ),
    ("molmo2", "image"): _single(
        lambda _c: {
            "pixel_values": noise(1, 64, 588),
            "image_token_pooling": torch.arange(64).reshape(16, 4),
            "image_grids": torch.tensor([[2, 4, 2, 4]]),
            "image_num_crops": torch.tensor([1]),
        }
    ),
    ("molmo2", "video"): _single(
        lambda _c: {
            "pixel_values_videos": noise(2, 64, 588),
            "video_token_pooling": torch.arange(128).reshape(32, 4),
            "video_grids": torch.tensor([[2, 4, 4]]),
        }
    ),
    ("muse_glimmer", "image"): _muse("image", "pixel_values"),
    ("muse_glimmer", "video"): _muse("video", "pixel_values_videos"),
    ("muse_spark", "image"): _muse("image", "pixel_values"),
    ("muse_spark", "video"): _muse("video", "pixel_values_videos"),
    ("muse_spark", "audio"): _single(lambda _c: {"input_values": noise(1, 7680), "input_values_mask": _ones(1, 7680)}),
    ("nemo_speechlm", "audio"): _single(
        lambda _c: {"input_features": noise(1, 128, 128), "input_features_mask": _ones(1, 128)}
    ),
    ("nemotron_h_omni", "image"): _single(
        lambda _c: {"pixel_values": noise(64, 768), "image_grid_hw": torch.tensor([[8, 8]])}
    ),
    ("nemotron_h_omni", "video"): _single(lambda _c: {"pixel_values_videos": noise(4, 3, 128, 128)}),
    ("perception_lm", "image"): _single(lambda _c: {"pixel_values": noise(1, 1, 3, 64, 64)}),
    ("perception_lm", "video"): _single(lambda _c: {"pixel_values_videos": noise(1, 2, 3, 64, 64)}),
    ("phi4_multimodal", "audio"): _single(
        lambda c: {
            "audio_input_features": noise(1, 64, c.audio_config.input_size),
            "audio_embed_sizes": torch.tensor([8]),
        }
    ),
    ("phi4_multimodal", "image"): _single(_phi4_image),
    ("qwen2_5_omni_thinker", "audio"): _mel("feature_attention_mask", 128, 100),
    ("qwen2_audio", "audio"): _mel("feature_attention_mask", 128, 100),
    ("qwen3_asr", "audio"): _mel("input_features_mask", 128, 64, 96, 32, 200),
    ("qwen3_omni_moe_thinker", "audio"): _mel("feature_attention_mask", 128, 100),
    ("voxtral", "audio"): _mel(None, 128),
}
