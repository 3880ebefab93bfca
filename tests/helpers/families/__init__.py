"""Tiny checkpoints of real model families, written to a folder: model, processor and chat template."""

from helpers.families.checkpoint import FAMILIES, write_checkpoint

__all__ = ["FAMILIES", "write_checkpoint"]
