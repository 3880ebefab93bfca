"""Offline speech: espeak-ng through `espeakng-loader`, at 16 kHz.

espeak is not deterministic, not even for the same text, voice and process: a seed cannot reproduce a waveform. Whatever
must not change (test fixtures) is stored as a file.
"""

from __future__ import annotations

import ctypes
from functools import cache
from typing import Any

import numpy as np

from sea_core.errors import SeaError
from sea_core.model.libraries import install_command

RATE = 16_000
_SYNCHRONOUS, _RATE, _PITCH, _UTF8 = 2, 1, 3, 1


class _Espeak:
    def __init__(self) -> None:
        try:
            import espeakng_loader
        except ImportError as error:
            raise SeaError(
                "speech synthesis needs espeakng-loader, which is not installed",
                hint=f"Type: {install_command('sea-bench[speech]')}",
            ) from error
        self.lib = ctypes.CDLL(espeakng_loader.get_library_path())
        self.rate = self.lib.espeak_Initialize(_SYNCHRONOUS, 0, espeakng_loader.get_data_path().encode(), 0)
        if self.rate <= 0:
            raise SeaError(f"espeak-ng cannot be initialised (code {self.rate})", hint="Reinstall espeakng-loader.")
        self.parts: list[np.ndarray] = []
        callback_type = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.c_void_p)
        self.callback = callback_type(self._append)  # a reference, so that Python does not free what C calls
        self.lib.espeak_SetSynthCallback(self.callback)

    def _append(self, wave: Any, count: int, _events: Any) -> int:
        if wave and count > 0:
            self.parts.append(np.ctypeslib.as_array(wave, shape=(count,)).copy())
        return 0

    def synthesize(self, text: str, voice: str, rate: int, pitch: int) -> np.ndarray:
        """Return mono float32 samples at the library's own rate."""
        if code := self.lib.espeak_SetVoiceByName(voice.encode()):
            raise SeaError(
                f"espeak-ng has no voice {voice!r} (code {code})", hint="Type for example: -o generator.voice=en"
            )
        self.lib.espeak_SetParameter(_RATE, rate, 0)  # after the voice, because choosing one resets both
        self.lib.espeak_SetParameter(_PITCH, pitch, 0)
        self.parts = []
        data = text.encode() + b"\0"
        self.lib.espeak_Synth(data, len(data), 0, 0, 0, _UTF8, None, None)
        self.lib.espeak_Synchronize()
        return np.concatenate(self.parts).astype(np.float32) / 32768 if self.parts else np.zeros(0, np.float32)


@cache
def _espeak() -> _Espeak:
    return _Espeak()


def synthesize(text: str, *, voice: str = "en-us", rate: int = 175, pitch: int = 50) -> np.ndarray:
    """Return `text` as speech: mono float32 samples at 16 kHz, with the silence at both ends trimmed.

    Args:
        voice: an espeak-ng voice, optionally with a variant ("en-us+m3").
        rate: words per minute.
        pitch: 0 to 99.
    """
    import soxr

    espeak = _espeak()
    wave: np.ndarray = soxr.resample(espeak.synthesize(text, voice, rate, pitch), espeak.rate, RATE)
    loud = np.flatnonzero(np.abs(wave) > 1e-3)
    trimmed: np.ndarray = wave[loud[0] : loud[-1] + 1] if len(loud) else wave
    return trimmed
