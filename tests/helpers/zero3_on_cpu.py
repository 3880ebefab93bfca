"""Run `sea` with DeepSpeed ZeRO-3 on CPU processes, each of which accelerate would otherwise leave alone.

accelerate launch --config_file docs/examples/accelerate/zero3.yaml --mixed_precision no \\
    -m helpers.zero3_on_cpu align RUN -o trainer.use_cpu=false --out MODEL
"""

from __future__ import annotations

import os
from unittest.mock import patch

from accelerate.state import PartialState
from accelerate.utils import DistributedType

from sea_core.alignment import processes

if __name__ == "__main__":
    os.environ["DS_ACCELERATOR"] = "cpu"
    with (
        patch.object(PartialState, "_prepare_backend", lambda *_, **__: ("gloo", DistributedType.MULTI_CPU)),
        patch.object(processes, "_has_no_gpu", lambda: False),  # of a CPU, accelerate would make data parallelism
    ):
        from sea_core.cli.__main__ import main

        main()
