"""The contract that every adapter fulfils, with speech that is shorter than the blank input."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sea_core.plugin.testing import AdapterContract
from sea_qwen2_audio.adapter import Qwen2AudioAdapter


class TestContract(AdapterContract):
    adapter = Qwen2AudioAdapter()

    def sample(self) -> Any:
        return Qwen2AudioAdapter().read_media(Path(__file__).parent / "media" / "steal-a-lamp-deep.flac", None)
