"""Text to speech: espeak-ng (offline), Piper (offline, with a voice file) and edge-tts (online, the paper's)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from sea_bench.build.media_io import resample
from sea_core.errors import SeaError
from sea_core.extraction.wording import is_latin
from sea_core.model.libraries import install_command
from sea_core.plugin.generator import Generator

if TYPE_CHECKING:
    import numpy as np


@dataclass(frozen=True)
class Voice(Generator):
    """What all voices have in common."""

    modality: ClassVar[str] = "audio"
    noun: ClassVar[str] = "audio"
    suffix: ClassVar[str] = ".mp3"


def require_speakable(text: str, voice: str, chinese: str) -> None:
    """Raise SeaError for a text in another script than Latin and an English voice, which would spell or skip it.

    Args:
        chinese: a Chinese voice of the same generator, as an example.
    """
    if voice.lower().startswith("en") and not is_latin(text):
        raise SeaError(
            f"the voice {voice} speaks English, and cannot read {text[:40]!r}",
            hint=f"Choose a voice of the language, for example for Chinese: -o generator.voice={chinese}",
        )


@dataclass(frozen=True)
class EspeakVoice(Voice):
    """espeak-ng. It is not deterministic: the same seed does not reproduce the samples, so keep the files."""

    voice: str = "en-us"
    """An espeak-ng voice, optionally with a variant ("en-us+m3")."""
    words_per_minute: int = 170
    """Speaking rate."""
    pitch: int = 50
    """Pitch, from 0 to 99."""

    name: ClassVar[str] = "espeak"
    libraries: ClassVar[tuple[str, ...]] = ("espeakng-loader", "soundfile", "soxr")

    def generate(self, text: str, seed: int) -> np.ndarray:
        from sea_bench.build.generators.espeak import synthesize

        require_speakable(text, self.voice, "cmn")
        return synthesize(text, voice=self.voice, rate=self.words_per_minute, pitch=self.pitch)


@dataclass(frozen=True)
class EdgeVoice(Voice):
    """Microsoft Edge's voices. Each text is sent to Microsoft's service, and only with `--generator edge-tts`."""

    voice: str = "en-US-AriaNeural"
    """A voice of Microsoft Edge; `edge-tts --list-voices` lists them."""

    name: ClassVar[str] = "edge-tts"
    libraries: ClassVar[tuple[str, ...]] = ("edge-tts", "soundfile", "soxr")

    def generate(self, text: str, seed: int) -> np.ndarray:
        import asyncio
        from io import BytesIO

        require_speakable(text, self.voice, "zh-CN-XiaoxiaoNeural")
        try:
            import aiohttp
            import edge_tts
            from edge_tts.exceptions import EdgeTTSException
        except ImportError as error:
            raise _not_installed("edge-tts") from error
        import soundfile

        async def stream() -> list[Any]:  # the library's own stream_sync never returns if there is no network
            return [chunk async for chunk in edge_tts.Communicate(text, self.voice).stream()]

        try:
            chunks = asyncio.run(stream())
        except (EdgeTTSException, aiohttp.ClientError, OSError, ValueError) as error:
            reason = " ".join(str(error).split()) or type(error).__name__
            raise SeaError(
                f"the service returned no speech: {reason}",
                hint="It needs a network connection. Finished media are kept: re-run the same command to resume, or "
                "use --generator espeak.",
            ) from error
        data = b"".join(chunk["data"] for chunk in chunks if chunk["type"] == "audio")
        wave, rate = soundfile.read(BytesIO(data), dtype="float32", always_2d=True)
        return resample(wave.mean(axis=1), rate)


@dataclass(frozen=True)
class PiperVoice(Voice):
    """A Piper voice: an .onnx file, with its .onnx.json in the same folder."""

    model: str = ""
    """The path of the .onnx file."""

    name: ClassVar[str] = "piper"
    libraries: ClassVar[tuple[str, ...]] = ("piper-tts", "soundfile", "soxr")

    def generate(self, text: str, seed: int) -> np.ndarray:
        import numpy as np

        chunks = list(_load_piper(self.model).synthesize(text))
        wave = np.concatenate([chunk.audio_float_array for chunk in chunks] or [np.zeros(0, np.float32)])
        return resample(wave.astype(np.float32), chunks[0].sample_rate if chunks else 16_000)


@cache
def _load_piper(model: str) -> Any:
    try:
        import piper
    except ImportError as error:
        raise _not_installed("piper") from error
    if not Path(model).is_file() or not Path(f"{model}.json").is_file():
        raise SeaError(
            f"{model or 'no file'} is not a Piper voice",
            hint="Give an .onnx file with its .onnx.json in the same folder: -o generator.model=en_US-amy-medium.onnx",
        )
    return piper.PiperVoice.load(model)


def _not_installed(extra: str) -> SeaError:
    return SeaError(
        f"this voice needs {extra}, which is not installed",
        hint=f"Type: {install_command(f'sea-bench[{extra}]')}, or use the offline voice: --generator espeak",
    )
