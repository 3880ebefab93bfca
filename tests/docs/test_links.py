"""Links between documents lead somewhere, and the commands that documents show exist."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest
import typer
from typer.main import get_command

from helpers.documents import DOCUMENTS, ROOT, blocks, prose
from sea_core.cli.app import app
from sea_core.cli.settings import read_settings
from sea_core.plugin.isolation import catch_any

CODE_SPAN = re.compile(r"(`+)(?!`).+?\1", re.S)
INLINE_LINK = re.compile(r"\]\(([^()\s]+)\)")
LINK_DEFINITION = re.compile(r"^\[[^\]]+\]: (\S+)$", re.M)
HEADING = re.compile(r"^#+ (.+)$", re.M)
SEA = re.compile(r"(?:\w+=\S+ )*(?:\.venv/bin/)?sea ")
SHELL_OPERATORS = ("|", ">", "&&", ";")

all_documents = pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
needs_all_plugins = pytest.mark.skipif(
    not all(map(find_spec, ("sea_bench", "sea_toy"))), reason="the documents show commands of these plugins"
)


def anchors(document: Path) -> set[str]:
    """Return the anchors of the headings, as GitHub makes them."""
    slugs: list[str] = []
    for heading in HEADING.findall(prose(document)):
        slug = re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-")
        repeated = slugs.count(slug)
        slugs.append(f"{slug}-{repeated}" if repeated else slug)
    return set(slugs)


def relative_links(document: Path) -> Iterator[str]:
    text = CODE_SPAN.sub("", prose(document))
    for target in (*INLINE_LINK.findall(text), *LINK_DEFINITION.findall(text)):
        if not re.match(r"[a-z]+:", target):
            yield target


def broken_links(document: Path) -> Iterator[str]:
    for link in relative_links(document):
        path, _, anchor = link.partition("#")
        target = (document.parent / unquote(path)).resolve() if path else document
        if not target.exists():
            yield f"{link}: no such file"
        elif anchor and anchor not in anchors(target):
            yield f"{link}: no such heading"


def sea_commands(document: Path) -> Iterator[str]:
    """Yield the command lines of `sea` in the console blocks of a document."""
    for block in blocks(document):
        for command in block.commands:
            if match := SEA.match(command):
                yield command[match.end() :]


def arguments_of(line: str) -> list[str]:
    """Return the arguments of a command line, without brackets of a synopsis, ellipses and what a shell reads."""
    arguments: list[str] = []
    for token in shlex.split(line, comments=True):
        if token.startswith(SHELL_OPERATORS):
            break
        if token not in ("…", "..."):
            arguments.append(token.strip("[]"))
    return arguments


@cache
def all_commands() -> Any:
    """Return the commands of `sea` as click has them."""
    return get_command(app)


@cache
def command_problem(line: str) -> str:
    """Return what `sea` would say of a command line before it runs, or nothing."""
    root = all_commands()
    context = root.make_context("sea", [], resilient_parsing=True)
    command, names, arguments = root, ["sea"], arguments_of(line)
    while hasattr(command, "get_command") and arguments and not arguments[0].startswith("-"):
        names.append(arguments.pop(0))
        command = command.get_command(context, names[-1])
        if command is None:
            return f"there is no command {' '.join(names)!r}"
    parser = command.make_parser(typer.Context(command))

    def parse() -> list[str]:
        values, unexpected, _ = parser.parse_args(arguments)
        read_settings(getattr(command.callback, "setting_groups", list)(), None, values.get("option", []))
        return [f"unexpected argument {argument!r}" for argument in unexpected]

    problems: list[str] = []
    error = catch_any(lambda: problems.extend(parse()))
    return str(error) if error else ", ".join(problems)


@all_documents
def test_every_relative_link_and_anchor_resolves(document: Path) -> None:
    assert list(broken_links(document)) == []


@needs_all_plugins
@all_documents
def test_every_shown_command_exists_with_its_options_and_settings(document: Path) -> None:
    problems = {line: command_problem(line) for line in sea_commands(document)}
    assert {line: problem for line, problem in problems.items() if problem} == {}


@needs_all_plugins
@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("optimise rows.jsonl", "no command 'sea optimise'"),
        ("bench ruin cases", "no command 'sea bench ruin'"),
        ("optimize rows.jsonl --media photos", "--media"),
        ("optimize rows.jsonl -o lrr=1", "lrr"),
        ("optimize rows.jsonl -o lr=-1", "lr"),
        ("show RUN ID ID2", "unexpected argument 'ID2'"),
        ("data convert FILE --to llama-factory|trl [--kind sft|dpo] > out.txt  # comment", ""),
    ],
)
def test_a_wrong_command_line_is_found(line: str, problem: str) -> None:
    found = command_problem(line)
    assert problem in found
    assert bool(problem) == bool(found)


def test_anchors_are_those_of_github(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("# Does it carry over?\n## `-o` and more\n## Twice\n## Twice\n```\n# no heading\n```\n")
    assert anchors(page) == {"does-it-carry-over", "-o-and-more", "twice", "twice-1"}


@all_documents
def test_install_commands_say_what_works_before_the_packages_are_published(document: Path) -> None:
    typed = [
        line
        for block in blocks(document)
        for line in block.text.splitlines()
        if re.match(r"\$ pip install '?sea-", line)
    ]
    core = r"-e (\.|'\.\[\w+\]')"  # it is on no index either
    in_a_checkout = re.compile(rf"# in a checkout: pip install (-c constraints.txt )?{core}( -e \S+)*$")
    assert [line for line in typed if not in_a_checkout.search(line)] == []
