"""The command group `sea bench`."""

from __future__ import annotations

import typer

from sea_bench.cli import add, build, check, compare, export, import_, judge, label, pick, pull, push, report, run, show

app = typer.Typer(
    name="bench",
    rich_help_panel="Evaluate",
    help="Build, run, judge and report safety benchmarks.",
    no_args_is_help=True,
)

app.command("build")(build.build)
app.command("add")(add.add)
app.command("check")(check.check)
app.command("pick")(pick.pick)
app.command("run")(run.run)
app.command("judge")(judge.judge)
app.command("label")(label.label)
app.command("report")(report.report)
app.command("compare")(compare.compare)
app.command("show")(show.show)
app.command("import")(import_.import_)
app.command("export")(export.export)
app.command("push")(push.push)
app.command("pull")(pull.pull)
