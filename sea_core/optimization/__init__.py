"""The method (paper, section 3.2): embeddings optimised until the model reads them as the target content."""
