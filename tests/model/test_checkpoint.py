"""A checkpoint's fingerprint."""

from __future__ import annotations

import shutil
from pathlib import Path

from sea_core.model.checkpoint import fingerprint
from sea_core.plugin import loader


def test_a_fingerprint_covers_every_byte(tmp_path: Path) -> None:
    """An earlier one read 64 samples of 4 KiB: with all other bytes of a file zeroed it was the same."""
    _, adapter = loader.get_adapter("qwen2_audio")
    copy = Path(shutil.copytree(adapter.checkpoint, tmp_path / "model"))
    found = fingerprint(str(copy), None)
    assert found == fingerprint(adapter.checkpoint, None)
    weights = copy / "model.safetensors"
    original = weights.read_bytes()
    zeroed = bytearray(len(original))
    for start in range(0, len(original), len(original) // 64):
        zeroed[start : start + 4096] = original[start : start + 4096]
    weights.write_bytes(zeroed)
    changed = fingerprint(str(copy), None)
    assert changed != found
    weights.write_bytes(original[:-1] + bytes([original[-1] ^ 1]))
    assert fingerprint(str(copy), None) not in (found, changed)
    weights.write_bytes(original)
    assert fingerprint(str(copy), None) == found
    (copy / "chat_template.jinja").write_text("another")
    assert fingerprint(str(copy), None) != found
