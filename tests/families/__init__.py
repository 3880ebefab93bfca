"""Tiny random models of every multimodal class of transformers, each with two inputs alike but for the medium."""
