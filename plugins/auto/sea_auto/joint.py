"""Media of two modalities in one prompt: one embedding holds what crosses from both encoders."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from sea_auto.adapter import STYLES, AudioAutoAdapter, AutoAdapter, ImageAutoAdapter
from sea_core.data.media_paths import MEDIA_SUFFIXES
from sea_core.errors import DataError

if TYPE_CHECKING:
    from sea_auto.facts import Facts


@dataclass(frozen=True)
class ImageAudioAutoAdapter(AutoAdapter):
    """An image and an audio in one prompt, through any model that takes both.

    A medium is a pair: an image and a sound. A file of either modality is read with the other one blank. The style is
    the image's; where the image is held blank, the audio's.
    """

    width: int = 224
    """Width of the blank image in pixels."""
    height: int = 224
    """Height of the blank image in pixels."""
    seconds: float = 5.0
    """Length of the blank audio, silence, in seconds."""
    hold: Literal["", "image", "audio"] = ""
    """The modality that stays blank, so that only the other one's embedding is optimised."""

    modality: ClassVar[str] = "image+audio"
    noun: ClassVar[str] = "image and audio"
    prefixes: ClassVar[Mapping[str, str]] = {
        "activity": "The image and audio show that",
        "product": "The image and audio show",
    }
    style_prefix: ClassVar[str] = "The style of the image and audio is"
    styles: ClassVar[tuple[str, ...]] = STYLES["image"]
    blank_word: ClassVar[str] = "blank"
    processor_keywords: ClassVar[tuple[str, ...]] = ("images",)
    checkpoint: ClassVar[str] = str(Path(__file__).parent / "checkpoint")

    def with_facts(self, facts: Facts) -> AutoAdapter:
        fitted = super().with_facts(facts)
        if self.hold == "image":
            type(fitted).styles = STYLES["audio"]  # the class is this adapter's own
        return fitted

    @property
    def parts(self) -> tuple[ImageAutoAdapter, AudioAutoAdapter]:
        """The adapters of the two modalities."""
        return ImageAutoAdapter(width=self.width, height=self.height), AudioAutoAdapter(seconds=self.seconds)

    def keywords(self, processor: Any) -> Mapping[str, Any]:
        return self.parts[1].keywords(processor)

    def media_arguments(self, media: Sequence[Any]) -> dict[str, Any]:
        images, sounds = zip(*media, strict=True)
        return {"images": [[image] for image in images], "audio": list(sounds)}

    def conversation(self, question: str, media: bool) -> list[dict[str, Any]]:
        content = [{"type": modality} for modality in self.modality.split("+")] if media else []
        return [{"role": "user", "content": [*content, {"type": "text", "text": question}]}]

    def blank_input(self, processor: Any) -> tuple[Any, Any]:
        image, audio = self.parts
        return image.blank_input(processor), audio.blank_input(processor)

    def noise(self, processor: Any) -> tuple[Any, Any]:
        return self._unless_held(processor, [part.noise(processor) for part in self.parts])

    def noises(self, processor: Any) -> list[tuple[Any, Any]]:
        image, audio = self.noise(processor)
        blank_image, blank_audio = self.blank_input(processor)
        media = {"image": (image, blank_audio), "audio": (blank_image, audio)}
        return [medium for modality, medium in media.items() if modality != self.hold]

    def other_size(self, processor: Any) -> tuple[Any, Any]:
        return self._unless_held(processor, [part.other_size(processor) for part in self.parts])

    def _unless_held(self, processor: Any, media: Sequence[Any]) -> tuple[Any, Any]:
        image, audio = (
            part.blank_input(processor) if part.modality == self.hold else medium
            for part, medium in zip(self.parts, media, strict=True)
        )
        return image, audio

    def size(self, medium: tuple[Any, Any], processor: Any) -> tuple[int, ...]:
        image, audio = self.parts
        return *image.size(medium[0], processor), *audio.size(medium[1], processor)

    def medium_of(self, size: tuple[int, ...], processor: Any) -> tuple[Any, Any]:
        image, audio = self.parts
        return image.medium_of(size[:2], processor), audio.medium_of(size[2:], processor)

    def read_media(self, path: Path, processor: Any) -> tuple[Any, Any]:
        """Read an image, an audio, or a folder with one of each. What is not there, or is held, is blank."""
        files = sorted(path.iterdir()) if path.is_dir() else [path]
        found: list[Any] = []
        for part in self.parts:
            own = [file for file in files if file.suffix.lower() in MEDIA_SUFFIXES[part.modality]]
            if len(own) > 1:
                raise DataError(
                    f"the folder has {len(own)} {part.noun} files, and one is read",
                    hint="Give each pair of an image and an audio a folder of its own.",
                    where=str(path),
                )
            found.append(part.read_media(own[0], processor) if own else part.blank_input(processor))
        if not any(file.suffix.lower() in MEDIA_SUFFIXES[part.modality] for file in files for part in self.parts):
            raise DataError(
                "there is neither an image nor an audio",
                hint="Give a png, jpeg, wav or flac file, or a folder with an image and an audio.",
                where=str(path),
            )
        return self._unless_held(processor, found)
