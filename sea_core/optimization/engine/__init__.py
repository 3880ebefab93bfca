"""The optimisation step: how many embeddings are updated at a time, and when one is finished."""
