"""Whether the Hugging Face libraries may use the network."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def offline(wanted: bool = True) -> Iterator[None]:
    """Keep the Hugging Face libraries off the network inside the block, as HF_HUB_OFFLINE does; what is cached loads.

    Args:
        wanted: False changes nothing.
    """
    from huggingface_hub import constants

    before = constants.HF_HUB_OFFLINE
    constants.HF_HUB_OFFLINE = before or wanted
    try:
        yield
    finally:
        constants.HF_HUB_OFFLINE = before


def is_cached(checkpoint: str, revision: str | None) -> bool:
    """Return whether a hub model, or its beginning, is on this machine."""
    from huggingface_hub import try_to_load_from_cache

    return isinstance(try_to_load_from_cache(checkpoint, "config.json", revision=revision), str)
