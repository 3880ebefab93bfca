"""The command line: one file per command. Commands parse, call `pipeline` and print."""
