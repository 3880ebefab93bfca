from sea_core.testing import AdapterContract
from sea_eeg.adapter import EegAdapter


class TestContract(AdapterContract):
    adapter = EegAdapter()
