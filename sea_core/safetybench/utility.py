"""General ability, by lmms-eval, another program: its command line, and what its files say."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sea_core.errors import ModelError, RunError, SeaError
from sea_core.files import disk_errors, read_json, write_json
from sea_core.settings import near

SUITES: Mapping[str, tuple[str, ...]] = {
    "image": ("mme", "pope", "mmbench_en_dev_static", "scienceqa_img"),
    "video": ("videomme", "mvbench", "nextqa_mc_test"),
    "audio": ("mmau_test_mini", "librispeech_test_clean", "air_bench_foundation"),
}
"""Tasks that no paid judge scores, as read in lmms-eval 0.7.3. TempCompass is not among them: where its rules do not
find an answer it asks a model of OpenAI's."""
ABOUT, LOG = "utility.json", "lmms-eval.log"
INSTALL = (
    "Type: pip install 'sea-core[lmms-eval]'  best in an environment of its own, as it wants older libraries (av<16); "
    "then --program ENVIRONMENT/bin/lmms-eval"
)


@dataclass(frozen=True)
class Plan:
    """What lmms-eval is told.

    Attributes:
        model: a merged model's folder.
        wrapper: lmms-eval's name for what runs such models.
        include: a folder of more tasks (sea bench export lmms-eval).
        model_args: further settings of the wrapper, as lmms-eval takes them: "device=cpu".
        limit: the first N cases of each task.
    """

    program: str
    model: Path
    wrapper: str
    tasks: tuple[str, ...]
    out: Path
    include: Path | None = None
    model_args: str = ""
    limit: int | None = None

    def command(self) -> list[str]:
        """Return the command line. Answers are cached, so that the same command goes on where it stopped."""
        told = f"pretrained={self.model.resolve()}" + (f",{self.model_args}" if self.model_args else "")
        line = [
            self.program, "--model", self.wrapper, "--model_args", told, "--tasks", ",".join(self.tasks),
            "--batch_size", "1", "--log_samples", "--output_path", str((self.out / "lmms-eval").resolve()),
            "--use_cache", str((self.out / "cache").resolve()),
        ]  # fmt: skip
        line += ["--include_path", str(self.include.resolve())] if self.include else []
        return line + (["--limit", str(self.limit)] if self.limit else [])


def check_model(folder: Path) -> str:
    """Return the type of a model's folder, as its config.json says. Raises ModelError when it is none."""
    if not (folder / "config.json").is_file():
        adapter = (folder / "adapter_config.json").is_file()
        raise ModelError(
            f"{folder} is {'an adapter alone' if adapter else 'no model: it has no config.json'}",
            hint="Give the folder of the merged model that `sea align` wrote.",
        )
    if set(",=") & set(str(folder.resolve())):
        raise ModelError(
            f"lmms-eval cannot be told of {folder}: it reads , and = as its own", hint="Rename the folder."
        )
    return str(read_json(folder / "config.json").get("model_type", ""))


def find_program(named: str) -> str | None:
    """Return the path of the program, None where it is not installed."""
    return shutil.which(named)


def choose_wrapper(program: str, kind: str) -> str:
    """Return lmms-eval's name for models of a type: the `_hf` one where there are two, which reads transformers' files.

    Raises:
        SeaError: it has none, or does not start.
    """
    done = subprocess.run([program, "models"], capture_output=True, text=True, check=False, env=environment())
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["no message"])[-1]
        raise SeaError(f"{program} does not start: {last}", hint=INSTALL)
    known = [line.split()[0] for line in done.stdout.splitlines() if len(line.split()) > 1]
    for name in (f"{kind}_hf", kind):
        if name in known:
            return name
    raise SeaError(f"lmms-eval has no model {kind!r}", hint=f"Type --wrapper NAME. {near(kind, known)}")


def environment() -> dict[str, str]:
    """Return this process's environment without API keys: a task that would call a paid judge gets none."""
    return {name: value for name, value in os.environ.items() if not name.upper().endswith("API_KEY")}


def start(plan: Plan, identity: Mapping[str, Any]) -> dict[str, Any] | None:
    """Begin in a new folder, or return the figures that are there. Raises RunError when it is another measurement's."""
    path = plan.out / ABOUT
    if path.is_file():
        about = read_json(path)
        if about["identity"] != dict(identity):
            names = ", ".join(key for key in identity if about["identity"].get(key) != identity[key])
            raise RunError(f"{plan.out} holds another measurement: {names} differ", hint="Give another folder: --out.")
        figures: dict[str, Any] | None = about.get("found")
        return figures
    write_json(path, {"identity": dict(identity), "command": plan.command()})
    return None


def run(plan: Plan) -> None:
    """Run lmms-eval; what it prints goes to a file. Raises RunError with its last words when it fails."""
    log = plan.out / LOG
    with disk_errors(log), log.open("w", encoding="utf-8") as file:
        done = subprocess.run(plan.command(), stdout=file, stderr=subprocess.STDOUT, check=False, env=environment())
    if done.returncode:
        said = [line for line in log.read_text(encoding="utf-8", errors="replace").splitlines() if line.strip()]
        raise RunError(
            f"lmms-eval ended with code {done.returncode}: {said[-1].strip() if said else 'no message'}",
            hint="What was answered is kept. Read its words in full, mend that, and type the same command again.",
            where=str(log),
        )


def figures(plan: Plan) -> dict[str, Any]:
    """Return what the newest results file says, and keep it in ABOUT.

    Returns:
        figures: a row for each number: task, metric, filter, value, stderr, cases, empty answers, higher_is_better.
        missing: tasks that were asked for and have no figure.

    Raises:
        RunError: there is no results file.
    """
    files = sorted((plan.out / "lmms-eval").rglob("*_results.json"), key=lambda file: file.name)
    if not files:
        raise RunError(f"lmms-eval wrote no results to {plan.out}", hint=f"Read {plan.out / LOG}")
    told = read_json(files[-1])
    stamp = files[-1].name.removesuffix("results.json")
    rows = [row for task in told["results"] for row in _rows(task, told, files[-1].with_name(f"{stamp}samples_{task}"))]
    known = {row["task"] for row in rows}
    groups = told.get("group_subtasks", {})
    missing = [task for task in plan.tasks if task not in known and not known & set(groups.get(task, ()))]
    found = {"lmms_eval": told.get("lmms_eval_version"), "figures": rows, "missing": missing}
    write_json(plan.out / ABOUT, read_json(plan.out / ABOUT) | {"found": found})
    return found


def _rows(task: str, told: Mapping[str, Any], samples: Path) -> list[dict[str, Any]]:
    """Return the numbers of a task. What is no number (a file for a leaderboard, a group's blanks) is none."""
    rows = []
    values = told["results"][task]
    empty = _empty(samples.with_name(f"{samples.name}.jsonl"))
    for key, value in values.items():
        metric, _, variant = key.partition(",")
        if not variant or isinstance(value, bool) or not isinstance(value, int | float) or "_stderr" in metric:
            continue
        error = values.get(f"{metric}_stderr,{variant}")
        rows.append({
            "task": task, "metric": metric, "filter": variant, "value": value,
            "stderr": error if isinstance(error, int | float) else None,
            "cases": told.get("n-samples", {}).get(task, {}).get("effective"), "empty": empty,
            "higher_is_better": told.get("higher_is_better", {}).get(task, {}).get(metric),
        })  # fmt: skip
    return rows


def _empty(samples: Path) -> int | None:
    """Count the empty answers of a task: what lmms-eval's models give where generating failed."""
    if not samples.is_file():
        return None
    lines = samples.read_text(encoding="utf-8").split("\n")[:-1]  # an answer may hold other kinds of line ends
    answers: Sequence[Any] = [json.loads(line).get("filtered_resps") for line in lines]
    texts = [one[0] if isinstance(one, list) and one else one for one in answers]
    return sum(not text or (isinstance(text, str) and not text.strip()) for text in texts)
