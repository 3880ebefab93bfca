"""How the E of each recipe follows from the parameter that is trained. Recipes themselves need no torch."""
