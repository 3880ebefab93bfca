"""Judges: verdicts on stored answers."""
