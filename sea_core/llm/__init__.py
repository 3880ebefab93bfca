"""One way to ask a text language model, behind a server or on this machine."""
