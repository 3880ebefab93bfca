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


def require_reachable(checkpoint: str, revision: str | None) -> None:
    """Ask the hub once for a model that is not on this machine; raise what the library raises if it does not answer.

    A download asks six times, half a minute long, with a line for each.
    """
    from huggingface_hub import constants, get_hf_file_metadata, hf_hub_url

    if not constants.HF_HUB_OFFLINE and not is_cached(checkpoint, revision):
        get_hf_file_metadata(hf_hub_url(checkpoint, "config.json", revision=revision))
