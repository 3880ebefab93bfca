"""Which library that is not installed a model needs: the errors of transformers, in one sentence."""

from __future__ import annotations

from importlib.util import find_spec

LIBRARIES = ("torchvision", "torchaudio", "timm", "sentencepiece", "tiktoken", "mistral-common", "num2words", "librosa")
"""What a model or its processor may need and SEA does not install, by its name on PyPI."""
ALSO = {"tiktoken": "sentencepiece tiktoken"}
"""What to install where transformers tries one library and names another."""


def missing_library(error: Exception) -> str | None:
    """Return the library whose absence an error of transformers is about, by its name on PyPI."""
    if isinstance(error, ModuleNotFoundError) and error.name:
        return error.name.partition(".")[0]
    text = str(error).lower()
    if "tokenizer from one of" in text:  # it names libraries too, but no file of a tokenizer was found
        return None
    return next((name for name in LIBRARIES if name in text and not find_spec(name.replace("-", "_"))), None)


def describe_need(what: str, library: str) -> tuple[str, str]:
    """Return the message and the hint of an error: `what` needs a library."""
    return f"{what} needs {library}, which is not installed", f"Type: pip install {ALSO.get(library, library)}"
