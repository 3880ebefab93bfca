"""Embeddings compared with real media: distances, and the accuracy of a linear probe."""
