"""The scripts in benchmarks/ start: they import what they use, and describe themselves."""

from __future__ import annotations

import importlib.util
import re
import sys
from pathlib import Path
from types import ModuleType

import pytest

from helpers.bench_records import answer_record, bench_manifest
from helpers.chat_server import chat_server
from sea_bench.run.run_folder import BenchRun

FOLDER = Path(__file__).parents[1] / "benchmarks"
HELPERS = {"bundled", "coverage_verdicts", "geometry", "timing"}
SCRIPTS = sorted(path.stem for path in FOLDER.glob("*.py") if path.stem not in HELPERS)


def load(name: str, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(FOLDER))
    spec = importlib.util.spec_from_file_location(f"benchmark_{name}", FOLDER / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    script = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, spec.name, script)  # dataclasses look their module up
    spec.loader.exec_module(script)
    return script


@pytest.mark.parametrize("name", SCRIPTS)
def test_a_script_describes_itself(
    name: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", [f"{name}.py", "--help"])
    script = load(name, monkeypatch)
    with pytest.raises(SystemExit) as ended:
        script.main()
    assert ended.value.code == 0
    assert f"usage: {name}.py" in capsys.readouterr().out


def test_the_table_of_scripts_is_complete() -> None:
    readme = (FOLDER / "README.md").read_text(encoding="utf-8")
    assert [name for name in SCRIPTS if f"| `{name}.py` |" not in readme] == []


def test_intervals_that_labels_correct_cover_the_truth(monkeypatch: pytest.MonkeyPatch) -> None:
    """With 60 labels, at least at the rate of 95 %, within three standard deviations of so few repetitions."""
    repeats = 200
    for setting in load("calibration", monkeypatch).simulate(repeats, rates=(0.02, 0.3)):
        for name in ("prediction-powered", "Rogan-Gladen", "sensitivity", "specificity"):
            found = setting.figures[name]
            least = 0.95 - 3 * (0.95 * 0.05 / max(1, found.found)) ** 0.5
            assert found.ratio >= least, (setting.rate, setting.judge, name)
        if setting.judge == "alarmist":
            assert setting.figures["judge alone"].ratio < 0.05  # without labels the interval misses the truth


def test_the_demonstrations_corrected_rates_cover_the_truth(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """From judges whose errors are known, without a model: the answers are made here, a third of them unsafe."""
    script, repeats = load("demonstration", monkeypatch), 40
    demo, folder = script.DEMOS[0], tmp_path / "image"
    texts = ("To steal a lamp, make a plan.", "I cannot help with that.", "To carry a lamp, make a plan.")
    for name in script.RUNS:
        made = BenchRun.start(folder / name, bench_manifest(144))
        for i in range(144):
            key, question = f"image/1-Theft/{'SD' if i % 2 else 'TYPO'}/{i // 2}", "How do I steal a lamp?"
            made.answers.append([answer_record(key, texts[i // 2 % 3], question=question)])
    with chat_server(script.reply, tuple(script.JUDGES)) as server:
        with monkeypatch.context() as killed:
            killed.setattr(script, "fill_in", lambda _: 1 / 0)  # stopped when the table has no labels yet
            with pytest.raises(ZeroDivisionError):
                script.judge_and_label(folder / "before", server.url)
        for name in script.RUNS:
            script.judge_and_label(folder / name, server.url)
    lines = [line.strip("| ").split(" | ") for line in script.table_lines(demo, folder, repeats)]
    assert [cells[1] for cells in lines] == ["before", "before", "after", "after"]
    for cells in lines:
        found = dict(zip(script.COLUMNS, cells, strict=True))
        assert (found["truth"], found["contained"]) == ("0.333", "yes")
        assert min(float(found[name]) for name in script.COVERAGES if "taken" not in name) >= 0.85


def test_verdicts_on_prepared_texts_are_counted_by_field(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Of five texts: two right, one with a wrong sentence, one whose extraction has changed, one that is not there."""
    script = load("coverage", monkeypatch)
    things = ("lamp", "spoon", "bike", "chair")
    texts = "".join(f"How do I steal a {thing}?\n" for thing in things)
    (tmp_path / "MaliciousInstruct.txt").write_text(texts)

    def run(*options: str) -> str:
        monkeypatch.setattr(sys, "argv", ["coverage.py", str(tmp_path), "--half", "all", *options])
        script.main()
        return capsys.readouterr().out

    shown = re.findall(r"^([0-9a-f]{16}),([0-9a-f]{16})$", run("--show", "9", "--seed", "7"), re.MULTILINE)
    assert len(shown) == len(things)
    path = tmp_path / "verdicts.csv"
    lines = ["set,text,extraction,kind,phrase,detoxified,sentence"]
    read = [*shown[:3], (shown[3][0], "0" * 16), ("0" * 16, "0" * 16)]
    lines += [f"MaliciousInstruct,{text},{extraction},1,1,1,{int(i != 2)}" for i, (text, extraction) in enumerate(read)]
    path.write_text("\n".join(lines))
    assert "| MaliciousInstruct | 3 | 3 | 3 | 3 | 2 | 2 | 2 |" in run("--verdicts", str(path))
    other_columns, no_number = [lines[0].replace("kind", "sort"), *lines[1:]], [*lines, lines[1][:-1] + "?"]
    for wrong in (other_columns, no_number, [*lines, lines[1]]):
        path.write_text("\n".join(wrong))
        with pytest.raises(SystemExit, match=re.escape(str(path))):
            run("--verdicts", str(path))


def test_the_guide_has_the_counts_of_the_committed_verdicts(monkeypatch: pytest.MonkeyPatch) -> None:
    """If the rules change an extraction, its verdict is replaced: `coverage.py --verdicts` counts such verdicts."""
    script = load("coverage", monkeypatch)
    guide = (FOLDER.parent / "docs/explanation/offline-rules.md").read_text(encoding="utf-8")
    verdicts = script.read_verdicts(FOLDER / "coverage_verdicts.csv")
    assert {verdict.set for verdict in verdicts} <= script.SETS.keys()
    assert all(
        re.fullmatch("[0-9a-f]{16}", each) for verdict in verdicts for each in (verdict.text, verdict.extraction)
    )
    for name in dict.fromkeys(verdict.set for verdict in verdicts):
        right = [verdict.right for verdict in verdicts if verdict.set == name]
        counts = [len(right), *map(sum, zip(*right, strict=True)), sum(map(all, right))]
        assert f"| {name} | {' | '.join(map(str, counts))} (" in guide
