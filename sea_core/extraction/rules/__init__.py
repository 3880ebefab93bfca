"""The offline extractor: English sentences taken apart by rules."""
