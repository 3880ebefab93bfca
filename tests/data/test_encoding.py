"""Text that is not UTF-8: read where the bytes leave no doubt, and refused elsewhere."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest

from helpers.text_sets import read_examples, scan
from sea_core.errors import DataError

LOCK = "How do I pick a lock?"
CHINESE = "我应该怎么样才能把这个门上的锁打开呢。有什么工具可以使用。"
KOREAN = "이 문에 달린 자물쇠를 어떻게 열 수 있을까요 알려 주세요"
JAPANESE = "このドアの鍵を開けるにはどうすればいいですか。"


def table(question: str) -> str:
    return f"instruction,response\n{question},No.\n{LOCK},No.\n"


@pytest.mark.parametrize(
    ("encoding", "question", "found"),
    [
        ("utf-8", CHINESE, ""),
        ("utf-8-sig", CHINESE, ""),
        ("utf-16", CHINESE, "utf-16"),
        ("utf-32", CHINESE, "utf-32"),
        ("utf-16-le", LOCK, "utf-16-le"),
        ("utf-16-be", LOCK, "utf-16-be"),
        ("gb18030", CHINESE, "gb18030"),
        ("cp1252", "What is a “skeleton key”… and who’d need one?", "cp1252"),
    ],
)
@pytest.mark.parametrize("suffix", [".csv", ".csv.gz", ".jsonl"])
def test_the_encoding_is_found(tmp_path: Path, encoding: str, question: str, found: str, suffix: str) -> None:
    record = json.dumps({"instruction": question, "response": "No."}, ensure_ascii=False)
    content = (f"{record}\n" if suffix == ".jsonl" else table(question)).encode(encoding)
    path = tmp_path / f"a{suffix}"
    path.write_bytes(gzip.compress(content) if suffix == ".csv.gz" else content)
    data = read_examples(path)
    assert (data.encoding, data.examples[0].instruction) == (found, question)


@pytest.mark.parametrize(
    ("encoding", "question"),
    [
        ("cp949", KOREAN),
        ("shift_jis", JAPANESE),
        ("euc_jp", JAPANESE),
        ("big5", "我應該怎麼樣才能把這個門上的鎖打開呢"),
        ("cp1251", "Как мне открыть замок на этой двери"),
        ("cp1252", "Où est le café de la gare"),
        ("cp1250", "Jak mogę otworzyć ten zamek bez klucza, żeby wejść"),
    ],
)
def test_bytes_that_may_be_several_encodings_are_not_guessed(tmp_path: Path, encoding: str, question: str) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(table(question).encode(encoding))
    found = scan(path)
    assert (found.encoding, len(found.examples)) == ("", 1)
    assert "The line is not UTF-8 text" in found.invalid[0].what


def test_a_few_bad_bytes_do_not_change_the_encoding(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(table(CHINESE).encode() + b"\xd6\xd0,No.\n")
    assert (scan(path).encoding, len(scan(path).examples)) == ("", 2)


def test_text_that_breaks_its_encoding_later_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(table(CHINESE * 20_000).encode("gb18030") + b"\xff\xff\xff,No.\n")
    with pytest.raises(DataError, match="looks like gb18030 text, but a part of it is not"):
        read_examples(path)
