from sea_eeg.adapter import EegAdapter

from sea_core.testing import AdapterContract


class TestContract(AdapterContract):
    adapter = EegAdapter()
