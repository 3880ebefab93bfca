from sea_core.plugin.testing import AdapterContract
from sea_eeg.adapter import EegAdapter


class TestContract(AdapterContract):
    adapter = EegAdapter()
