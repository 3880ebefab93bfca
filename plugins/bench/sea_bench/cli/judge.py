"""`sea bench judge`: let judges speak about a run's stored answers."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sea_core.cli import options, output

if TYPE_CHECKING:
    from sea_bench.run.run_folder import BenchRun
    from sea_core.judges.safety import SafetyJudge

JUDGES = ("refusal", "guard", "openai", "transformers")


def judge(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="A benchmark run (sea bench run).")],
    judge: Annotated[
        list[str],
        typer.Option(
            help="refusal, guard, openai or transformers (openai:va-original for the paper's prompt); may be repeated.",
            show_default="refusal",
        ),
    ] = [],  # noqa: B006  # typer copies it
    option: options.Settings = [],  # noqa: B006
    config: options.SettingsFile = None,
    as_json: output.Json = False,
) -> None:
    """Judge the stored answers of a run; the refusal judge always speaks too. Verdicts are kept, errors asked again."""
    from sea_bench.run.run_folder import BenchRun
    from sea_bench.run.score import run_judge, unjudged_answers
    from sea_core.cli.progress import bar

    opened = BenchRun(run)
    judges = safety_judges(["refusal", *judge], option, config)  # what cannot be asked is told before anything is
    with opened.writing():
        for one in judges:
            total, left = _answered(opened), len(unjudged_answers(opened, one))
            with bar(one.name, total, total - left) as progress:
                for count in run_judge(opened, one):
                    progress.advance(count)
    told = [_told(opened, one) for one in judges]
    columns = ("judge", "verdicts", "tokens read", "written")
    cells = [(each["judge"], _counts(each), each["tokens_in"], each["tokens_out"]) for each in told]
    output.emit({"run": run, "judges": told}, as_json, lambda: output.grid(columns, cells))
    for each in told:
        if errors := each["verdicts"].get("error"):
            output.note(f"{each['judge']}: {errors} errors, {each['error']}. The same command asks about these again.")
    output.note(f"Type: sea bench report {run}")


def safety_judges(names: list[str], option: list[str], config: Path | None) -> list[SafetyJudge]:
    """Return the judges of those names. Language models take the settings chat.*, guards guard.*"""
    from sea_core.config import override, parse_overrides, reject_unknown
    from sea_core.config import setting_names as known
    from sea_core.llm.config import LLMConfig

    chat, left = override(LLMConfig(), parse_overrides(config, option), "chat")
    guard, left = override(LLMConfig(), left, "guard")
    reject_unknown(left, [*known(chat, "chat"), *known(guard, "guard")])
    return [_judge(name, chat, guard) for name in dict.fromkeys(names)]


def _judge(name: str, chat: Any, guard: Any) -> SafetyJudge:
    from sea_core.config import suggest
    from sea_core.errors import SeaError
    from sea_core.judges.guard import GuardJudge, GuardModel
    from sea_core.judges.llm_safety import LLMSafetyJudge
    from sea_core.judges.prompts import PROMPTS
    from sea_core.judges.refusal import RefusalJudge
    from sea_core.llm.backends import open_model

    kind, _, prompt = name.partition(":")
    prompt = prompt or next(iter(PROMPTS))
    if kind not in JUDGES:
        raise SeaError(f"there is no judge {kind!r}", hint=suggest(kind, JUDGES))
    if kind == "refusal":
        return RefusalJudge()
    if kind == "guard":
        if not guard.model:
            raise SeaError(
                "no guard model was named",
                hint="Type for example: -o guard.model=FOLDER   docs/how-to/run-a-benchmark.md names some.",
            )
        return GuardJudge(GuardModel(guard))
    if prompt not in PROMPTS:
        raise SeaError(f"there is no prompt {prompt!r}", hint=suggest(prompt, list(PROMPTS)))
    return LLMSafetyJudge(open_model(kind, chat), PROMPTS[prompt])


def _counts(told: dict[str, Any]) -> str:
    return ", ".join(f"{count} {word}" for word, count in told["verdicts"].items())


def _answered(run: BenchRun) -> int:
    return sum(row["status"] == "answered" for row in run.answer_records().values())


def _told(run: BenchRun, judge: SafetyJudge) -> dict[str, Any]:
    words = list(run.verdicts_by_judge().get(judge.name, {}).values())
    tokens = {name: sum(word[name] or 0 for word in words) for name in ("tokens_in", "tokens_out")}
    error = next((word["detail"] for word in words if word["verdict"] == "error"), "")
    return {"judge": judge.name, "verdicts": dict(Counter(word["verdict"] for word in words)), **tokens, "error": error}
