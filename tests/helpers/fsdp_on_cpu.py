"""Run `sea` with FSDP2 on CPU processes, for which accelerate would run plain data parallelism.

torchrun --nproc-per-node 2 -m helpers.fsdp_on_cpu align RUN --out MODEL
"""

from __future__ import annotations

import os
from functools import wraps
from typing import Any

from accelerate.state import AcceleratorState
from accelerate.utils import DistributedType, FullyShardedDataParallelPlugin

SETTINGS = {
    "ACCELERATE_USE_FSDP": "true",
    "FSDP_VERSION": "2",
    "FSDP_AUTO_WRAP_POLICY": "TRANSFORMER_BASED_WRAP",
    "FSDP_RESHARD_AFTER_FORWARD": "true",
    "FSDP_STATE_DICT_TYPE": "FULL_STATE_DICT",
    "FSDP_CPU_RAM_EFFICIENT_LOADING": "false",
}
"""What `accelerate launch --config_file docs/examples/accelerate/fsdp2.yaml` sets."""


def shard_on_cpu() -> None:
    """Let accelerate shard models on CPU processes too."""
    original = AcceleratorState.__init__

    @wraps(original)
    def init(self: Any, *args: Any, fsdp_plugin: FullyShardedDataParallelPlugin | None = None, **options: Any) -> None:
        original(self, *args, fsdp_plugin=fsdp_plugin, **options)
        if self.distributed_type == DistributedType.MULTI_CPU:
            self.distributed_type = DistributedType.FSDP
            self.fsdp_plugin = fsdp_plugin or FullyShardedDataParallelPlugin()

    AcceleratorState.__init__ = init


if __name__ == "__main__":
    os.environ |= SETTINGS
    shard_on_cpu()
    from sea_core.cli.__main__ import main

    main()
