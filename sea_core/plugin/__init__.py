"""Plugins: what they may offer, how they are found, loaded, validated, scaffolded and checked."""
