"""Small Qwen2-VL models."""
