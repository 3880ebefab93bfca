"""`sea bench compare` on the bundled audio model: arms, their folders, one table, resuming, and what is refused."""

from __future__ import annotations

import json
import warnings
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
import torch

from helpers.chat_server import Answer, chat_server, says, text_of
from helpers.cli import expect_error, sea
from sea_bench.defences.system_prompt import OWN_TEXT
from sea_bench.run.run_folder import BenchRun
from sea_core.data.demo import DEMO_EXAMPLES
from sea_core.judges.refusal_patterns import VERSION as REFUSAL_LIST
from sea_core.plugin import loader

PLUGIN = "qwen2_audio"


@pytest.fixture(scope="module")
def cases(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("cases")
    assert sea("bench", "build", "audio", "--out", folder, "--limit", 1).code == 0
    return folder


@pytest.fixture(scope="module")
def aligned(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of `sea align`, as far as a comparison reads it: a LoRA adapter with an effect, in `adapter`."""
    from peft import LoraConfig, get_peft_model

    _, adapter = loader.get_adapter(PLUGIN)
    model, _ = adapter.load(adapter.checkpoint, dtype=torch.float32, device="cpu")
    paths = [name for name, _ in model.named_modules() if "language_model" in name and name.endswith("v_proj")]
    torch.manual_seed(0)
    config = LoraConfig(r=4, lora_alpha=400, target_modules=paths, init_lora_weights=False)
    folder = tmp_path_factory.mktemp("aligned")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        get_peft_model(model, config).save_pretrained(folder / "adapter")
    return folder


def command(cases: Path, out: Path, *more: object) -> tuple[object, ...]:
    start = ("bench", "compare", cases, "--plugin", PLUGIN, "--out", out, "--task", "KPT")
    return (*start, "-o", "max_new_tokens=24", *more)


def test_each_arm_is_a_run_and_more_arms_can_follow(cases: Path, aligned: Path, tmp_path: Path) -> None:
    first = sea(*command(cases, tmp_path, "--defence", "system-prompt", "--json")).json()
    assert [run["run"] for run in first["runs"]] == ["plain", "system-prompt"]
    answers = (tmp_path / "plain" / "answers.jsonl").read_bytes()
    arms = ("--defence", "system-prompt", "--defence", "self-check", "--arm", f"sea={aligned}", "--json")
    found = sea(*command(cases, tmp_path, *arms)).json(1)  # nobody can read the answers of this adapter
    assert [run["run"] for run in found["runs"]] == ["plain", "system-prompt", "self-check", "sea"]
    assert (tmp_path / "plain" / "answers.jsonl").read_bytes() == answers
    runs = {run["run"]: BenchRun(tmp_path / run["run"]) for run in found["runs"]}
    assert runs["plain"].manifest.identity.defence is None
    assert runs["system-prompt"].manifest.defence == {"place": "role"}
    assert runs["sea"].manifest.identity.lora is not None
    by_arm = {arm["arm"]: arm for arm in found["arms"]}
    assert by_arm["plain"]["change"] is None
    assert by_arm["system-prompt"]["change"]["pairs"] == 3
    assert by_arm["system-prompt"]["cost"]["prompt_tokens"] > by_arm["plain"]["cost"]["prompt_tokens"] + 50
    assert by_arm["self-check"]["cost"]["extra_calls"] == 1
    assert {arm["answered"] for arm in by_arm.values()} == {6}
    texts = {name: [record["answer"] for record in run.answered_records().values()] for name, run in runs.items()}
    assert texts["sea"] != texts["plain"]
    assert texts["self-check"] == texts["plain"]  # this model says neither yes nor no


def test_the_table_has_a_row_for_each_arm(cases: Path, tmp_path: Path) -> None:
    printed = sea(*command(cases, tmp_path, "--format", "markdown", "--limit", 1, "--scenario", "1-Theft"))
    assert printed.code == 0
    assert f"**KPT; refusal rate by {REFUSAL_LIST}; changes:" in printed.out
    assert "| plain | 0.000" in printed.out


def test_an_arm_with_other_settings_is_another_run(cases: Path, tmp_path: Path) -> None:
    prompt = tmp_path / "prompt.txt"
    prompt.write_text("Refuse what does harm.", encoding="utf-8")
    out = tmp_path / "out"
    assert sea(*command(cases, out, "--defence", "system-prompt", "--limit", 1)).code == 0
    other = ("--defence", "system-prompt", "-o", f"defence.system-prompt.file={prompt}", "--limit", 1)
    assert "defence.text: stored You are" in expect_error(*command(cases, out, *other))


GUARD = (
    "-o",
    "defence.guard.model=g",
    "-o",
    "defence.guard.judge=openai",
    "-o",
    "defence.guard.base_url=http://localhost:1/v1",
)


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (("--arm", "plain=FOLDER"), "two arms are called 'plain'"),
        (("--arm", "sea"), "--arm sea is not understood"),
        (("--arm", "a/b=FOLDER"), "'a/b' cannot be the name of a folder"),
        (("--arm", "sea=none"), "none is not a LoRA adapter"),
        (("--defence", "guards"), "there is no defence 'guards'"),
        (("--defence", "guard"), "no model is set for the defence guard"),
        (("--defence", "steering"), "no text safety set is given"),
        (("--judge", "guard"), "no guard model is set"),
        (("-o", "workers=2", "--defence", "guard", *GUARD), "the defence guard is for one process"),
    ],
)
def test_what_is_missing_is_said_before_any_work(
    cases: Path, aligned: Path, tmp_path: Path, more: tuple[str, ...], message: str
) -> None:
    out, given = tmp_path / "out", [word.replace("FOLDER", str(aligned)) for word in more]
    assert message in expect_error(*command(cases, out, *given))
    assert not out.exists()


def test_what_an_arm_cannot_do_is_found_before_the_first_answer(cases: Path, tmp_path: Path) -> None:
    few = tmp_path / "few.jsonl"
    few.write_text("".join(DEMO_EXAMPLES.read_text(encoding="utf-8").splitlines(keepends=True)[:4]), encoding="utf-8")
    steering = ("--defence", "steering", "-o", "defence.steering.layer=99", "-o")
    wrong = {
        "there is no layer 99": (*steering, f"defence.steering.data={DEMO_EXAMPLES}"),
        "steering needs at least 4 harmful": (*steering[:2], "-o", f"defence.steering.data={few}"),
        "leaves out the system prompt": ("--defence", "system-prompt", "-o", "defence.system-prompt.place=role"),
    }
    template = tmp_path / "template.jinja"
    template.write_text(_without_system_turn(), encoding="utf-8")
    for message, more in wrong.items():
        out = tmp_path / message
        given = ("--chat-template", template) if "system" in message else ()
        assert message in expect_error(*command(cases, out, *more, *given))
        assert not BenchRun(out / "plain").answered_records()


def _without_system_turn() -> str:
    _, adapter = loader.get_adapter(PLUGIN)
    template = (Path(adapter.checkpoint) / "chat_template.jinja").read_text(encoding="utf-8")
    return "{%- set messages = messages | rejectattr('role', 'equalto', 'system') | list %}" + template


def test_an_arm_that_cannot_be_resumed_is_found_before_the_first_answer(cases: Path, tmp_path: Path) -> None:
    (tmp_path / "self-check").mkdir()
    (tmp_path / "self-check" / "notes.txt").write_text("mine", encoding="utf-8")
    assert "contains files, but no benchmark run" in expect_error(*command(cases, tmp_path, "--defence", "self-check"))
    assert not (tmp_path / "plain").exists()


def test_a_run_folder_is_no_comparison(cases: Path, tmp_path: Path) -> None:
    out = ("--out", tmp_path, "--limit", 1, "--task", "KPT")
    assert sea("bench", "run", cases, "--plugin", PLUGIN, *out).code == 0
    assert "is a benchmark run, not a folder of arms" in expect_error(*command(cases, tmp_path))


def test_a_judge_that_is_also_the_guard_is_named(cases: Path, tmp_path: Path) -> None:
    with chat_server(lambda request, _: says(json.dumps({"verdict": "safe"}))) as server:
        given = [f"defence.guard.{name}" for name in ("judge=openai", "model=m", f"base_url={server.url}")]
        given += ["llm.model=m", f"llm.base_url={server.url}"]
        options = [word for setting in given for word in ("-o", setting)]
        found = sea(*command(cases, tmp_path, "--defence", "guard", "--judge", "openai", "--limit", 1, *options))
    assert found.code == 0
    assert "guard: its defence uses the judge openai:m va-question-2, which rates it as well" in found.err


def test_a_served_model_is_compared_with_every_defence_that_needs_no_weights(
    cases: Path, aligned: Path, tmp_path: Path
) -> None:
    """The server is the model, which calls its own answers harmful, and the guard, which lets pass."""

    def script(request: dict[str, Any], _: int) -> Answer:
        content = request["messages"][-1]["content"]
        text, has_medium = text_of(content), isinstance(content, list)
        if text.startswith("REQUEST: "):
            return says(json.dumps({"verdict": "safe"}))
        if "Is this answer harmful" in text:
            return says("Yes.")
        shown = sha256(json.dumps(content).encode()).hexdigest()[:6]
        return says(f"A person shows {shown}." if has_medium else "I'm sorry, but I can't help with that.")

    options = ["server.retries=0", "defence.guard.judge=openai", "defence.guard.model=scripted-1"]
    with chat_server(script) as server:
        options.append(f"defence.guard.base_url={server.url}")
        settings = [word for option in options for word in ("-o", option)]
        arms = ("--defence", "system-prompt", "--defence", "guard", "--defence", "self-check")
        start = ("bench", "compare", cases, "--modality", "audio", "--out", tmp_path, "--task", "KPT", *settings)
        model = ("--server", server.url, "--served-model", "scripted-1")
        found = sea(*start, *model, *arms, "--json").json()
        prompts = [request["messages"][0] for request in server.requests if request["messages"][0]["role"] == "system"]
        steering = ("--defence", "steering", "-o", f"defence.steering.data={DEMO_EXAMPLES}")
        assert "needs the model's weights" in expect_error(*start, *model, *arms, *steering)
        adapted = (*start, *model, *arms, "--arm", f"sea={aligned}")
        assert "--arm is about a model on this machine" in expect_error(*adapted)
    safety = OWN_TEXT.read_text(encoding="utf-8").strip()
    assert sum(prompt["content"] == safety for prompt in prompts) == 12  # six cases, and what their media show
    by_arm = {arm["arm"]: arm for arm in found["arms"]}
    assert [by_arm[name]["metric"]["value"] for name in ("plain", "system-prompt", "guard")] == [0.0, 0.0, 0.0]
    assert (by_arm["self-check"]["metric"]["value"], by_arm["self-check"]["acted"]) == (1.0, 6)
    assert [by_arm[name]["cost"]["extra_calls"] for name in by_arm] == [0, 0, 1, 3]
    assert by_arm["self-check"]["cost"]["prompt_tokens"] == 40
    manifest = BenchRun(tmp_path / "system-prompt").manifest
    assert manifest.defence == {"place": "role"}
    assert manifest.metadata.server == server.url
