"""`sea styles`: ask a model for the style of real media, and write the style set."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sea_core.cli import options, output
from sea_core.cli.exit_code import exit_if_failed
from sea_core.cli.inputs import refusing, require_path

if TYPE_CHECKING:
    from sea_core.pipeline.style_survey import StyleSurvey

LOW_RATIO = 0.5
"""Below this ratio of usable answers the adapter's style prefix is probably not this model's."""


def styles(
    plugin: options.PluginName,
    media: Annotated[
        list[Path],
        typer.Argument(metavar="MEDIA...", callback=refusing(require_path), help="Media files, or folders of them."),
    ],
    modality: options.Modality = None,
    model: options.Model = None,
    out: Annotated[Path, typer.Option(help="The style set to write (JSON); answers are stored beside it.")] = Path(
        "styles.json"
    ),
    revision: options.Revision = None,
    chat_template: options.ChatTemplate = None,
    dtype: options.Dtype = "auto",
    device: options.Device = "auto",
    as_json: output.Json = False,
) -> None:
    """Ask a model for the style of real media, and write its answers as a style set.

    `sea optimize --styles FILE` draws from it. Re-run the same command to resume.
    """
    from sea_core.cli.progress import TERMINAL
    from sea_core.pipeline.model_target import ModelTarget
    from sea_core.pipeline.style_survey import survey_styles

    target = ModelTarget.find(
        plugin,
        modality=modality,
        model=model,
        revision=revision,
        dtype=dtype,
        device=device,
        chat_template=chat_template,
    )
    survey = survey_styles(media, target, out, TERMINAL)
    found = survey.styles
    value = {
        **survey.manifest,
        "out": out,
        "styles": found.counts,
        "other": found.other,
        "ratio": found.ratio,
        "unreadable": survey.unreadable,
    }
    output.emit(value, as_json, lambda: output.grid(("style", "answers"), found.counts.items()))
    _notes(survey, target.adapter.style_prefix)


def _notes(survey: StyleSurvey, prefix: str) -> None:
    found = survey.styles
    for file, reason in survey.unreadable.items():
        output.note(f"unreadable: {file}: {reason}")
    if found.ratio is not None and found.ratio < LOW_RATIO:
        output.note(
            f"Only {found.ratio:.0%} of the answers start with {prefix!r}, as this adapter's goals do; this model "
            f"answers for example {next(iter(found.other))!r}. Set that opening as the adapter's style_prefix."
        )
    exit_if_failed({"unreadable media": len(survey.unreadable)})
