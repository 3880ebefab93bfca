"""The adapters that fit any checkpoint: what a modality needs is here, what a model needs is derived (see fit.py)."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from sea_auto.facts import Facts, keep_facts, load_facts, make_key
from sea_core.errors import DataError, ModelError, SeaError
from sea_core.model.adapter import Adapter

if TYPE_CHECKING:
    import numpy as np
    from PIL.Image import Image
    from torch import Tensor, nn

    from sea_core.model.crossing import ReplaySeam
    from sea_core.model.video_files import Video

STYLES = {
    "image": ("photographic", "painted", "cartoon", "sketched", "vintage", "monochrome"),
    "audio": ("bright", "deep", "hurried", "slow", "whispered", "noisy"),
}


@dataclass(frozen=True)
class AutoAdapter(Adapter):
    """One modality of any model. `fitted` returns the adapter of a checkpoint, with what was derived from it.

    Class attributes:
        facts: what was derived; None before `fitted`.
        processor_keywords: the names that processors give the argument for media.
        processor_parts: the names that processors give their part for media.
    """

    activity_prefix: str = ""
    """How the model opens an answer about an activity. Default: the modality's, such as "The image shows that"."""
    product_prefix: str = ""
    """How it opens an answer about a product. Default: the modality's, such as "The image shows"."""
    style_opening: str = ""
    """How it opens an answer about the style. Default: the modality's, such as "The style of the image is"."""

    facts: ClassVar[Facts | None] = None
    processor_keywords: ClassVar[tuple[str, ...]]
    processor_parts: ClassVar[tuple[str, ...]] = ()
    architectures: ClassVar[tuple[str, ...]] = ()
    checkpoint: ClassVar[str] = ""
    embedding_shape: ClassVar[str] = "derived from the model"
    placeholder: ClassVar[str] = ""
    is_derived = True
    casts_media = True

    @abstractmethod
    def keywords(self, processor: Any) -> Mapping[str, Any]:
        """Return further arguments that a processor needs for this modality."""

    @property
    def known(self) -> Facts:
        """What was derived. Raises SeaError before `fitted`."""
        if self.facts is None:
            raise SeaError(
                f"the plugin auto has no model of its own for the modality {self.modality}",
                hint="Type --model FOLDER_OR_HUB_ID: the model to derive from. The modality image+audio has a model.",
            )
        return self.facts

    # --- derivation ---------------------------------------------------------------------------------------------------

    def fitted(self, checkpoint: str, *, dtype: Any, device: str, revision: str | None = None) -> Adapter:
        """Return the adapter of a checkpoint, derived from it or, the second time, from what was kept.

        Raises:
            SeaError: no checkpoint was given.
            ModelError: it has code of its own, has no such modality, or nothing that is proved can be derived.
        """
        from sea_core.model.chat_template import given_template
        from sea_core.model.checkpoint import fingerprint

        if not checkpoint:
            _ = self.known
        key = make_key(
            fingerprint(checkpoint, revision), modality=self.modality, adapter=self, chat_template=given_template()
        )
        facts = load_facts(key)
        if facts is None:
            from sea_auto.fit import derive_facts

            facts = derive_facts(self, checkpoint, dtype=dtype, device=device, revision=revision)
            keep_facts(key, facts)
        return self.with_facts(facts)

    def with_facts(self, facts: Facts) -> AutoAdapter:
        """Return the same adapter for the model that facts were derived from."""
        attributes = {
            "facts": facts,
            "architectures": (facts.architecture,),
            "placeholder": facts.placeholder,
            "one_shape": facts.one_shape,
            "embedding_shape": f"{facts.features} x {facts.width}",
            "prefixes": {
                "activity": self.activity_prefix or self.prefixes["activity"],
                "product": self.product_prefix or self.prefixes["product"],
            },
            "style_prefix": self.style_opening or self.style_prefix,
        }
        cls: Any = type(f"{type(self).__name__}For{facts.architecture}", (type(self),), attributes)
        fitted: AutoAdapter = cls(**vars(self))
        return fitted

    # --- media --------------------------------------------------------------------------------------------------------

    def inputs(self, processor: Any, texts: Sequence[str], media: Sequence[Any]) -> Mapping[str, Any]:
        facts = self.known
        if facts.part:
            return self._inputs_of_parts(processor, texts, media)
        # Some processors must pad media to a fixed length: they may only be asked to pad texts.
        padding: dict[str, Any] = {"text_kwargs": {"padding": True}} if facts.pads_text_only else {"padding": True}
        more = {**self.keywords(processor), **padding}
        batch = processor(text=list(texts), **self.media_arguments(media), return_tensors="pt", **more)
        return {name: value for name, value in batch.items() if value is not None}

    def _inputs_of_parts(self, processor: Any, texts: Sequence[str], media: Sequence[Any]) -> Mapping[str, Any]:
        """Return the inputs that the tokenizer and the part for media make, with a run of placeholders for each one."""
        facts, tokenizer = self.known, processor.tokenizer
        read = getattr(processor, facts.part)(list(media), **self.keywords(processor), return_tensors="pt")
        expanded = [text.replace(facts.placeholder, facts.placeholder * facts.tokens) for text in texts]
        tokenizer.pad_token = tokenizer.pad_token or facts.end_token
        return {**read, **tokenizer(expanded, padding=True, return_tensors="pt")}

    def chat_text(self, processor: Any, chat: Sequence[Mapping[str, Any]]) -> str:
        return super().chat_text(processor.tokenizer if self.known.part else processor, chat)

    def noises(self, processor: Any) -> list[Any]:
        """Return media that are noise in one modality each."""
        return [self.noise(processor)]

    def media_arguments(self, media: Sequence[Any]) -> dict[str, Any]:
        """Return the processor's arguments for media, one for each text."""
        shown = [[medium] for medium in media] if self.known.is_nested else list(media)
        return {self.known.media_keyword: shown}

    # --- the model's parts --------------------------------------------------------------------------------------------

    def backbone(self, model: Any) -> nn.Module:
        module: nn.Module = model.get_submodule(self.known.backbone)
        return module

    def language_model(self, model: Any) -> nn.Module:
        module: nn.Module = model.get_submodule(self.known.language_model)
        return module

    def projector(self, model: Any) -> nn.Module:
        module: nn.Module = model.get_submodule(self.known.seam.crossings[0].module)
        return module

    def replay(self, model: Any) -> ReplaySeam | None:
        return None if self.known.mechanism == "splice" else self.known.seam

    def placeholders(self, n_features: int) -> int:
        facts = self.known
        return facts.tokens if n_features == facts.features else n_features * facts.tokens // facts.features

    def logits(self, model: Any, hidden: Tensor) -> Tensor:
        facts = self.known
        logits: Tensor = model.get_output_embeddings()(hidden)
        if facts.scale != 1:
            logits = logits * facts.scale
        return facts.softcap * (logits / facts.softcap).tanh() if facts.softcap else logits

    def end_token(self, processor: Any) -> str:
        return self.known.end_token

    @property
    def other_placeholders(self) -> tuple[str, ...]:
        return self.known.other_placeholders


@dataclass(frozen=True)
class ImageAutoAdapter(AutoAdapter):
    """Images through any model."""

    width: int = 224
    """Width of the blank image in pixels."""
    height: int = 224
    """Height of the blank image in pixels."""

    modality: ClassVar[str] = "image"
    noun: ClassVar[str] = "image"
    prefixes: ClassVar[Mapping[str, str]] = {"activity": "The image shows that", "product": "The image shows"}
    style_prefix: ClassVar[str] = "The style of the image is"
    styles: ClassVar[tuple[str, ...]] = STYLES["image"]
    blank_word: ClassVar[str] = "black"
    processor_keywords: ClassVar[tuple[str, ...]] = ("images",)

    def __post_init__(self) -> None:
        for name in ("width", "height"):
            if not 8 <= getattr(self, name) <= 4096:
                raise SeaError(
                    f"adapter.{name} is {getattr(self, name)}, but a side has from 8 to 4096 pixels",
                    hint=f"Type for example: -o adapter.{name}=224",
                )

    def keywords(self, processor: Any) -> Mapping[str, Any]:
        return {}

    def blank_input(self, processor: Any) -> Image:
        return self.medium_of((self.width, self.height), processor)

    def medium_of(self, size: tuple[int, ...], processor: Any) -> Image:
        from PIL import Image

        width, height = size
        return Image.new("RGB", (width, height))

    def size(self, medium: Image, processor: Any) -> tuple[int, ...]:
        return medium.size

    def other_size(self, processor: Any) -> Image:
        from sea_core.model.noise import noise_like

        noise: Image = noise_like(self.medium_of((2 * self.width, self.height), processor))
        return noise

    def read_media(self, path: Path, processor: Any) -> Image:
        from sea_core.model.media_files import read_picture

        return read_picture(path)


@dataclass(frozen=True)
class AudioAutoAdapter(AutoAdapter):
    """Audio through any model."""

    seconds: float = 5.0
    """Length of the blank audio, silence, in seconds."""

    modality: ClassVar[str] = "audio"
    noun: ClassVar[str] = "audio"
    prefixes: ClassVar[Mapping[str, str]] = {"activity": "In the audio,", "product": "The audio is about"}
    style_prefix: ClassVar[str] = "The style of the audio is"
    styles: ClassVar[tuple[str, ...]] = STYLES["audio"]
    blank_word: ClassVar[str] = "silent"
    processor_keywords: ClassVar[tuple[str, ...]] = ("audio", "audios", "speech")
    processor_parts: ClassVar[tuple[str, ...]] = ("feature_extractor", "audio_processor", "audio_feature_extractor")

    def __post_init__(self) -> None:
        if not 0.1 <= self.seconds <= 600:
            raise SeaError(
                f"adapter.seconds is {self.seconds}, but an audio lasts from 0.1 to 600 seconds",
                hint="Type for example: -o adapter.seconds=5",
            )

    def keywords(self, processor: Any) -> Mapping[str, Any]:
        return {"sampling_rate": sampling_rate(processor)}

    def blank_input(self, processor: Any) -> np.ndarray:
        longest = getattr(find_feature_extractor(processor), "chunk_length", None) or self.seconds
        return self.medium_of((int(min(self.seconds, longest) * sampling_rate(processor)),), processor)

    def medium_of(self, size: tuple[int, ...], processor: Any) -> np.ndarray:
        import numpy as np

        return np.zeros(size, np.float32)

    def size(self, medium: np.ndarray, processor: Any) -> tuple[int, ...]:
        return medium.shape

    def other_size(self, processor: Any) -> np.ndarray:
        from sea_core.model.noise import noise_like

        noise: np.ndarray = noise_like(self.medium_of((len(self.blank_input(processor)) // 2,), processor))
        return noise

    def read_media(self, path: Path, processor: Any) -> np.ndarray:
        import soxr

        from sea_core.model.media_files import read_sound

        wave, rate = read_sound(path)
        mono: np.ndarray = wave.mean(axis=1)
        wanted = sampling_rate(processor)
        resampled = mono if rate == wanted else soxr.resample(mono, rate, wanted)
        longest = getattr(find_feature_extractor(processor), "chunk_length", None)
        if longest and len(resampled) > longest * wanted:
            seconds = len(resampled) / wanted
            raise DataError(
                f"an audio of {seconds:.1f} s is longer than the {longest} s that this checkpoint takes",
                hint="Cut it: the model may silently ignore the rest.",
                where=str(path),
            )
        return resampled


def find_feature_extractor(processor: Any) -> Any:
    """Return the part of a processor that reads audio. Raises ModelError if it has none."""
    for name in AudioAutoAdapter.processor_parts:
        if (part := getattr(processor, name, None)) is not None:
            return part
    raise ModelError("this checkpoint's processor reads no audio", hint="Give --modality image, or another model.")


def sampling_rate(processor: Any) -> int:
    """Return the rate at which a processor takes audio, in Hz."""
    return int(getattr(find_feature_extractor(processor), "sampling_rate", None) or 16_000)


@dataclass(frozen=True)
class VideoAutoAdapter(AutoAdapter):
    """Videos through any model. transformers' processors of videos need torchvision."""

    frames: int = 8
    """Frames of the blank video, and the most that are read of a file, evenly spread."""
    width: int = 224
    """Width of the blank video in pixels."""
    height: int = 224
    """Height of the blank video in pixels."""

    modality: ClassVar[str] = "video"
    noun: ClassVar[str] = "video"
    prefixes: ClassVar[Mapping[str, str]] = {"activity": "The video shows that", "product": "The video shows"}
    style_prefix: ClassVar[str] = "The style of the video is"
    styles: ClassVar[tuple[str, ...]] = STYLES["image"]
    blank_word: ClassVar[str] = "black"
    processor_keywords: ClassVar[tuple[str, ...]] = ("videos",)

    def __post_init__(self) -> None:
        for name, smallest, largest in (("frames", 2, 768), ("width", 8, 4096), ("height", 8, 4096)):
            if not smallest <= getattr(self, name) <= largest:
                raise SeaError(
                    f"adapter.{name} is {getattr(self, name)}, but it may be from {smallest} to {largest}",
                    hint=f"Type for example: -o adapter.{name}={getattr(type(self), name)}",
                )

    def keywords(self, processor: Any) -> Mapping[str, Any]:
        return {"do_sample_frames": False}

    def media_arguments(self, media: Sequence[Any]) -> dict[str, Any]:
        from transformers.video_utils import VideoMetadata

        metadata = [
            VideoMetadata(total_num_frames=len(c.frames), fps=c.rate, frames_indices=list(range(len(c.frames))))
            for c in media
        ]
        frames = [[clip.frames] if self.known.is_nested else clip.frames for clip in media]
        return {self.known.media_keyword: frames, "video_metadata": metadata}

    def blank_input(self, processor: Any) -> Video:
        return self.medium_of((self.frames, self.height, self.width, 2000), processor)

    def medium_of(self, size: tuple[int, ...], processor: Any) -> Video:
        import numpy as np

        from sea_core.model.video_files import Video

        *shape, milli_rate = size
        return Video(np.zeros((*shape, 3), np.uint8), milli_rate / 1000)

    def size(self, medium: Video, processor: Any) -> tuple[int, ...]:
        return *medium.frames.shape[:3], round(medium.rate * 1000)

    def other_size(self, processor: Any) -> Video:
        from sea_core.model.noise import noise_like

        noise: Video = noise_like(self.medium_of((self.frames, self.height, 2 * self.width, 2000), processor))
        return noise

    def read_media(self, path: Path, processor: Any) -> Video:
        import numpy as np

        from sea_core.model.video_files import read_video

        def select(total: int, rate: float) -> Sequence[int]:
            indices: list[int] = np.linspace(0, total - 1, min(self.frames, total)).round().tolist()
            return indices

        return read_video(path, select)
