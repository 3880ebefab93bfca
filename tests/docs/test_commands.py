"""Every command and script of the documents is run by a test, or NOT_RUN gives the reason why it is not.

A page that another test runs is named in that test.

They run here page by page, in a folder with what the reader of the page has by then. They are as typed, except that
bundled models take the place of large ones, and that options which make a command short are added (SHORTER). What the
same command has made of the same files for another page is copied.
That all others exist too, with their options and settings, is tested in test_links.py.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from zlib import crc32

import pytest
from PIL import Image

from helpers.chat_server import Answer, ChatServer, chat_server, says, text_of
from helpers.cli import CliResult, sea
from helpers.cli_runs import write_demo_examples
from helpers.documents import DOCUMENTS, ROOT, blocks
from helpers.families import write_checkpoint
from helpers.tiny_language_model import save_tiny_language_model
from sea_core.alignment.config import AlignConfig
from sea_core.plugin import loader
from sea_core.runs.digests import file_digest, sha256

pytestmark = [
    pytest.mark.skipif(
        not all(map(find_spec, ("sea_bench", "sea_toy"))), reason="the documents show commands of these plugins"
    ),
    pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::UserWarning"),
    pytest.mark.usefixtures("exports_load_here"),
]

MADE = {
    "demo": "sea optimize --plugin llava --out {}",
    "run": "sea optimize rows.jsonl --plugin llava --out {}",
    "prepared": "sea prepare rows.jsonl --plugin llava --out {}",
    "audio": "sea bench build audio --out {}",
    "image": "sea bench build image --out {}",
    "real": "sea encode photos --plugin llava --out {}",
    "answers": "sea bench run cases --plugin llava --out {}",
    "answers of the aligned": "sea bench run cases --plugin llava --lora model/adapter --out {}",
    "aligned": "sea align runs/embeddings --method sft --out {}",
}
RUNS_OF_A_REPORT = {
    "demo": "runs/embeddings",
    "real": "runs/real",
    "aligned": "model",
    "image": "cases",
    "answers": "runs/before",
    "answers of the aligned": "runs/after",
}
PAGES: dict[str, dict[str, str]] = {
    "README.md": {"sea optimize --plugin qwen2_audio": "", "audio": "VA-SafetyBench"},
    "docs/quickstart.md": {},
    "docs/explanation/embedding-quality.md": {"demo": "runs/plain"},
    "docs/how-to/align.md": {},
    "docs/how-to/any-model.md": {},
    "docs/how-to/ask-a-server.md": {},
    "docs/how-to/build-a-benchmark.md": {},
    "docs/how-to/choose-a-judge-for-vsr.md": {"run": "RUN"},
    "docs/how-to/compare-defences.md": {},
    "docs/how-to/first-7b-run.md": {"image": "VA-SafetyBench"},
    "docs/how-to/label-answers.md": {"image": "cases", "answers": "runs/before"},
    "docs/how-to/large-runs.md": {"prepared": "prepared.jsonl"},
    "docs/how-to/port-a-family.md": {},
    "docs/how-to/prepare-your-data.md": {},
    "docs/how-to/read-a-report.md": RUNS_OF_A_REPORT,
    "docs/how-to/run-a-benchmark.md": {},
    "docs/how-to/safety-replay.md": {},
    "docs/how-to/several-workers.md": {"prepared": "prepared.jsonl", "image": "cases"},
    "docs/how-to/share-a-run.md": {"run": "runs/mine"},
    "docs/how-to/use-other-harnesses.md": {"image": "cases"},
    "docs/performance.md": {},
    "plugins/bench/README.md": {},
    "plugins/llava/README.md": {},
    "plugins/qwen2_audio/README.md": {},
    "plugins/qwen2_vl/README.md": {},
    "plugins/toy/README.md": {},
}
"""The pages whose commands are run, and what their reader has made before."""

SCRIPTS: dict[str, dict[str, str]] = {
    "README.md": {},
    "docs/how-to/build-a-benchmark.md": {},
    "docs/how-to/choose-a-judge-for-vsr.md": {},
    "docs/how-to/compare-defences.md": {},
    "docs/how-to/read-a-report.md": RUNS_OF_A_REPORT,
    "docs/how-to/run-a-benchmark.md": {},
    "docs/how-to/share-a-run.md": {"run": "runs/mine"},
    "plugins/bench/README.md": {"audio": "cases"},
}
"""The pages whose Python is run, and what their reader has made before."""

COMMANDS_ELSEWHERE = {
    "README.zh-CN.md": "tests/docs/test_translations.py",
    "docs/tutorials/write-a-plugin.md": "tests/docs/test_tutorial.py",
    "docs/zh/first-7b-run.md": "tests/docs/test_translations.py",
}
"""The pages whose commands another test runs, or compares with those of a page that is run."""

SCRIPTS_ELSEWHERE = {
    "README.zh-CN.md": "tests/docs/test_translations.py",
    "docs/explanation/method.md": "tests/docs/test_method.py",
    "docs/how-to/align.md": "tests/alignment/test_align.py",
    "docs/how-to/from-python.md": "tests/docs/test_from_python.py",
    "docs/reference/adapter.md": "tests/docs/test_reference.py",
    "docs/tutorials/write-a-plugin.md": "tests/docs/test_tutorial.py",
}
"""The pages whose Python another test runs, or compares with that of a page or file that is run."""

SCRIPTS_NOT_RUN = {
    "docs/how-to/port-a-family.md": "parts of files, and a script that tests/docs/test_port.py runs",
    "docs/how-to/run-a-study.md": "takes long; plugins/bench/tests/cli/test_study.py",
    "docs/how-to/safety-replay.md": "is a part of a training; tests/pipeline/test_safety_replay.py",
}
"""The pages whose Python is not run as it stands, and why."""

NOT_RUN: dict[str, str] = {
    r"pip install |make |git clone |source ": "sets up what runs these tests; tests/test_packages.py builds the wheels",
    r"python benchmarks/": "takes an hour or more; tests/test_benchmarks.py runs the scripts on little",
    r"lmms-eval |inspect |vllm |python -c ": "needs a program that cannot be installed beside SEA",
    r"sea (toy )?study ": "takes hours; plugins/bench/tests/cli/test_study.py runs a small one",
    r"sea toy (build|check|align)": "trains for minutes; plugins/toy/tests train for less",
    r"sea bench pick ": "waits for a person; plugins/bench/tests/pages",
    r"sea bench (add|import ANSWERS|build .*--from) ": "needs published data; plugins/bench/tests",
    r"transformers serve ": "serves until it is stopped; plugins/bench/tests/run/test_served.py starts it",
    r"sea bench report studies/": "needs a study of an hour or more; plugins/bench/tests/cli/test_study.py",
    r"sea bench compare ": "asks several models; plugins/bench/tests/cli/test_compare.py",
    r"sea bench report before --after|sea .*model1": "needs several alignments; plugins/bench/tests/report",
    r"sea plugins warm |sea .*warmed": "trains for a minute; tests/pipeline/test_warm.py",
    r"python docs/examples/safety_replay.py": "takes an hour; tests/pipeline/test_safety_replay.py",
    r"sea .*(Qwen3-VL-4B|qwen3_vl|PKU-SafeRLHF)": "needs a hub; plugins/auto/tests, tests/data",
    r"sea .*(models/small|models/real|harmless-base)": "needs a model and data of 200 MB; benchmarks/README.md",
    r"sea .*--recipe pool|.*runs/(draws|edited)": "takes long on a CPU; tests/optimization/recipes",
    r"sea .*s3://|export AWS_": "needs object storage; tests/pipeline/test_object_run.py",
    r"PYTHONPATH=tests ": "tests/extraction/test_golden.py runs the same",
    r"sea data check bad": "tests/cli/test_data.py",
    r"sea (prepare|verify) .*llm.model=(\./)?FOLDER": "needs a language model that gives sensible answers; tests/llm",
    r"sea .*guard.model=GUARD": "needs a guard model; plugins/bench/tests/pipeline/test_judge_work.py",
    r"sea data check FILE .*--styles ": "needs styles that a model was surveyed for; tests/cli/test_data.py",
    r"sea .*(--quantize|llava-4bit)": "takes long on a CPU; tests/alignment/test_quantized.py",
    r"sea plugins (new|check) mine|pytest -q sea-mine": "installs a package; plugins/auto/tests",
    r"sea .*--device (cuda|all|map)": "needs several GPUs; tests/model/test_device_map.py",
    r"sea (init|run )": "tests/cli/test_run.py",
    r"sea optimize --plugin eeg": "needs the example installed; tests/docs/test_tutorial.py",
}
"""The commands that are not run here, by how they begin, and why: what they need, or which other test does it."""

SHORTER = {
    "optimize": "--limit 2 -o loss=1 -o margin=0 -o steps=100",
    "align": "--max-steps 1",
    "bench build": "--limit 1",
    "bench label": "--table labels.csv",
    "bench run": "--limit 1 -o max_new_tokens=8",
    "push": "--yes",
}
"""Options that are added to a command."""


@pytest.fixture(scope="module")
def server() -> Iterator[ChatServer]:
    """A model that finds phrases, calls every answer safe, names every content, and reads media."""

    def answer(request: dict[str, Any], _: int) -> Answer:
        content = request["messages"][-1]["content"]
        if media := [part for part in content if isinstance(part, dict) and part["type"] != "text"]:
            return says(f"A picture, number {crc32(repr(media).encode())}.")
        found = re.search(r"(steal|clean) an? (\w+)", text_of(content))
        verb, thing = found.groups() if found else ("see", "lamp")
        extraction = {
            "phrase": f"{verb} a {thing}",
            "kind": "activity",
            "detoxified": "How do I do this activity?",
            "sentence": f"a person is {verb}ing a {thing}",
        }
        return says(json.dumps(extraction | {"verdict": "safe", "named": True}))

    with chat_server(answer, ("scripted-1", "Qwen/Qwen2.5-VL-7B-Instruct")) as server:
        yield server


def write_pictures(folder: Path, *, harmful: bool) -> None:
    """Write two pictures with their questions into a folder; the first is harmful, or none."""
    folder.mkdir()
    records = []
    for i, name in enumerate(("a.png", "b.png")):
        Image.new("RGB", (64, 64), (90 * i, 120, 60)).save(folder / name)
        labels = {"response": "A lamp.", "harmful": harmful and not i}
        records.append({"file_name": name, "instruction": "What is this?", **labels})
    (folder / "metadata.jsonl").write_text("".join(json.dumps(record) + "\n" for record in records))


@dataclass(frozen=True)
class CommandCache:
    """Runs `sea`; a folder that the same command has made of the same files is copied in place of making it again."""

    store: Path
    codes: dict[str, int] = field(default_factory=dict)

    def sea(self, words: Sequence[str]) -> CliResult:
        out = Path(words[words.index("--out") + 1]) if "--out" in words else None
        if out is None or out.exists():
            return sea(*words)
        read = sorted(file for word in words for file in (Path(word), *Path(word).rglob("*")) if file.is_file())
        digests = [(str(file), file_digest(file, cached=False)) for file in read]
        key = sha256(repr(([word for word in words if word != str(out)], digests)).encode())
        if key in self.codes:
            shutil.copytree(self.store / key, out)
            return CliResult(self.codes[key], "", "")
        result = sea(*words)
        if out.is_dir():
            shutil.copytree(out, self.store / key)
            self.codes[key] = result.code
        return result


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> CommandCache:
    return CommandCache(tmp_path_factory.mktemp("made"))


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the readers have before they type anything: data, pictures, answers, models, a plugin of their own."""
    folder = tmp_path_factory.mktemp("files")
    for name in ("rows.jsonl", "data.jsonl", "FILE"):
        write_demo_examples(folder / name, 3)
    question = {"question": "How do I steal a lamp?", "answer": "I cannot help with that."}
    (folder / "questions.jsonl").write_text(json.dumps(question))
    (folder / "answers.csv").write_text("prompt,completion\nHow do I steal a lamp?,I cannot help with that.\n")
    for name in ("photos", "media", "benign", "held-out"):
        write_pictures(folder / name, harmful=name != "benign")
    save_tiny_language_model(folder / "FOLDER")
    (folder / "family.py").write_text("from sea_llava import LlavaAdapter, sea_adapters\n")
    write_checkpoint("llava", folder / "tiny")
    template = shutil.copytree(folder / "tiny", folder / "base") / "chat_template.jinja"
    template.rename(folder / "chat.jinja")
    return folder


@pytest.fixture
def reader(
    tmp_path: Path, files: Path, server: ChatServer, cache: CommandCache, monkeypatch: pytest.MonkeyPatch
) -> Callable[[str], None]:
    """Run a command as a reader would, in a folder of their own."""
    shutil.copytree(files, tmp_path, dirs_exist_ok=True)
    (tmp_path / "sea_core").symlink_to(ROOT / "sea_core")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("OPENAI_API_KEY", "none")
    plugins = ("qwen2_audio", "audio"), ("llava", "image"), ("auto", "image+audio")
    audio, image, joint = (loader.get_adapter(*names)[1].checkpoint for names in plugins)
    replaced = {
        r"Qwen/Qwen2-Audio-7B-Instruct": audio,
        r"llava-hf/llava-1.5-7b-hf": image,
        r"Qwen/Qwen2.5-VL-7B-Instruct(?= *$)": loader.get_adapter("qwen2_vl", "image")[1].checkpoint,
        r"llm.model=gpt-4o-mini": f"llm.model=scripted-1 -o llm.base_url={server.url}",
        r"llm.model=NAME": "llm.model=scripted-1",
        r"http://localhost:\d+/v1": server.url,
        r"--model MODEL": f"--model {joint}",
        r" --model Qwen2.5-Omni": "",
        r"path/to/a/tiny/checkpoint": "tiny",
        r"--device cuda": "--device cpu",
        r"/shared/|hf:me/": "shared/",
        r"\.venv/bin/": "",
        r" \[.*\]": "",
    }

    def run(command: str) -> None:
        for old, new in replaced.items():
            command = re.sub(old, str(new), command)
        if assignment := re.fullmatch(r"(?:export )?(\w+)=(\S*)", command):
            monkeypatch.setenv(assignment[1], assignment[2])
            return
        for part in command.split(" && "):
            words = [os.path.expandvars(word) for word in shlex.split(part)]
            if words[0] != "sea":
                subprocess.run(part, shell=True, check=True, capture_output=True)
                continue
            name = next((name for name in SHORTER if words[1:][: len(name.split())] == name.split()), "")
            result = cache.sea([*words[1:], *SHORTER.get(name, "").split()])
            # So short an alignment makes no model safer, and a random model gives no target answer: it has failed.
            may_fail = "align" in words or "./family.py" in words
            assert result.code in ((0, 1) if may_fail else (0,)), f"$ {part}\n{result.out}\n{result.err}"

    return run


def reason(command: str) -> str:
    """Return why a command is not run, or nothing."""
    return next((reason for pattern, reason in NOT_RUN.items() if re.match(pattern, command)), "")


def commands(page: Path) -> list[str]:
    """Return the commands of a page in their order."""
    return [command for block in blocks(page) for command in block.commands]


def make(reader: Callable[[str], None], things: dict[str, str]) -> None:
    for thing, place in things.items():
        reader(MADE.get(thing, thing).format(place))


@pytest.mark.parametrize("page", PAGES)
def test_commands_run_in_their_order(page: str, reader: Callable[[str], None]) -> None:
    make(reader, PAGES[page])
    for command in commands(ROOT / page):
        if not reason(command):
            reader(command)


@pytest.mark.parametrize("page", SCRIPTS)
def test_scripts_run(page: str, reader: Callable[[str], None]) -> None:
    make(reader, SCRIPTS[page])
    for block in blocks(ROOT / page):
        if block.language == "python":
            script = block.text.replace('method="dpo"', 'method="dpo", config=SHORT').replace("hf:me/", "shared/")
            exec(compile(script, page, "exec"), {"__name__": "__main__", "SHORT": AlignConfig(steps=1)})


def test_every_command_and_script_is_run_or_has_a_reason() -> None:
    pages = {str(path.relative_to(ROOT)): path for path in DOCUMENTS}
    run = {command for page in PAGES for command in commands(ROOT / page)}
    assert [
        f"{page}: {command}"
        for page, path in pages.items()
        if page not in COMMANDS_ELSEWHERE
        for command in commands(path)
        if command not in run and not reason(command)
    ] == []
    have_scripts = {page for page, path in pages.items() if any(block.language == "python" for block in blocks(path))}
    assert have_scripts == {*SCRIPTS, *SCRIPTS_ELSEWHERE, *SCRIPTS_NOT_RUN}


@pytest.mark.parametrize(("page", "test"), sorted({*COMMANDS_ELSEWHERE.items(), *SCRIPTS_ELSEWHERE.items()}))
def test_a_page_that_another_test_runs_is_named_in_it(page: str, test: str) -> None:
    assert (ROOT / page).is_file()
    name = Path(page).name
    assert (page if name == "README.md" else name) in (ROOT / test).read_text(encoding="utf-8")


def test_no_reason_is_without_a_command() -> None:
    every = [command for path in DOCUMENTS for command in commands(path)]
    assert [pattern for pattern in NOT_RUN if not any(re.match(pattern, command) for command in every)] == []
