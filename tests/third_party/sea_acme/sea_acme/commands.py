"""The command group `sea acme`."""

import typer

app = typer.Typer(name="acme", help="Commands of sea-acme.")


@app.command()
def hello(name: str = "world") -> None:
    """Print a greeting."""
    from sea_acme import acme_hello

    print(acme_hello(name))
