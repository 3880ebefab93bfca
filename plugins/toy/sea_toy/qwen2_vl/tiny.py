"""The bundled tiny Qwen2-VL: 1.4 million weights of the real class, trained on the toy world's pictures and videos."""

from __future__ import annotations

import random
from abc import abstractmethod
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from sea_core.model.embedding import Grid
from sea_core.model.mllm import MLLM
from sea_core.model.processor import with_stand_ins
from sea_core.model.video_files import Video
from sea_qwen2_vl.adapter import ImageAdapter, VideoAdapter
from sea_qwen2_vl.processor import FrameProcessor
from sea_toy import pictures
from sea_toy.student import Student, TrainConfig
from sea_toy.tokenizer import train_tokenizer

SPECIAL = (
    "<|endoftext|>",
    "<|im_start|>",
    "<|im_end|>",
    "<|vision_start|>",
    "<|vision_end|>",
    "<|image_pad|>",
    "<|video_pad|>",
)
TEMPLATE = (
    "{% for message in messages %}{% if loop.first and message['role'] != 'system' %}"
    "<|im_start|>system\nYou are a helpful assistant.<|im_end|>\n{% endif %}<|im_start|>{{ message['role'] }}\n"
    "{% if message['content'] is string %}{{ message['content'] }}{% else %}{% for content in message['content'] %}"
    "{% if content['type'] == 'image' %}<|vision_start|><|image_pad|><|vision_end|>"
    "{% elif content['type'] == 'video' %}<|vision_start|><|video_pad|><|vision_end|>"
    "{% else %}{{ content['text'] }}{% endif %}{% endfor %}{% endif %}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
"""The family's chat template, without the part that numbers several media."""
IMAGE_SIDE, VIDEO_SIDE, FRAMES = 84, 56, 6
"""Pixels of the model's square inputs, and frames of a video: 36 and 48 vectors of E, 9 and 12 placeholders."""
PATCH, MERGE, STEP = 14, 2, 2
TRAIN_CONFIG = TrainConfig(
    renderings=12, encoder_steps=2000, encoder_batch=48, language_steps=1400, media_batch=24, text_batch=4
)


class VisionStudent(Student):
    """What the students of pictures and of videos share: frames go to the encoder without resizing."""

    plugin = "qwen2_vl"
    config = TRAIN_CONFIG

    def create(self, corpus: Iterable[str]) -> MLLM:
        from transformers import Qwen2VLConfig, Qwen2VLForConditionalGeneration

        processor = build_processor(train_tokenizer(corpus, SPECIAL, end="<|im_end|>", pad="<|endoftext|>"))
        config = Qwen2VLConfig(
            vision_config=vision_config(96, 3, 4, 128),
            text_config={
                "model_type": "qwen2_vl_text",
                "hidden_size": 128,
                "num_hidden_layers": 3,
                "num_attention_heads": 4,
                "num_key_value_heads": 4,
                "intermediate_size": 384,
                "vocab_size": len(processor.tokenizer),
                "max_position_embeddings": 512,
                "rope_parameters": {"rope_type": "default", "rope_theta": 1e6, "mrope_section": [4, 6, 6]},
                "bos_token_id": None,
                "eos_token_id": processor.tokenizer.eos_token_id,
            },
            tie_word_embeddings=False,
            **token_ids(processor.tokenizer),
        )
        return MLLM(self.adapter, Qwen2VLForConditionalGeneration(config), processor)

    @abstractmethod
    def frames(self, medium: Any) -> np.ndarray:
        """Return a medium's frames, (frames, side, side, 3), two for each time step."""

    def encoder_inputs(self, mllm: MLLM, media: Sequence[Any]) -> dict[str, Tensor]:
        return {"frames": torch.from_numpy(np.stack([self.frames(medium) for medium in media]))}

    def encode(self, mllm: MLLM, inputs: dict[str, Tensor]) -> tuple[Tensor, Tensor]:
        embedding = encode_frames(
            mllm.model.get_submodule("model.visual"), make_patches(inputs["frames"], mllm.processor)
        )
        return embedding, torch.full((len(embedding),), embedding.shape[1])

    def grids(self, inputs: dict[str, Tensor], count: int) -> list[Grid]:
        _, frames, height, width, _ = inputs["frames"].shape
        return [(frames // STEP, height // PATCH, width // PATCH)] * count


class TinyImageStudent(VisionStudent):
    """A phrase in letters with a drawing, in six styles, with random offset, size, colour and noise."""

    adapter = ImageAdapter(height=IMAGE_SIDE, width=IMAGE_SIDE)

    def render(self, phrase: str, style: str, rng: random.Random) -> Any:
        return pictures.draw(phrase, style, rng, IMAGE_SIDE)

    def render_blank(self, rng: random.Random) -> Any:
        from PIL import Image

        return Image.fromarray(near_black((IMAGE_SIDE, IMAGE_SIDE, 3), rng))

    def frames(self, medium: Any) -> np.ndarray:
        return np.stack([np.asarray(medium)] * STEP)  # transformers repeats a picture, too


class TinyVideoStudent(VisionStudent):
    """One word after another over a moving object, in the same styles."""

    adapter = VideoAdapter(height=VIDEO_SIDE, width=VIDEO_SIDE, frames=FRAMES)

    def render(self, phrase: str, style: str, rng: random.Random) -> Video:
        return Video(np.stack([np.asarray(f) for f in pictures.frames(phrase, style, rng, VIDEO_SIDE, FRAMES)]))

    def render_blank(self, rng: random.Random) -> Video:
        return Video(near_black((FRAMES, VIDEO_SIDE, VIDEO_SIDE, 3), rng))

    def frames(self, medium: Any) -> np.ndarray:
        frames: np.ndarray = medium.frames
        return frames


class TinyQwen2VLStudent(TinyImageStudent):
    """The tiny model's two modalities: pictures and videos."""

    other_modalities = (TinyVideoStudent(),)


def near_black(shape: tuple[int, ...], rng: random.Random) -> np.ndarray:
    """Return black frames in uint8; half of the time with a little noise."""
    if rng.random() < 0.5:
        return np.zeros(shape, np.uint8)
    noise = np.random.default_rng(rng.getrandbits(32)).normal(0, rng.uniform(1, 6), shape)
    return np.abs(noise).clip(0, 255).astype(np.uint8)


def make_patches(frames: Tensor, processor: Any) -> Tensor:
    """Return the processor's patches for uint8 frames of the model's size: (media, t, h * w, 3 * 2 * 14 * 14)."""
    n, f, height, width, _ = frames.shape
    mean, std = (torch.tensor(x) for x in (processor.image_processor.image_mean, processor.image_processor.image_std))
    pixels = (frames / 255 - mean) / std
    t, h, w = f // STEP, height // PATCH, width // PATCH
    parts = pixels.view(n, t, STEP, h // MERGE, MERGE, PATCH, w // MERGE, MERGE, PATCH, 3)
    return parts.permute(0, 1, 3, 6, 4, 7, 9, 2, 5, 8).reshape(n, t, h * w, -1)


def encode_frames(visual: Any, pixels: Tensor) -> Tensor:
    """Return the vision transformer's output before the merger, (media, t * h * w, width), for squares of one size.

    transformers loops over media and time steps in Python; here they are one batch. The weights are the same, and so is
    the result up to rounding.
    """
    from transformers.models.qwen2_vl.modeling_qwen2_vl import apply_rotary_pos_emb_vision
    from transformers.vision_utils import get_vision_position_ids

    n, t, count, _ = pixels.shape
    side = round(count**0.5)
    weight = visual.patch_embed.proj.weight  # a convolution whose kernels do not overlap is a matrix product
    hidden = nn.functional.linear(pixels.flatten(0, 1), weight.flatten(1))
    cos, sin = visual.rotary_pos_emb(hidden, get_vision_position_ids(torch.tensor([[1, side, side]]), MERGE))
    for block in visual.blocks:
        heads = block.attn.num_heads
        q, k, v = block.attn.qkv(block.norm1(hidden)).view(n * t, count, 3, heads, -1).unbind(2)
        q, k = apply_rotary_pos_emb_vision(q, k, cos, sin)
        mixed = nn.functional.scaled_dot_product_attention(*(x.transpose(1, 2) for x in (q, k, v)))
        hidden = hidden + block.attn.proj(mixed.transpose(1, 2).flatten(2))
        hidden = hidden + block.mlp(block.norm2(hidden))
    seen: Tensor = hidden.view(n, t * count, -1)
    return seen


def build_processor(tokenizer: Any) -> Any:
    """Return the family's processor around the tokenizer, for squares of IMAGE_SIDE and VIDEO_SIDE pixels."""
    from transformers import Qwen2VLImageProcessorPil, Qwen2VLProcessor

    tokenizer.padding_side = "left"
    tokenizer.chat_template = TEMPLATE
    images = Qwen2VLImageProcessorPil(size={"shortest_edge": IMAGE_SIDE**2, "longest_edge": IMAGE_SIDE**2})
    size = {"shortest_edge": VIDEO_SIDE**2, "longest_edge": VIDEO_SIDE**2}
    frames = FrameProcessor({"size": size, "max_frames": FRAMES})
    return with_stand_ins(Qwen2VLProcessor)(images, tokenizer, frames, chat_template=TEMPLATE)


def vision_config(width: int, layers: int, heads: int, out: int) -> dict[str, Any]:
    """Return a vision transformer's configuration; `out` is the width of the language model."""
    return {
        "model_type": "qwen2_vl_vision",
        "embed_dim": width,
        "depth": layers,
        "num_heads": heads,
        "mlp_ratio": 4,
        "hidden_size": out,
        "patch_size": PATCH,
        "spatial_merge_size": MERGE,
        "temporal_patch_size": STEP,
    }


def token_ids(tokenizer: Any) -> dict[str, int]:
    """Return the token ids that the model's configuration needs."""
    names = {
        "image_token_id": "<|image_pad|>",
        "video_token_id": "<|video_pad|>",
        "vision_start_token_id": "<|vision_start|>",
        "vision_end_token_id": "<|vision_end|>",
    }
    return {name: tokenizer.convert_tokens_to_ids(token) for name, token in names.items()}
