"""One way to ask a text model: prompts in, completions out, from a server or from a model on this machine."""
