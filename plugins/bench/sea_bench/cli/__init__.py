"""The `sea bench` commands, one file each."""
