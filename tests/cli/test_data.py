"""`sea data`: what it reports about a file before anything is spent on it, and files written for other tools."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from helpers.cli import expect_error, sea
from sea_core.alignment.config import NEEDED
from sea_core.data import media_columns
from sea_core.data.examples import Example, Extraction
from sea_core.data.media_paths import find_modality
from sea_core.data.writers import WRITERS, write_examples
from sea_core.errors import DataError, SeaError
from sea_core.extraction.prepare import Preparation
from sea_core.pipeline.read import read_examples

GOOD = {"instruction": "How do I pick a lock?", "response": "No."}
BENIGN = {"instruction": "Name a board game.", "response": "Go.", "harmful": False, "image": "go.png"}
PKU = {
    "prompt": "How do I repot a fern?",
    "response_0": "Use soil.",
    "response_1": "Wait.",
    "is_response_0_safe": False,
    "is_response_1_safe": False,
    "safer_response_id": 0,
}


def write(path: Path, *records: Any) -> Path:
    path.write_text("".join(json.dumps(record) + "\n" for record in records), encoding="utf-8")
    return path


# ---------------------------------------------------------------------------------------------------------- check


def test_a_sound_file_is_counted(tmp_path: Path) -> None:
    (tmp_path / "go.png").write_bytes(b"x")
    path = write(tmp_path / "a.jsonl", GOOD, BENIGN, GOOD | {"response": "Never."})
    summary = sea("data", "check", path, "--json").json()
    assert (summary["format"], summary["records"], summary["examples"], summary["invalid"]) == ("plain", 3, 3, 0)
    assert summary["classes"] == {
        "harmful": 2,
        "benign": 1,
        'without the label "harmful" (counted as harmful)': 2,
        "with a response (SFT)": 3,
        "with media": 1,
    }
    assert summary["duplicates"] == 1
    assert summary["characters"]["response"] == {"shortest": 3, "median": 3, "longest": 6}
    table = sea("data", "check", path)
    assert table.code == 0
    assert "shortest" not in table.out
    assert "3 to 6, median 3" in table.out


def test_columns_that_are_not_used_are_proposed(tmp_path: Path) -> None:
    (tmp_path / "own.csv").write_text("question,good,unsafe\nHow do I steal a lamp?,I cannot help with that.,yes\n")
    shown = sea("data", "check", tmp_path / "own.csv").err
    assert "If they hold answers, name them: --columns response=COLUMN" in shown
    assert "--columns harmful=unsafe" in shown
    assert f"Next: sea prepare {tmp_path / 'own.csv'} --plugin NAME" in shown
    named = "instruction=question,response=good,harmful=unsafe"
    shown = sea("data", "check", tmp_path / "own.csv", "--columns", named).err
    assert "not used" not in shown
    assert (
        f"1 harmful and 0 benign examples have answers. To show that the model is safer takes about {NEEDED}" in shown
    )
    assert f"--columns {named}" in shown


def test_columns_that_are_named_the_wrong_way_round_are_turned(tmp_path: Path) -> None:
    (tmp_path / "own.csv").write_text("question,good\nHow do I steal a lamp?,No.\n")
    shown = expect_error("data", "check", tmp_path / "own.csv", "--columns", "question=instruction")
    assert "SEA's name comes first: --columns instruction=question" in shown


def test_a_file_that_is_no_data_file_gets_one_message(tmp_path: Path) -> None:
    path = tmp_path / "README.md"
    path.write_text("# Title\n" * 60)
    message = expect_error("data", "check", path)
    assert "README.md is not a data file: none of its 60 records can be read. The first: This is not JSON" in message
    assert message.count("\n") < 5
    assert json.loads(sea("data", "check", path, "--json").out)["invalid"] == 60


def test_one_invalid_record_is_counted_in_the_singular(tmp_path: Path) -> None:
    path = write(tmp_path / "a.jsonl", GOOD, GOOD | {"response": 1})
    assert "1 invalid record:" in sea("data", "check", path).err
    path.write_text(json.dumps(GOOD) + '\n{"instruction": "How')
    shown = sea("data", "check", path).out
    assert "Unterminated string (column" in shown


def test_the_beginning_of_a_format_is_enough_for_a_suggestion(tmp_path: Path) -> None:
    path = write(tmp_path / "a.jsonl", PKU)
    assert "Did you mean 'pku-saferlhf'?" in expect_error("data", "check", path, "--format", "pku")


@pytest.mark.parametrize("name", ["b.csv", "b.xlsx", "b.jsonl.gz"])
def test_json_is_not_written_under_the_name_of_another_type(tmp_path: Path, name: str) -> None:
    path = write(tmp_path / "a.jsonl", {"instruction": "How do I pick a lock?", "response": "No."})
    for command in (("data", "convert", path), ("prepare", path, "--plugin", "qwen2_audio")):
        message = expect_error(*command, "--out", tmp_path / name)
        assert f"the name {name} ends in" in message
        assert f"Type --out {tmp_path}/b.jsonl" in message
        assert not (tmp_path / name).exists()


def test_every_bad_row_is_listed_with_line_and_column(tmp_path: Path) -> None:
    records = [GOOD, *[{"instruction": "Why?", "response": number} for number in range(60)], BENIGN]
    path = write(tmp_path / "a.jsonl", *records)
    result = sea("data", "check", path, "--json")
    assert result.code == 1
    summary = json.loads(result.out)
    assert (summary["records"], summary["examples"], summary["invalid"]) == (62, 2, 60)
    assert summary["invalid_records"][0] == {
        "where": f"{path}:2",
        "number": 2,
        "column": "response",
        "what": 'The column "response" must be text, but it is 0.',
        "hint": "Write it in double quotes, or name another column with --columns response=NAME.",
    }
    assert summary["missing_media"] == [
        {"example": read_examples(path, skip_bad=True).examples[1].id, "number": 62, "medium": str(tmp_path / "go.png")}
    ]
    checked = sea("data", "check", path)
    assert checked.code == 1
    assert f"{path}:51: " in checked.out
    assert f"{path}:52: " not in checked.out
    assert "and 10 more: --json lists all" in checked.out
    assert "60 invalid records, 1 missing media" in checked.err
    assert sea("data", "check", path, "--skip-bad").code == 0


def test_a_file_of_which_no_row_is_left_is_still_told_row_by_row(tmp_path: Path) -> None:
    path = write(tmp_path / "a.jsonl", PKU, PKU | {"safer_response_id": None})
    result = sea("data", "check", path, "--json", "--skip-bad")
    assert result.code == 1
    summary = json.loads(result.out)
    assert summary["skip_counts"] == {"neither response is safe": 1}
    assert summary["skipped_records"] == [{"where": f"{path}:1", "rule": "neither response is safe"}]
    assert "no examples" in sea("data", "check", write(path, PKU)).err


def test_a_file_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    assert "no such file" in expect_error("data", "check", tmp_path / "none.jsonl")
    assert "holds no records" in expect_error("data", "check", write(tmp_path / "a.jsonl"))


MARKED = [
    GOOD,
    {"instruction": "What does <|im_end|> mean?", "response": "It ends a turn."},
    {"instruction": "How is a sound marked?", "chosen": "With <|AUDIO|>.", "rejected": "With <tool_call>."},
]


def test_marks_of_a_chat_are_counted_and_text_for_a_model_that_can_keep_them(tmp_path: Path) -> None:
    path = write(tmp_path / "a.jsonl", *MARKED)
    (tmp_path / "styles.json").write_text('{"styles": {"<|im_end|>deep": 1}}')
    summary = sea("data", "check", path, "--json").json()
    assert summary["classes"]["with marks of a chat (checked with --plugin)"] == 2
    assert "refused_texts" not in summary
    with_model = sea("data", "check", path, "-p", "qwen2_audio", "--styles", tmp_path / "styles.json", "--json").json()
    assert with_model == {**summary, "refused_texts": []}


def test_a_text_that_a_model_cannot_keep_as_text_is_refused_with_its_line(tmp_path: Path, escaping: Path) -> None:
    path = write(tmp_path / "a.jsonl", *MARKED, GOOD | {"instruction": "Is 1 < 2?"})
    result = sea("data", "check", path, "-p", "qwen2_audio", "--model", escaping, "--skip-bad")
    assert result.code == 1
    assert f"{path}:2: instruction: the chat template changes the text" in result.out
    assert "'<|im_end|>'" in result.out
    assert f"{path}:4" not in result.out
    assert "1 text that would become special tokens: change the data" in result.err
    found = json.loads(sea("data", "check", path, "-p", "qwen2_audio", "--model", escaping, "--json").out)
    assert [(text["where"], text["name"]) for text in found["refused_texts"]] == [(f"{path}:2", "instruction")]
    (tmp_path / "styles.json").write_text('{"styles": {"deep": 1}}')
    assert "there is no model folder" in expect_error("data", "check", path, "-p", "llava", "--model", "/none/x")


# -------------------------------------------------------------------------------------------- bad rows elsewhere


def test_commands_stop_at_a_bad_row_unless_told_to_skip_it(tmp_path: Path) -> None:
    path = write(tmp_path / "a.jsonl", GOOD, {"instruction": "Why?"})
    assert "a.jsonl:2: " in expect_error("prepare", path, "--plugin", "qwen2_audio")
    value = sea("prepare", path, "--plugin", "qwen2_audio", "--skip-bad", "--json").json()
    assert (value["examples"], value["invalid"]) == (1, 1)
    assert "has no splits" in expect_error("prepare", path, "--plugin", "qwen2_audio", "--split", "train")


# -------------------------------------------------------------------------------------------------------- convert

ROWS = (
    Example("a", "How do I pick a lock?", chosen="No.", rejected="With a pin."),
    Example("b", "What is it?", chosen="A cat.", rejected="A dog.", harmful=False, media=("cat.png", "/x/dog.jpg")),
)
SINGLE = (Example("a", "Why?", response="So."), Example("b", "Who?", response='She said "I".\nYes.', harmful=False))
FORMATS = {"llama-factory": "alpaca", "trl": "trl", "jsonl": "plain"}


def placed(rows: tuple[Example, ...], folder: Path) -> list[Example]:
    """The rows with media in a folder, as they read back: in lines from 1, or from 2 in a list."""
    return [replace(row, media=tuple(str(folder / path) for path in row.media)) for row in rows]


@pytest.mark.parametrize("to", WRITERS)
@pytest.mark.parametrize("rows", [ROWS, SINGLE], ids=["dpo", "sft"])
@pytest.mark.parametrize("name", ["out.jsonl", "out.json"])
def test_what_is_written_is_read_back_the_same(tmp_path: Path, to: str, rows: tuple[Example, ...], name: str) -> None:
    given = placed(rows, tmp_path)
    assert write_examples(given, tmp_path / name, to)[0] == 2
    data = read_examples(tmp_path / name)
    assert data.format == FORMATS[to]
    assert [replace(row, line=None) for row in data.examples] == given


def test_a_placeholder_in_an_answer_is_no_medium_for_another_tool(tmp_path: Path) -> None:
    named = (replace(SINGLE[0], response="Write <image> there.", media=()),)
    with pytest.raises(DataError, match='has "<image>" in a text, which LLaMA-Factory would take for a medium'):
        write_examples(named, tmp_path / "a.jsonl", "llama-factory")
    write_examples(named, tmp_path / "b.jsonl", "jsonl")
    assert read_examples(tmp_path / "b.jsonl").examples[0].response == "Write <image> there."


def test_llama_factory_gets_its_list_of_files(tmp_path: Path) -> None:
    write(tmp_path / "dataset_info.json", {"other": {"file_name": "other.json"}})
    write_examples(placed(ROWS, tmp_path), tmp_path / "mine.json", "llama-factory")
    entries = json.loads((tmp_path / "dataset_info.json").read_text(encoding="utf-8"))
    assert entries["other"] == {"file_name": "other.json"}
    assert entries["mine"] == {
        "file_name": "mine.json",
        "formatting": "alpaca",
        "ranking": True,
        "columns": {
            "prompt": "instruction",
            "query": "input",
            "chosen": "chosen",
            "rejected": "rejected",
            "images": "images",
        },
    }
    second = json.loads((tmp_path / "mine.json").read_text(encoding="utf-8"))[1]
    assert second["instruction"] == "<image><image>What is it?"
    assert second["images"] == ["cat.png", "/x/dog.jpg"]


def test_an_entry_of_another_file_is_never_written_over(tmp_path: Path) -> None:
    other = {"train": {"file_name": "train.json"}, "hub": {"hf_hub_url": "owner/name"}}
    write(tmp_path / "dataset_info.json", other)
    for name, number in (("train.jsonl", 3), ("hub.jsonl", 4), ("train.jsonl", 4)):
        (tmp_path / name).unlink(missing_ok=True)
        write_examples(SINGLE, tmp_path / name, "llama-factory")
        entries = json.loads((tmp_path / "dataset_info.json").read_text(encoding="utf-8"))
        assert other.items() <= entries.items()
        assert len(entries) == number
    assert (entries["train_2"]["file_name"], entries["hub_2"]["file_name"]) == ("train.jsonl", "hub.jsonl")


def test_a_kill_between_the_file_and_the_list_of_files_is_resumed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_examples(SINGLE, tmp_path / "expected" / "train.jsonl", "llama-factory")
    replace, left = Path.replace, [1]

    def replace_once(path: Path, target: Path) -> Path:
        if not left:
            raise KeyboardInterrupt
        left.pop()
        return replace(path, target)

    monkeypatch.setattr(Path, "replace", replace_once)
    with pytest.raises(KeyboardInterrupt):
        write_examples(SINGLE, tmp_path / "stopped" / "train.jsonl", "llama-factory")
    monkeypatch.undo()
    write_examples(SINGLE, tmp_path / "stopped" / "train.jsonl", "llama-factory")
    for name in ("train.jsonl", "dataset_info.json"):
        assert (tmp_path / "stopped" / name).read_bytes() == (tmp_path / "expected" / name).read_bytes()


@pytest.mark.parametrize("text", ["[]", '{"train": 3}', '{"truncated": ', "[" * 100_000])
def test_a_list_of_files_that_is_none_is_told_before_anything_is_written(tmp_path: Path, text: str) -> None:
    path, folder = write(tmp_path / "a.jsonl", GOOD), tmp_path / "out"
    folder.mkdir()
    (folder / "dataset_info.json").write_text(text)
    result = expect_error("data", "convert", path, "--to", "llama-factory", "--out", folder / "out.json")
    assert "not LLaMA-Factory's list of data files" in result
    assert [entry.name for entry in folder.iterdir()] == ["dataset_info.json"]


def test_the_kind_of_a_medium_is_known_by_its_name(tmp_path: Path) -> None:
    columns = {
        "images": ["/q/a.webp", "/q/a?b.JPG", "https://x/Y.PNG?s=2#t.mp4", "data:image/png;base64,AA"],
        "videos": ["/q/b.mkv"],
        "audios": ["/q/c.m4a", "/q/c.flac", "/q/c.ogg"],
    }
    row = replace(SINGLE[0], media=tuple(name for names in reversed(columns.values()) for name in names))
    write_examples([row], tmp_path / "out.jsonl", "jsonl")
    line = json.loads((tmp_path / "out.jsonl").read_text(encoding="utf-8"))
    assert {column: line[column] for column in columns} == columns
    assert find_modality("https://x/png") is None


def test_what_is_written_for_bytes_has_a_name_that_tells_its_kind() -> None:
    assert all(find_modality(f"a{suffix}") for suffix in media_columns.MAGIC_SUFFIXES.values())
    heads = {
        b"RIFF....WAVE": "audio",
        b"RIFF....WEBP": "image",
        b"RIFF....AVI ": "video",
        b"....ftypM4A ": "audio",
        b"....ftypisom": "video",
    }
    assert {head: find_modality(f"a{media_columns.find_suffix(head)}") for head in heads} == heads


WAYS = {
    "convert": lambda row, path: write_examples([row], path, "jsonl"),
    "prepare": lambda row, path: Preparation((), (), (row,)).write(path),
}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("out", ["d/m/out.jsonl", "out.jsonl", "other/out.jsonl", "link/out.jsonl"])
@pytest.mark.parametrize("absolute", [False, True])
def test_media_are_found_again_from_wherever_the_file_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, way: str, out: str, absolute: bool
) -> None:
    for folder in ("d/m/img", "far/off/place", "other"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "link").symlink_to("far/off/place")
    (tmp_path / "d/m/img/a.png").write_bytes(b"x")
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "d/m" if absolute else Path("d/m")
    images = ["img/a.png", "https://x/y.png"]
    (row,) = read_examples(write(folder / "r.jsonl", GOOD | {"id": "a", "images": images})).examples
    WAYS[way](row, tmp_path / out if absolute else Path(out))
    (again,) = read_examples(out).examples
    assert Path(again.media[0]).samefile(row.media[0])
    assert replace(again, media=row.media, line=row.line) == row
    assert again.media[1] == "https://x/y.png"
    names = Path(out).read_text(encoding="utf-8")
    assert ('"img/a.png"' in names) == (out == "d/m/out.jsonl")


def test_an_extraction_survives_our_own_lines(tmp_path: Path) -> None:
    extraction = Extraction("pick a lock", "activity", "a person is picking a lock", "How do I do this activity?")
    rows = [replace(ROWS[0], extraction=extraction)]
    write_examples(rows, tmp_path / "out.jsonl", "jsonl")
    assert [replace(row, line=None) for row in read_examples(tmp_path / "out.jsonl").examples] == rows


def test_rows_of_two_kinds_are_never_thinned_out_unasked(tmp_path: Path) -> None:
    rows = [ROWS[0], replace(SINGLE[1], id="c")]
    with pytest.raises(SeaError, match="1 example has a response and 1 have chosen and rejected"):
        write_examples(rows, tmp_path / "out.jsonl", "trl")
    assert write_examples(rows, tmp_path / "out.jsonl", "trl", "dpo") == (1, "dpo")
    assert write_examples(rows, tmp_path / "all.jsonl", "jsonl") == (2, None)


def test_trl_is_not_given_what_it_would_drop(tmp_path: Path) -> None:
    with pytest.raises(SeaError, match="has audios, which TRL would silently ignore"):
        write_examples([replace(SINGLE[0], media=("a.wav",))], tmp_path / "out.jsonl", "trl")
    with pytest.raises(SeaError, match="is no image, video or audio file"):
        write_examples([replace(SINGLE[0], media=("a",))], tmp_path / "out.jsonl", "jsonl")
    assert not (tmp_path / "out.jsonl").exists()


def test_convert_as_a_person_uses_it(tmp_path: Path) -> None:
    path = write(tmp_path / "a.jsonl", {"q": "Why?", "response": "So."}, {"q": 5, "response": "So."})
    before = path.read_bytes()
    out = tmp_path / "folder" / "out.json"
    command = ("data", "convert", path, "--columns", "instruction=q", "--to", "llama-factory", "--out", out)
    assert "a.jsonl:2: " in expect_error(*command)
    summary = sea(*command, "--skip-bad", "--json").json()
    assert (summary["written"], summary["invalid"], summary["kind"]) == (1, 1, "sft")
    assert path.read_bytes() == before
    assert sea(*command, "--skip-bad", "--json").json() == summary
    out.write_text("mine")
    assert "already exists" in expect_error(*command, "--skip-bad")
    assert out.read_text() == "mine"
    assert "no file to write" in expect_error("data", "convert", path, "--columns", "instruction=q")
    rest = ("data", "convert", path, "--columns", "instruction=q", "--skip-bad", "--out", tmp_path / "b.jsonl")
    assert "Type one of: llama-factory" in expect_error(*rest, "--to", "csv")
    assert "--kind dpo" in expect_error(*rest, "--kind", "ppo")
    assert "no example has what dpo needs" in expect_error(*rest, "--to", "trl", "--kind", "dpo")


# ------------------------------------------------------------------------------------------------------ file names


def test_a_medium_that_no_file_can_be_makes_its_own_record_invalid(tmp_path: Path) -> None:
    names = [
        "iVBORw0KGgo" * 1000,
        "/".join(["folder"] * 1000),
        "a\0.png",
        "\ud800.png",
        "folder",
        "loop.png",
        "pipe.png",
    ]
    names += ["x" * 300 + ".png"]
    (tmp_path / "folder").mkdir()
    (tmp_path / "loop.png").symlink_to("loop.png")
    os.mkfifo(tmp_path / "pipe.png")
    path = write(tmp_path / "a.jsonl", GOOD, *(GOOD | {"image": name} for name in names))
    result = sea("data", "check", path, "--json")
    assert (result.code, "Traceback" in result.err) == (1, False)
    summary = json.loads(result.out)
    invalid = [(record["number"], record["column"]) for record in summary["invalid_records"]]
    assert invalid == [(number, "image") for number in (2, 3, 4, 5, 9)]
    assert [Path(found["medium"]).name for found in summary["missing_media"]] == names[4:7]
    assert "longer than any file name" in summary["invalid_records"][0]["what"]


def test_a_name_of_a_medium_with_bytes_gives_no_more_than_its_suffix(tmp_path: Path) -> None:
    media = [{"bytes": b"\x89PNG", "path": name} for name in ("a." + "x" * 300, "a.p\0g", "a.png", None)]
    table = pa.Table.from_pylist([GOOD | {"image": medium} for medium in media])
    pq.write_table(table, tmp_path / "a.parquet")
    arguments = ("--out", tmp_path / "b.jsonl", "--save-media-to", tmp_path / "media")
    assert sea("data", "convert", tmp_path / "a.parquet", *arguments).code == 0
    assert [path.suffix for path in (tmp_path / "media").iterdir()] == [".png"]


@pytest.mark.parametrize("argument", ["a\udcff.jsonl", "folder\udcff/a.jsonl"])
def test_a_name_that_is_not_utf8_is_refused(tmp_path: Path, argument: str) -> None:
    assert "this name is not UTF-8 text: " in expect_error("data", "check", tmp_path / argument)


def test_a_key_that_occurs_twice_makes_its_record_invalid(tmp_path: Path) -> None:
    path = write(tmp_path / "a.jsonl", GOOD)
    path.write_text(path.read_text() + '{"instruction": "Why?", "response": "A.", "response": "B."}\n')
    assert "a.jsonl:2" in sea("data", "check", path).out
    assert 'The key "response" occurs twice' in sea("data", "check", path).out


def test_a_table_of_many_columns_is_read_in_linear_time(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text(",".join(["instruction", "response", *(f"c{number}" for number in range(50_000))]) + "\nHow?,So\n")
    assert "and the first line names 50002 columns" in sea("data", "check", path).out
