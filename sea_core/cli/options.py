"""The options that commands share, each defined once, and what several commands do with them."""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sea_core.cli import output
from sea_core.errors import SeaError

if TYPE_CHECKING:
    from sea_core.data.result import ReadResult
    from sea_core.extraction.extractor import Extractor
    from sea_core.extraction.prepare import Benign, Preparation
    from sea_core.model.adapter import Adapter
    from sea_core.model.mllm import MLLM
    from sea_core.plugin.loader import Plugin
    from sea_core.runs.embedding_run import EmbeddingRun

RowsFile = Annotated[
    Path | None,
    typer.Argument(metavar="ROWS", help="A text safety file, a folder, or hf:OWNER/NAME. Default: the demo rows."),
]
PluginName = Annotated[str, typer.Option("--plugin", "-p", help="An installed plugin (sea plugins), or ./file.py.")]
Modality = Annotated[str | None, typer.Option(help="Which of the plugin's modalities, where it has several.")]
Model = Annotated[str | None, typer.Option(help="A model folder or a hub id. Default: the plugin's own.")]
Revision = Annotated[str | None, typer.Option(help="The commit of a hub model.")]
Dtype = Annotated[str, typer.Option(help="float32, bfloat16 or float16. Default: bfloat16 on a GPU, else float32.")]
Device = Annotated[str, typer.Option(help="Default: cuda where there is one, else cpu.")]
Settings = Annotated[list[str], typer.Option("--option", "-o", metavar="KEY=VALUE", help="A setting, e.g. lr=0.1.")]
SettingsFile = Annotated[Path | None, typer.Option("--config", help="A YAML file of settings.")]
Format = Annotated[str, typer.Option(help="The format of ROWS.")]
Columns = Annotated[str | None, typer.Option(help="Names of columns: instruction=question,response=answer.")]
Styles = Annotated[Path | None, typer.Option(help="A style set (sea styles), in place of the adapter's.")]
Split = Annotated[str | None, typer.Option(help="Which split of a folder or of a hub data set.")]
SkipBad = Annotated[
    bool, typer.Option("--skip-bad", help="Leave out rows that cannot be read; sea data check lists them.")
]
Limit = Annotated[int | None, typer.Option(min=1, help="Take only the first N prepared rows.")]

DTYPES = ("float32", "bfloat16", "float16")


def required(plugin: str) -> str:
    """Return the plugin's name, or say how to give one."""
    if not plugin:
        raise SeaError("no plugin was named", hint="Type --plugin NAME; `sea modalities` lists the installed ones.")
    return plugin


@dataclass(frozen=True)
class Data:
    """The rows a command was given: a file, how to read it, and how many of its prepared rows to take."""

    path: Path | None
    format: str
    columns: str | None
    limit: int | None = None
    styles: Path | None = None
    split: str | None = None
    skip_bad: bool = False

    @property
    def name(self) -> str:
        return re.split("[.:@]", self.path.name)[0] if self.path else "demo"

    @property
    def file(self) -> Path:
        from sea_core.data.demo import DEMO_EXAMPLES

        return self.path or DEMO_EXAMPLES

    def read(self) -> ReadResult:
        from sea_core.data.read import read_examples

        names = parse_columns(self.columns)
        rows = read_examples(self.file, self.format, names, split=self.split, skip_bad=self.skip_bad)
        if self.path and self.format == "auto":
            output.note(f"{self.path} is read as {rows.format}; --format names another")
        if rows.invalid:
            output.note(f"{len(rows.invalid)} bad records are left out: sea data check {self.path} lists them")
        return rows

    def prepare(
        self, rows: ReadResult, adapter: Adapter, seed: int, benign: Benign, extractor: Extractor | None = None
    ) -> Preparation:
        """Prepare the rows; raises SeaError when none is left."""
        from sea_core.extraction.prepare import prepare

        preparation = prepare(
            rows.examples,
            adapter,
            seed=seed,
            benign=benign,
            extractor=extractor,
            styles=self.style_set(),
            limit=self.limit,
        )
        self.require_some(preparation, len(rows.examples))
        return preparation

    def require_some(self, preparation: Preparation, rows: int) -> None:
        """Raise SeaError when no row was prepared."""
        if preparation.prepared:
            return
        reasons = "; ".join(f"{reason} ({n})" for reason, n in preparation.reason_counts().items())
        raise SeaError(
            f"none of the {rows} rows could be prepared: {reasons}",
            hint="Type: sea prepare FILE --plugin NAME --out report.jsonl  and look at each row in report.jsonl.",
            where=str(self.file),
        )

    def style_set(self) -> tuple[str, ...]:
        """Return the styles that were given, none where the adapter's are meant."""
        from sea_core.extraction.styles import read_styles

        return read_styles(self.styles) if self.styles else ()


def parse_columns(text: str | None) -> dict[str, str] | None:
    """Read `instruction=question,response=answer`."""
    if text is None:
        return None
    pairs = [pair.partition("=") for pair in text.split(",")]
    if not all(ours and theirs for ours, _, theirs in pairs):
        raise SeaError(
            f"--columns {text} is not understood", hint="Type: --columns instruction=question,response=answer"
        )
    return {ours.strip(): theirs.strip() for ours, _, theirs in pairs}


@dataclass(frozen=True)
class Target:
    """Which model, where and how; loaded only when there is work for it."""

    checkpoint: str
    revision: str | None
    dtype: str
    device: str
    architectures: tuple[str, ...]

    @classmethod
    def of(cls, adapter: Adapter, model: str | None, revision: str | None, dtype: str, device: str) -> Target:
        if dtype not in ("auto", *DTYPES):
            raise SeaError(f"--dtype {dtype} is not known", hint=f"Type one of: {', '.join(DTYPES)}")
        return cls(model or adapter.checkpoint, revision, dtype, device, adapter.architectures)

    def device_name(self) -> str:
        import torch

        if self.device == "auto":
            return "cuda" if torch.cuda.is_available() else "cpu"
        try:
            torch.empty(0, device=self.device)
        except (RuntimeError, AssertionError, NotImplementedError) as error:
            reason = str(error).splitlines()[0]
            raise SeaError(f"--device {self.device} cannot be used: {reason}", hint="Type: --device cpu") from error
        return self.device

    def dtype_name(self) -> str:
        if self.dtype != "auto":
            return self.dtype
        return "bfloat16" if self.device_name().startswith("cuda") else "float32"

    def fingerprint(self) -> str:
        from sea_core.model.checkpoint import find_architecture, fingerprint

        find_architecture(self.checkpoint, self.architectures, self.revision)  # another family's is refused here
        return fingerprint(self.checkpoint, self.revision)

    def load(self, adapter: Adapter) -> MLLM:
        import torch

        from sea_core.model.mllm import MLLM

        dtype: Any = getattr(torch, self.dtype_name())
        model, processor = adapter.load(self.checkpoint, dtype=dtype, device=self.device_name(), revision=self.revision)
        return MLLM(adapter, model, processor)


def identity(plugin: Plugin, adapter: Adapter, target: Target) -> dict[str, Any]:
    """Return what makes a run this run and no other, as far as every command knows; it may load no weights."""
    from sea_core import __version__

    return {
        "sea": __version__,
        "plugin": plugin.name,
        "plugin_version": plugin.version,
        "modality": adapter.modality,
        "adapter": asdict(adapter),
        "model": target.fingerprint(),
        "dtype": target.dtype_name(),
    }


def of_run(run: EmbeddingRun, model: str | None, device: str) -> tuple[Adapter, Target]:
    """Return the adapter and the model that a run was made with; `model` says where the same model lies now."""
    from sea_core import config as settings
    from sea_core.plugin import loader

    told = run.about["identity"]
    _, adapter = loader.adapter(run.about["plugin_path"], told["modality"])
    adapter, _ = settings.override(
        adapter, {f"adapter.{key}": value for key, value in told["adapter"].items()}, "adapter"
    )
    revision = None if model else run.about["revision"]
    return adapter, Target.of(adapter, model or run.about["model"], revision, told["dtype"], device)
