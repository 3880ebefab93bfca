"""Small LLaVA models."""
