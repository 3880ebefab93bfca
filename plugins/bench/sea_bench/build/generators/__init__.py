"""Generators of media from text: drawings, diffusion pipelines, voices."""
