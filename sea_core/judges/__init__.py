"""Judges give verdicts on stored answers."""
