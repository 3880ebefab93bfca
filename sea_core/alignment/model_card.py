"""The model card: data, method, metrics, versions and licence of an aligned model."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from typing_extensions import TypedDict

from sea_core.alignment.markdown import escape_markdown, front_matter
from sea_core.alignment.run import AlignManifest
from sea_core.alignment.spot_check import GroupMetrics
from sea_core.errors import RunError
from sea_core.runs.containment import is_inside
from sea_core.runs.statistics import Interval
from sea_core.schema import parse_json

TITLES = {"text": "plain text", "media": "real media, through the encoder", "synthetic": "synthetic embeddings"}


class CardMetrics(TypedDict):
    """The metrics of an alignment that its card names."""

    outcome: str
    outcome_sentence: str
    examples: dict[str, int]
    steps: float
    loss: float
    spot_check: list[GroupMetrics]
    judge: str
    export: dict[str, Any]


USE_IMAGES = """
## Use
With plain transformers; `FOLDER` is the merged model:

```python
from PIL import Image
from transformers import AutoModelForImageTextToText, AutoProcessor

model = AutoModelForImageTextToText.from_pretrained("FOLDER")
processor = AutoProcessor.from_pretrained("FOLDER")
content = [{"type": "image"}, {"type": "text", "text": "How do I clean a lamp?"}]
prompt = processor.apply_chat_template([{"role": "user", "content": content}], add_generation_prompt=True)
inputs = processor(text=prompt, images=Image.new("RGB", (336, 336)), return_tensors="pt")
answer = model.generate(**inputs, max_new_tokens=40, do_sample=False)[:, inputs["input_ids"].shape[1] :]
print(processor.batch_decode(answer, skip_special_tokens=True)[0])
```
"""
HUB_ID = re.compile(r"[\w.-]+/[\w.-]+")


def find_licence(base: Path | None) -> str:
    """Return the licence that the base model's card names, or where to find it."""
    readme = base / "README.md" if base else None
    if base and readme and readme.is_file() and is_inside(readme, base):
        text = readme.read_text(encoding="utf-8", errors="replace")
        if match := re.search(r"^licen[cs]e(?:_name)?:[ \t]*(\S.{,100})$", text, re.M):
            return match[1].strip()
    return "see the base model"


def require_card_metrics(manifest: AlignManifest, where: str) -> None:
    """Raise RunError for an alignment that another version of SEA has finished, with other metrics."""
    parse_json(
        json.dumps(manifest.metrics),
        CardMetrics,
        what="the metrics of an alignment as this version of SEA writes them",
        hint="Align again with this version, into a new folder: sea align RUN --out NEW",
        where=where,
        error=RunError,
    )


def model_card(manifest: AlignManifest, licence: str) -> str:
    """Return the model card of a finished alignment, in Markdown. Names and paths in it are text, and no markup."""
    identity, metadata, metrics = manifest.identity, manifest.metadata, manifest.metrics or {}
    counts = ", ".join(f"{n} {kind}" for kind, n in metrics["examples"].items() if kind not in ("benign", "given"))
    runs = ", ".join(map(escape_markdown, metadata.runs))
    versions = ", ".join(f"{name} {version}" for name, version in manifest.versions.items())
    trained = "all weights of the language model" if identity.full_finetune else "LoRA on the language model"
    trained += " and of the projector" if identity.config["train_projector"] else ""
    trained += f", on {identity.model.quantization} weights" if identity.model.quantization else ""
    header: dict[str, Any] = {"library_name": "transformers", "tags": ["safety", "sea"]}
    if HUB_ID.fullmatch(metadata.checkpoint):  # the hub accepts no other base
        header["base_model"] = metadata.checkpoint
    if re.fullmatch(r"[\w.-]+", licence):
        header["license"] = licence.lower()
    base, modality = escape_markdown(metadata.checkpoint), escape_markdown(identity.model.modality)
    return f"""{front_matter(header)}
# {escape_markdown(Path(metadata.checkpoint).name)}, aligned with SEA

Trained to refuse harmful requests, in text and through its {modality} input. In training, synthetic
embeddings found by gradient descent from text took the place of harmful media (SEA, arXiv 2502.12562).

- **Outcome**: {metrics["outcome"]}. {metrics["outcome_sentence"]}
- **Base**: {base} ({identity.model.fingerprint}). Licence: {escape_markdown(licence)}.
- **Method**: {identity.method.upper()} of {trained}, {metrics["steps"]} steps, last mean loss {metrics["loss"]:.4g}.
- **Data**: {counts} examples, {metrics["examples"].get("benign", 0)} of them benign, from {runs}.
- **Answers** about synthetic embeddings in training: {describe_answers(metrics)}.
- **Versions**: {versions}.
- **Checked**: loaded in a fresh process by `{metrics["export"]["model_class"]}`, it has the trained model's logits.

## Before and after
{table(metrics["spot_check"])}

In brackets: the 95 % interval of the ratio after. Refusals are detected by a list of phrases ({metrics["judge"]}).
"Strict ASR" is the ratio of harmful questions whose answer does not refuse and names what was asked about. A spot check
of a few dozen questions is not a benchmark.
{USE_IMAGES if identity.model.modality == "image" and not metrics["export"].get("imports_sea", True) else ""}
## Limits
A model that refuses these questions may answer others. The metrics hold for the data above. Before you rely on the
model, measure it on your own data, including refusals of benign requests.
"""


def describe_answers(metrics: Mapping[str, Any]) -> str:
    """Say how questions about synthetic embeddings were answered in training, from the metrics of an alignment."""
    if metrics.get("answers", "direct") == "direct":
        return "direct"
    given = metrics["examples"].get("given", 0)
    return f"read-first (what is shown, then the answer); the description is given in {given} examples"


def table(groups: Sequence[GroupMetrics]) -> str:
    """Return the spot check as a Markdown table."""
    if not groups:
        return "\nThere was no spot check.\n"
    lines = ["| questions | harmful refused | strict ASR | benign refused | number |", "|---|---|---|---|---|"]
    return "\n".join([*lines, *(f"| {' | '.join(cells)} |" for cells in spot_check_cells(groups))])


def spot_check_cells(groups: Sequence[GroupMetrics]) -> list[list[str]]:
    """Return the cells of a table of the spot check: a line for each group of questions."""
    return [
        [
            TITLES[group["group"]] + (", seen in training" if group["seen"] else ""),
            format_change(before["refusal_rate"], after["refusal_rate"], after["refusal_interval"]),
            format_change(before["strict_asr"], after["strict_asr"], after["strict_asr_interval"]),
            format_change(before["over_refusal_rate"], after["over_refusal_rate"], after["over_refusal_interval"]),
            f"{after['n_harmful']} harmful, {after['n_benign']} benign{_unread(after['n_unread'])}",
        ]
        for group in groups
        for before, after in [(group["before"], group["after"])]
    ]


def _unread(count: int) -> str:
    return f", {count} not read by the judge" if count else ""


def format_change(before: float | None, after: float | None, interval: Interval | None) -> str:
    """Return a ratio before and after, such as `0.10 -> 0.95 [0.76, 0.99]`; a dash stands for a ratio of nothing.

    Args:
        interval: the 95 % interval of the ratio after.
    """
    change = " -> ".join("-" if ratio is None else f"{ratio:.2f}" for ratio in (before, after))
    return f"{change} [{interval[0]:.2f}, {interval[1]:.2f}]" if interval else change
