"""Verification: held-out questions about embeddings, and the metrics computed from the stored answers."""
