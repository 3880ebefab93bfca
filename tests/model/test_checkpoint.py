"""A checkpoint's fingerprint."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from huggingface_hub import constants

from sea_core.errors import ModelError
from sea_core.model.checkpoint import fingerprint, read_config
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


def test_a_hub_that_does_not_answer_is_asked_once(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """The library asked six times, for half a minute, with a line for each."""
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setattr(constants, "ENDPOINT", "http://127.0.0.1:9")  # nothing listens there
    monkeypatch.setattr("time.sleep", lambda _: pytest.fail("it waited to ask again"))
    monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", "http://127.0.0.1:9/{repo_id}/{revision}/{filename}")
    with pytest.raises(ModelError, match="the model hub cannot be reached"):
        read_config("nobody/none", None)
    assert capfd.readouterr().err == ""
