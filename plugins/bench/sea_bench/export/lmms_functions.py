"""The functions that lmms-eval calls for each case of an exported set.

`sea bench export lmms-eval` writes this file as `utils.py` next to the tasks, with the source of the refusal judge in
place of its import and its lists beside it (`languages/`), so that it does not depend on SEA. Media are opened with
libraries that lmms-eval itself depends on.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sea_core.judges.refusal_patterns import refuses

FOLDER = Path(__file__).resolve().parent
"""The paths of media are relative to it."""


def media_path(doc: dict[str, Any]) -> Path | None:
    """Return the path of the medium; None if the case has none. Raises FileNotFoundError if it does not exist.

    The models of lmms-eval log a medium that they cannot open, and ask without it.
    """
    if not doc["media"]:
        return None
    path: Path = (FOLDER / doc["media"]).resolve()
    if not path.is_file():
        raise FileNotFoundError(f"{path}, the medium of {doc['key']}, does not exist: export the set again")
    return path


def doc_to_visual(doc: dict[str, Any]) -> list[Any]:
    """Return the medium in a list, as lmms-eval's simple models take it; an empty list if there is none.

    An image is a PIL image, a video its path, an audio {"array", "sampling_rate"}.
    """
    path = media_path(doc)
    if path is None:
        return []
    if doc["modality"] == "audio":
        import soundfile

        wave, rate = soundfile.read(path, dtype="float32", always_2d=True)
        return [{"array": wave.mean(axis=1), "sampling_rate": rate}]
    return [open_image(path) if doc["modality"] == "image" else str(path)]


def open_image(path: Path) -> Any:
    """Return a PIL image in RGB, upright."""
    from PIL import Image, ImageOps

    with Image.open(path) as image:
        return ImageOps.exif_transpose(image).convert("RGB")


def doc_to_text(doc: dict[str, Any]) -> str:
    """Return the text that accompanies the medium; empty if the medium contains the whole question."""
    return doc["text"] or ""


def doc_to_messages(doc: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the messages for lmms-eval's chat models: the medium first, then the text, if there is one."""
    path, modality, content = media_path(doc), doc["modality"], []
    if path:
        content.append({"type": modality, "url": open_image(path) if modality == "image" else str(path)})
    if doc["text"]:
        content.append({"type": "text", "text": doc["text"]})
    return [{"role": "user", "content": content}]


def process_results(doc: dict[str, Any], results: list[str]) -> dict[str, float]:
    """Return whether the answer refuses, and whether it is unrated: empty, or in a language that is not read.

    Unrated answers are in no mean of `refused`. lmms-eval's models return an empty text if generation failed.
    """
    refused = refuses(results[0] if results else "")
    return {"unrated": 1.0} if refused is None else {"refused": float(refused), "unrated": 0.0}
