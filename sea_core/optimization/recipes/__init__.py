"""Recipes: ways to synthesise an embedding. `plain` is the paper's method; `pool` stands for all of them."""
