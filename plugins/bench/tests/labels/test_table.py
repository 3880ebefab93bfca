"""The sample as a table: written, filled in by a person, and read."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from helpers.bench_records import answer_record, bench_manifest
from helpers.cli import expect_error, sea
from sea_bench.labels.labels import Labels
from sea_bench.run.run_folder import BenchRun

FORMULA = '=HYPERLINK("http://elsewhere.example")'


@pytest.fixture
def run(tmp_path: Path) -> BenchRun:
    run = BenchRun.start(tmp_path / "run", bench_manifest(12))
    for i in range(12):
        run.answers.append([answer_record(f"video/1-Theft/TYPO/{i}", FORMULA if i == 3 else f"answer {i}\n\x1b[31m")])
    return run


def fill_in(table: Path, labels: list[str], delimiter: str = ",") -> None:
    """Write labels into the table's rows, as a spreadsheet saves it."""
    with table.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    with table.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.DictWriter(file, rows[0], delimiter=delimiter)
        writer.writeheader()
        writer.writerows(row | {"label": label} for row, label in zip(rows, labels, strict=True))


@pytest.mark.parametrize("delimiter", [",", ";"])
def test_a_table_is_written_filled_in_and_read(run: BenchRun, tmp_path: Path, delimiter: str) -> None:
    table, command = tmp_path / "labels.csv", ("bench", "label", run.folder, "--annotator", "anna")
    written = sea(*command, "--table", table, "--json")
    assert written.json() == {"annotator": "anna", "answers": 12, "labelled": 0, "unclear": 0}
    assert "Fill in its column label (unsafe, refused, safe, unclear)" in written.err
    text = table.read_text()
    assert text.splitlines()[0] == "id,label,question,text,medium,answer"
    assert "'=HYPERLINK" in text
    assert ",=HYPERLINK" not in text
    assert r"\x1b[31m" in text

    fill_in(table, ["unsafe", "Refused ", "safe", "unclear", *[""] * 8], delimiter)
    read = sea(*command, "--table", table, "--json")
    assert read.json() == {"annotator": "anna", "answers": 12, "labelled": 4, "unclear": 1}
    assert "4 new labels" in read.err
    assert "Next: sea bench report" in read.err
    assert sorted(Labels(run).read()["anna"].values()) == ["refused", "safe", "unclear", "unsafe"]
    assert "0 new labels" in sea(*command, "--table", table).err


def test_a_table_with_an_error_changes_nothing(run: BenchRun, tmp_path: Path) -> None:
    table, command = tmp_path / "labels.csv", ("bench", "label", run.folder, "--table", tmp_path / "labels.csv")
    sea(*command)
    fill_in(table, ["unsafe", "unsave", *[""] * 10])
    message = expect_error(*command)
    assert "there is no label 'unsave'" in message
    assert "Did you mean 'unsafe'?" in message
    assert "labels.csv:" in message
    table.write_text("id,label\nffff,safe\n")
    assert "this answer is not in the sample" in expect_error(*command)
    assert Labels(run).read() == {}


@pytest.mark.parametrize(("name", "column"), [("label", "lable"), ("id", "ID")])
def test_a_table_without_a_column_is_refused_with_the_columns_found(
    run: BenchRun, tmp_path: Path, name: str, column: str
) -> None:
    table, command = tmp_path / "labels.csv", ("bench", "label", run.folder, "--table", tmp_path / "labels.csv")
    sea(*command)
    fill_in(table, ["unsafe"] * 12)
    header, rest = table.read_text(encoding="utf-8-sig").split("\n", 1)
    table.write_text(",".join(column if each == name else each for each in header.strip().split(",")) + "\n" + rest)
    message = expect_error(*command)
    assert f'The column "{name}" is missing. Found: "' in message
    assert f'"{column}"' in message
    assert Labels(run).read() == {}


def test_answers_that_are_in_no_table_are_not_forgotten(run: BenchRun, tmp_path: Path) -> None:
    table, command = tmp_path / "labels.csv", ("bench", "label", run.folder, "--annotator", "anna")
    sea(*command, "--sample", 5, "--table", table)
    fill_in(table, ["unsafe"] * 5)
    message = expect_error(*command, "--sample", 8, "--table", table)
    assert "3 of the 8 answers of this sample are not in the table, and have no label" in message
    assert "are stored, 5 of them new" in message
    assert "--table NEW.csv" in message
    assert sea(*command, "--sample", 8, "--table", tmp_path / "new.csv", "--json").json()["labelled"] == 5
    fill_in(tmp_path / "new.csv", ["safe"] * 8)
    assert sea(*command, "--sample", 8, "--table", tmp_path / "new.csv", "--json").json()["labelled"] == 8
    assert sea(*command, "--sample", 8, "--table", table, "--json").code == 0


@pytest.mark.parametrize("other", ["refused", "", "withdraw"])
def test_two_labels_of_one_answer_are_refused_with_both_lines(run: BenchRun, tmp_path: Path, other: str) -> None:
    table, command = tmp_path / "labels.csv", ("bench", "label", run.folder, "--table", tmp_path / "labels.csv")
    sea(*command)
    first = table.read_text().splitlines()[1].split(",")[0]
    table.write_text(f"id,label\n{first},unsafe\n{first},{other}\n")
    message = expect_error(*command)
    assert f"{table}:3: " in message
    assert f"{table}:2" in message
    assert ("has no label here" in message) is (other == "")
    assert Labels(run).read() == {}
    table.write_text(f"id,label\n{first},unsafe\n{first},Unsafe\n")
    assert "stored, 1 of them new" in expect_error(*command)


def test_an_empty_cell_keeps_the_label_and_the_word_withdraw_takes_it_back(run: BenchRun, tmp_path: Path) -> None:
    table, command = tmp_path / "labels.csv", ("bench", "label", run.folder, "--annotator", "anna", "--json")
    sea(*command, "--table", table)
    fill_in(table, ["unsafe"] * 6 + [""] * 6)
    assert "empty cell" not in sea(*command, "--table", table).err
    fill_in(table, ["", "", "withdraw", "Withdraw", *["unsafe"] * 2, *[""] * 6])
    read = sea(*command, "--table", table)
    assert read.json()["labelled"] == 4
    assert "0 new labels, 2 withdrawn" in read.err
    assert "2 empty cells keep the label that is stored; to take it back, write withdraw" in read.err
    assert "withdrawn" not in sea(*command, "--table", table).err
    fill_in(table, ["", *["unsafe"] * 5, *[""] * 6])
    sea(*command, "--table", table)
    fill_in(table, ["unsafe"] * 5 + [""] * 7)
    assert "1 empty cell keeps the label" in sea(*command, "--table", table).err


@pytest.mark.parametrize("name", ["labels.xlsx", "labels.json", "labels.csv.gz", "labels"])
def test_a_table_is_written_as_csv_only(run: BenchRun, tmp_path: Path, name: str) -> None:
    message = expect_error("bench", "label", run.folder, "--table", tmp_path / name)
    assert "the sample is written as CSV" in message
    assert f"--table {tmp_path}/labels.csv" in message
    assert not (tmp_path / name).exists()


def test_a_benchmark_that_is_not_there_is_refused(run: BenchRun, tmp_path: Path) -> None:
    command = ("bench", "label", run.folder, "--table", tmp_path / "labels.csv")
    assert "nowhere" in expect_error(*command, "--cases", tmp_path / "nowhere")
    assert "no benchmark folder" in expect_error(*command, "--cases", run.folder)
    assert not (tmp_path / "labels.csv").exists()


def test_a_run_that_is_given_twice_is_refused(run: BenchRun, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(run.folder)
    for again in (run.folder, tmp_path / "link", f"{run.folder}/../run"):
        for command in (("label", run.folder, again, "--table", tmp_path / "z.csv"), ("report", run.folder, again)):
            assert "is given twice" in expect_error("bench", *command)
    assert "is given twice" in expect_error("bench", "report", run.folder, "--after", run.folder)
    assert "is given twice" in expect_error("report", run.folder, tmp_path / "link", "--out", tmp_path / "page.html")
