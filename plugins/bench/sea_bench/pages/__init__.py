"""Pages for people, served to this machine only."""
