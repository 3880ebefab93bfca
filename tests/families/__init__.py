"""Tiny random models of every multimodal class of transformers, each with two inputs alike but for the medium.

`pairs(model_type)` makes them; `python -m families` goes over all classes. Most classes need nothing of their own. What
the others need is in tables: `settings` (their config does not build), `family_media` (they take media in a way of
their own), `family_layouts` (their prompt is laid out in a way of its own), `classes` (they can have no pair, and why).
"""
