"""Recipes: ways to make an embedding. `plain` is the paper's; `pool` stands for all of them."""
