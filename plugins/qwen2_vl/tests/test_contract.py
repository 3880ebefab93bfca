"""The contract that every plugin keeps, for both modalities of the bundled model."""

from __future__ import annotations

import random
from typing import Any

from sea_qwen2_vl.adapter import ImageAdapter, VideoAdapter
from sea_qwen2_vl.tiny import ImagePupil, VideoPupil

from sea_core.testing import AdapterContract


class TestImage(AdapterContract):
    adapter = ImageAdapter()

    def signal(self) -> Any:
        return ImagePupil().render("steal a lamp", "painted", random.Random(0))


class TestVideo(AdapterContract):
    adapter = VideoAdapter()

    def signal(self) -> Any:
        return VideoPupil().render("steal a lamp", "painted", random.Random(0))
