"""Small Qwen2-Audio models."""
