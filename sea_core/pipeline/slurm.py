"""A script for a SLURM cluster: it prepares a run, and submits an array of workers on it."""

from __future__ import annotations

import math
import shlex
from collections.abc import Sequence
from pathlib import Path

SPARE = 1.5
"""By how much the time that is asked for exceeds the estimate."""
START_HOURS = 0.5
"""What each worker takes besides: to load the model, and to wait for the last blocks."""
SCRIPT = """\
#!/bin/bash
# Prepare the run, and submit the workers: bash {name}
# Workers may be killed, requeued and added at any time: sbatch {name}
#SBATCH --job-name=sea
#SBATCH --chdir={folder}
#SBATCH --array=0-{last}
#SBATCH --ntasks=1{gpus}
#SBATCH --time={time}
#SBATCH --output=%x-%A_%a.log
#SBATCH --requeue
set -e
if [ -z "$SLURM_ARRAY_TASK_ID" ]; then
  {optimize}
  exec sbatch "$0"
fi
exec sea worker {run}
"""
NAME = "sea.sbatch"


def make_script(optimize: Sequence[str], run: Path, workers: int, hours: float, device: str) -> str:
    """Return the script.

    Args:
        optimize: the arguments of `sea optimize`.
        run: the run folder, which all nodes see.
        hours: what one worker would take for all.
        device: of a worker.
    """
    minutes = math.ceil(60 * (START_HOURS + SPARE * hours / workers))
    command = ["sea", "optimize", *optimize, "-o", "workers=0", "--out", str(run)]
    return SCRIPT.format(
        name=NAME,
        folder=shlex.quote(str(Path.cwd())),
        last=workers - 1,
        gpus="\n#SBATCH --gpus=1" if device.startswith("cuda") else "",
        time=f"{minutes // 60:02d}:{minutes % 60:02d}:00",
        optimize=shlex.join(command),
        run=shlex.quote(str(run)),
    )
