"""What identifies a run on the page: model, data and versions; and commands as one types them."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable, Mapping
from typing import Any

from sea_core.runs.manifest import DataIdentity, Manifest, ModelIdentity
from sea_core.runs.public import public_value, shown_path

RULES = "rules"
PLUGIN_NAME = re.compile(r"[A-Za-z0-9][\w.-]*")


def model_facts(model: ModelIdentity, checkpoint: str, revision: str | None) -> list[tuple[str, str]]:
    """Return what identifies the model of a run."""
    facts = [
        ("model", shown_path(checkpoint) + (f" at {revision}" if revision else "")),
        ("model's fingerprint", model.fingerprint),
        ("plugin", f"{model.plugin} {model.plugin_version}"),
        ("modality", model.modality),
        ("dtype", model.dtype),
        ("quantization", model.quantization or "none"),
        ("language", model.language),
    ]
    facts += [("settings of the adapter", settings_text(model.adapter))] if model.adapter else []
    return facts + ([("chat template", "given with --chat-template")] if model.chat_template else [])


def settings_text(values: Mapping[str, Any]) -> str:
    """Return settings for the page, such as `layer=2, strength=0.5`, without paths, addresses and secrets."""
    return ", ".join(f"{name}={_setting(value)}" for name, value in public_value(values).items())


def manifest_facts(manifest: Manifest) -> list[tuple[str, str]]:
    """Return the versions that a run was made with, and when it was started."""
    versions = ", ".join(f"{name} {version}" for name, version in manifest.versions.items())
    return [("versions", versions), ("started", manifest.started)]


def command(*words: str) -> str:
    """Return a command as it is typed, quoted for a shell."""
    return shlex.join(word for word in words if word)


def model_options(model: ModelIdentity, checkpoint: str, revision: str | None = None) -> list[str]:
    """Return the options that name a run's model. A manifest names no code: a plugin's name is a name, or left out."""
    plugin = model.plugin if PLUGIN_NAME.fullmatch(model.plugin) and not model.plugin.endswith(".py") else "PLUGIN"
    settings = changed_settings(model.adapter, {}, "adapter.")
    language = ["--lang", model.language] if model.language != "en" else []
    named = ["--plugin", plugin, "--modality", model.modality, "--model", shown_path(checkpoint)]
    named += ["--revision", revision] if revision else []
    loaded = ["--dtype", model.dtype, *(["--quantize", model.quantization] if model.quantization else [])]
    template = ["--chat-template", "FILE"] if model.chat_template else []
    return [*named, *loaded, *template, *language, *settings]


def data_options(data: DataIdentity) -> list[str]:
    """Return the options that say how a text safety set was read."""
    named = ",".join(f"{ours}={theirs}" for ours, theirs in (data.columns or {}).items())
    return ["--format", data.format, *(["--columns", named] if named else [])]


def extractor_options(extractor: Mapping[str, Any]) -> list[str]:
    """Return the options that name an extractor and its language model. The rules are the default."""
    if (name := extractor.get("name", RULES)) == RULES:
        return []
    model = public_value(extractor.get("llm", {})).get("model")
    return ["--extractor", str(name), *(["-o", f"llm.model={model}"] if model else [])]


def changed_settings(settings: Mapping[str, Any], defaults: Mapping[str, Any], prefix: str = "") -> list[str]:
    """Return `-o KEY=VALUE` for each setting that is not the default."""
    changed = {name: value for name, value in settings.items() if name not in defaults or defaults[name] != value}
    shown = public_value(changed)
    return [word for name, value in shown.items() for word in ("-o", f"{prefix}{name}={_setting(value)}")]


def judge_options(judges: Iterable[str]) -> list[str]:
    """Return the options that name judges, without their versions and models."""
    names = dict.fromkeys(re.split(r"[-:(\s]", judge)[0] for judge in judges)
    return [word for name in names for word in ("--judge", name)]


def _setting(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
