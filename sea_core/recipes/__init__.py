"""Ways to make embeddings. What makes refusal carry over to real media is that they are many (see
docs/explanation/embedding-quality.md): `plain` is the paper's, and `pool` is all that the run's material allows."""

from sea_core.recipes.benign import Benign, Subspace
from sea_core.recipes.draws import drawn, seed_of, variations
from sea_core.recipes.goals import Goals
from sea_core.recipes.hidden import Hidden
from sea_core.recipes.input import Input
from sea_core.recipes.jitter import Dropout, Noise
from sea_core.recipes.plain import Plain
from sea_core.recipes.recipe import Material, Recipe, Unusable
from sea_core.recipes.registry import POOL, RECIPES, named

__all__ = [
    "POOL", "RECIPES", "Benign", "Dropout", "Goals", "Hidden", "Input", "Material", "Noise", "Plain", "Recipe",
    "Subspace", "Unusable", "drawn", "named", "seed_of", "variations",
]  # fmt: skip
