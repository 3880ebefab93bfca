"""`sea plugins new`: the templates of a plugin, and the function that fills them in."""
