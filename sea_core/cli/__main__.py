"""`python -m sea_core.cli` is `sea`."""

from sea_core.cli.app import main

main()
