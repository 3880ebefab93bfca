"""The offline extractor: analyses English instructions by rules."""
