from typing import Any

import numpy as np

from sea_core.plugin.testing import AdapterContract
from sea_eeg.adapter import CHANNELS, RATE, EegAdapter


class TestContract(AdapterContract):
    adapter = EegAdapter()

    def sample(self) -> Any:
        return np.random.default_rng(0).normal(0, 0.3, (CHANNELS, RATE)).astype(np.float32)  # one second
