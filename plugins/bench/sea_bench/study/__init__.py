"""A study: arms x seeds x models, from a text safety set to an answer to each of the paper's claims."""
