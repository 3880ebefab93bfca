"""`-o compile=auto`: compile where that saves more seconds than it takes."""

from __future__ import annotations

from dataclasses import dataclass

from sea_core.optimization.config import Auto

COMPILE_SECONDS = 20.0
"""What compiling takes on a GPU, the proof of the compiled step included: 11 to 19 s on an H200."""
MATMUL_RATIO = {("cuda", False): 0.51, ("cuda", True): 0.65}
"""The speed of a whole step, as a ratio of that of a large matrix product, by type of device and whether it is
compiled (docs/performance.md)."""
OTHER_MATMUL_RATIO = 0.5
QUANTIZED_REASON = "layers with quantised weights are not compiled"
SPREAD_REASON = "layers on several devices are not compiled"


@dataclass(frozen=True)
class CompileChoice:
    """Whether to compile, and why not, for people; empty if there is nothing to say."""

    wanted: bool
    reason: str = ""


def matmul_ratio(device_type: str, compiled: bool) -> float:
    """Return the speed that a whole step reaches, as a ratio of that of a large matrix product."""
    return MATMUL_RATIO.get((device_type, compiled), OTHER_MATMUL_RATIO)


def choose_compile(setting: bool | Auto, device_type: str, flop: float, flop_per_second: float) -> CompileChoice:
    """Return whether to compile.

    Args:
        setting: `-o compile`.
        flop: of all steps that are still to be made.
        flop_per_second: of a large matrix product on the device.
    """
    if setting != "auto":
        return CompileChoice(setting)
    if device_type != "cuda":
        return CompileChoice(False)
    eager, compiled = (flop / flop_per_second / matmul_ratio(device_type, how) for how in (False, True))
    if eager - compiled > COMPILE_SECONDS:
        return CompileChoice(True)
    return CompileChoice(
        False, f"it would save about {eager - compiled:.0f} s of {eager:.0f} s, and takes about {COMPILE_SECONDS:.0f} s"
    )
