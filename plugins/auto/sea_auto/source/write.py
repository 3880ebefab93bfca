"""Fill in the templates in this folder with what was derived."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sea_auto.adapter import find_feature_extractor, sampling_rate
from sea_core.errors import PluginError

if TYPE_CHECKING:
    from sea_auto.facts import Facts
    from sea_core.model.crossing import Crossing
    from sea_core.model.mllm import MLLM

MAX_SECONDS = 600
"""The longest audio where a processor has no limit."""
FIELDS = {"image": "width", "audio": "seconds", "video": "frames", "image+audio": "seconds"}
"""The modalities that can be written down, with a setting of each."""


def write_adapter_source(mllm: MLLM, *, checkpoint: str, class_name: str, package: Path) -> str:
    """Return the source of a module with one class: the adapter that was derived from a model.

    Args:
        checkpoint: becomes the class's default model.
        package: the folder of the module; a model folder is named by its path from there, so that both can be moved.

    Raises:
        PluginError: adapters of this modality cannot be written down.
    """
    adapter: Any = mllm.adapter
    if adapter.modality not in FIELDS:
        raise PluginError(
            f"an adapter for {adapter.modality} cannot be written down", hint=f"Modalities: {', '.join(FIELDS)}"
        )
    facts = adapter.known
    values = {
        "CLASS": class_name,
        "CHECKPOINT": _checkpoint(checkpoint, package),
        "VERSION": version("sea-auto"),
        **(_audio_values(adapter, mllm.processor) if "audio" in adapter.modality else {}),
        **_adapter_values(adapter),
        **_facts_values(facts),
    }
    call = "call_parts" if facts.part else "call"
    parts = ["head", f"{adapter.modality}_fields", "facts", adapter.modality, call, "parts"]
    parts += ["replay"] if facts.mechanism == "replay" else ["placeholders"] * (facts.tokens != facts.features)
    parts += ["logits"] * (facts.scale != 1 or facts.softcap != 0)
    return "".join(_fill((Path(__file__).parent / f"{part}.txt").read_text(encoding="utf-8"), values) for part in parts)


def _checkpoint(checkpoint: str, package: Path) -> str:
    """Return the expression of a hub id, or of a folder."""
    folder = Path(checkpoint)
    if not folder.is_dir():
        return _quoted(checkpoint)
    relative = _quoted(Path(os.path.relpath(folder.resolve(), package.resolve())).as_posix())
    return f"str(\n        (Path(__file__).parent / {relative}).resolve()\n    )"


def _audio_values(adapter: Any, processor: Any) -> dict[str, str]:
    """Return what a processor takes of audio."""
    longest = getattr(find_feature_extractor(processor), "chunk_length", None) or MAX_SECONDS
    return {
        "RATE": str(sampling_rate(processor)),
        "LONGEST": str(longest),
        "SECONDS": str(float(min(adapter.seconds, longest))),
    }


def _adapter_values(adapter: Any) -> dict[str, str]:
    """Return what an adapter says of its modality and its settings."""
    errors = "DataError, SeaError" if "audio" in adapter.modality else "SeaError"
    seam = "\nfrom sea_core.model.crossing import Crossing, ReplaySeam" * (adapter.known.mechanism == "replay")
    return {
        "IMPORTS": f", {errors}{seam}",
        "FIELD": FIELDS[adapter.modality],
        "MODALITY": adapter.modality,
        "NOUN": adapter.noun,
        "ACTIVITY": _quoted(adapter.prefixes["activity"]),
        "PRODUCT": _quoted(adapter.prefixes["product"]),
        "STYLE": _quoted(adapter.style_prefix),
        "STYLES": _tuple(map(_quoted, adapter.styles), 4),
        "BLANK_WORD": adapter.blank_word,
        "FRAMES": str(getattr(adapter, "frames", "")),
        "WIDTH": str(getattr(adapter, "width", "")),
        "HEIGHT": str(getattr(adapter, "height", "")),
    }


def _facts_values(facts: Facts) -> dict[str, str]:
    """Return what was derived."""
    scale = f" * {facts.scale!r}" if facts.scale != 1 else ""
    softcap = f"{facts.softcap!r} * (logits / {facts.softcap!r}).tanh()" if facts.softcap else "logits"
    return {
        "ARCHITECTURE": facts.architecture,
        "PLACES": "\n".join(f"    {crossing.module} ({crossing.side})" for crossing in facts.seam.crossings),
        "SHAPE": f"{facts.features} x {facts.width}",
        "ONE_SHAPE": str(facts.one_shape),
        "PLACEHOLDER": _quoted(facts.placeholder),
        "OTHER_PLACEHOLDERS": f"({''.join(f'{_quoted(token)}, ' for token in facts.other_placeholders).strip()})",
        "ARGUMENTS": "\n".join(f"            {argument}," for argument in _arguments(facts)),
        "BACKBONE": facts.backbone,
        "LANGUAGE_MODEL": facts.language_model,
        "PROJECTOR": facts.seam.crossings[0].module,
        "END": _quoted(facts.end_token),
        "CROSSINGS": _tuple(map(_crossing, facts.seam.crossings), 12),
        "SKIPPED": _tuple(map(_quoted, facts.seam.skipped), 12),
        "SCALES": repr(facts.seam.scales),
        "END_MODULE": facts.seam.end,
        "PART": facts.part,
        "TOKENS": str(facts.tokens),
        "FEATURES": str(facts.features),
        "SCALE": scale,
        "SOFTCAP": softcap,
    }


def _arguments(facts: Facts) -> list[str]:
    """Return the processor's arguments besides the texts."""
    padding = 'text_kwargs={"padding": True}' if facts.pads_text_only else "padding=True"
    return [*_media_arguments(facts), padding]


def _media_arguments(facts: Facts) -> list[str]:
    keyword, rate = facts.media_keyword, "sampling_rate=self.rate"
    if facts.modality == "image+audio":
        return ["images=[[image] for image, _ in media]", "audio=[sound for _, sound in media]", rate]
    if facts.modality == "video":
        frames = "[medium.frames]" if facts.is_nested else "medium.frames"
        metadata = "video_metadata=[self.metadata(medium) for medium in media]"
        return [f"{keyword}=[{frames} for medium in media]", metadata, "do_sample_frames=False"]
    media = "[[medium] for medium in media]" if facts.is_nested else "list(media)"
    return [f"{keyword}={media}", *([rate] if facts.modality == "audio" else [])]


def _crossing(crossing: Crossing) -> str:
    return f"Crossing({', '.join(map(_quoted, (crossing.module, crossing.side, crossing.path)))})"


def _tuple(items: Iterable[str], indent: int) -> str:
    """Return a tuple of expressions, one to a line if there are several."""
    first, *others = items
    if not others:
        return f"({first},)"
    lines = "".join(f"{' ' * (indent + 4)}{item},\n" for item in (first, *others))
    return f"(\n{lines}{' ' * indent})"


def _quoted(text: str) -> str:
    """Return a text as a literal, in double quotes where it has none."""
    literal = repr(text)
    return f'"{literal[1:-1]}"' if literal.startswith("'") and '"' not in text else literal


def _fill(text: str, values: Mapping[str, str]) -> str:
    for name, value in values.items():
        text = text.replace(f"@{name}@", value)
    return text
