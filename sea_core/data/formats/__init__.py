"""One file per public format of text safety sets."""
