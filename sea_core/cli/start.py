"""`sea` without a command: where to start."""

from __future__ import annotations

from sea_core.cli import output

HELP = "Align multimodal models with text alone, through synthetic embeddings."
STEPS = {
    "First steps, with a bundled tiny model and demo examples": {
        "sea doctor": "check this machine",
        "sea optimize --plugin {plugin} --out runs/demo": "make a synthetic embedding for each example, and verify it",
        "sea show runs/demo": "read them: text, targets, verified answers",
        "sea align runs/demo --out model": "align the tiny model with them",
        "sea report runs/demo model": "one page with the figures, plots, texts and answers",
    },
    "With your own text safety set": {
        "sea data check FILE": "can it be read? each invalid record with its line",
        "sea prepare FILE --plugin {plugin} --out prepared.jsonl": "find its phrases; the file can be edited",
        "sea plan prepared.jsonl --plugin {plugin} --model MODEL": "memory and run time",
        "sea optimize prepared.jsonl --plugin {plugin} --model MODEL": "make the embeddings, then `sea align` as above",
    },
}
"""What to type, and what it does, by the occasion."""


def show_start() -> None:
    """Print the first commands, for a plugin that has a bundled model."""
    from rich import box
    from rich.table import Table

    from sea_core.plugin import loader

    plugin = next((plugin.name for plugin, _ in loader.bundled_adapters()), "")
    tables = []
    for title, commands in STEPS.items():
        table = Table(box=box.SIMPLE, title=title, title_justify="left", title_style="bold", show_header=False)
        for command, effect in commands.items():
            table.add_row(output.plain(command.format(plugin=plugin or "NAME")), output.plain(effect))
        tables.append(table)
    output.emit(None, False, lambda: output.stack([output.plain(HELP + "\n"), *tables]))
    if not plugin:
        output.note("No installed plugin has a bundled model: `sea doctor` says what to install.")
    output.lines("All commands: sea --help. Completion of your shell: sea --install-completion.")
