"""What `sea` does, callable from Python: no typer, no printing."""
