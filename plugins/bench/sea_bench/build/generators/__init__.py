"""Generators: what makes media out of text."""
