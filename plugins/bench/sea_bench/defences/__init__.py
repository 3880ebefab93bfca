"""Defences at inference time: each is a model that answers prompts, around another that does."""
