"""Text safety sets: files in, examples out, and examples written for other tools."""
