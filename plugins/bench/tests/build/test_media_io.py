"""Writing media: the same frames give the same file."""

from __future__ import annotations

import platform
from pathlib import Path

import numpy as np
import pytest

from sea_bench.build.media_io import write_video
from sea_core.plugin.generator import Frames


def test_a_video_has_the_same_bytes_on_every_processor(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ramp = np.arange(96 * 64 * 3).reshape(64, 96, 3)
    noise = np.random.default_rng(0).integers(0, 40, (6, 64, 96, 3))
    frames = Frames((ramp // 90 + noise).astype(np.uint8), 4.0)
    files = set()
    for machine in ("x86_64", "arm64"):  # the second uses no instructions of one processor alone
        monkeypatch.setattr(platform, "machine", lambda machine=machine: machine)
        write_video(frames, tmp_path / "video.mp4", 18)
        files.add((tmp_path / "video.mp4").read_bytes())
    assert len(files) == 1
