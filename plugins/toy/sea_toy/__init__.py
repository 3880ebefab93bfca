"""How the bundled tiny models are trained: a developer's tool."""
