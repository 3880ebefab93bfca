"""The model card: data, method, figures, versions and licence, in words, beside the weights."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

TITLES = {"text": "plain text", "media": "real media, through the encoder", "synthetic": "synthetic embeddings"}


def find_licence(base: Path | None) -> str:
    """Return the licence that the base's own card names, or where to look."""
    readme = base / "README.md" if base else None
    if readme and readme.is_file():
        found = re.search(
            r"^licen[cs]e(?:_name)?:\s*(\S.*)$", readme.read_text(encoding="utf-8", errors="replace"), re.M
        )
        if found:
            return found[1].strip()
    return "see the base model"


def model_card(about: dict[str, Any], licence: str) -> str:
    """Return the card of one alignment, from what its align.json keeps."""
    told, made = about["identity"], about["figures"]
    counts = ", ".join(f"{n} {kind}" for kind, n in made["examples"].items() if kind != "benign")
    runs = "\n".join(f"- {run}" for run in about["runs"])
    versions = ", ".join(f"{name} {version}" for name, version in about["versions"].items())
    trained = "all weights of the language model" if told["full"] else "LoRA on the language model"
    trained += " and of the projector" if told["config"]["train_projector"] else ""
    metadata = f"---\nlibrary_name: transformers\nbase_model: {about['base']}\ntags: [safety, sea]\n"
    if re.fullmatch(r"[\w.-]+", licence):
        metadata += f"license: {licence.lower()}\n"
    return f"""{metadata}---

# {Path(about["base"]).name}, aligned with SEA

Aligned to refuse harmful requests, in text and through its {told["modality"]} input. What stands for harmful media in
training are synthetic embeddings, found by gradient descent from text (SEA, arXiv 2502.12562).

- **Base**: {about["base"]} ({told["model"]}). Licence: {licence}.
- **Method**: {told["method"].upper()} of {trained}, {made["steps"]} steps, last mean loss {made["loss"]:.4g}.
- **Data**: {counts} examples, {made["examples"].get("benign", 0)} of them of benign rows, from
{runs}
- **Versions**: {versions}.
- **Checked**: loaded in a fresh process by `{made["export"]["class"]}`, the logits are the trained model's.

## Before and after
{table(made["look"])}

Refusals are told by a phrase list ({made["judge"]}). "Strict ASR" is the share of harmful questions whose answer does
not refuse and names the phrase asked about. A figure on a few dozen questions is a look, not a benchmark.

## Limits
A model that refuses these questions may answer others. Figures hold for the data above; measure on your own,
refusals of benign requests included, before you rely on it.
"""


def table(lines: list[dict[str, Any]]) -> str:
    """Return the look as a Markdown table."""
    if not lines:
        return "\nNo look was taken.\n"
    rows = [
        "| asked with | harmful: refused | strict ASR | benign: refused | questions |",
        "|---|---|---|---|---|",
    ]
    for line in lines:
        seen = ", seen in training" if line["seen"] else ""
        cells = [format_change(line, name) for name in ("refused", "strict_asr", "over_refused")]
        asked = f"{line['harmful_after']} harmful, {line['benign_after']} benign"
        rows.append(f"| {TITLES[line['group']]}{seen} | {' | '.join(cells)} | {asked} |")
    return "\n".join(rows)


def format_change(line: dict[str, Any], name: str) -> str:
    """Return a figure before and after."""
    before, after = (line[f"{name}_{when}"] for when in ("before", "after"))
    return " -> ".join("-" if value is None else f"{value:.2f}" for value in (before, after))
