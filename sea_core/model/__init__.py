"""Everything that touches a loaded multimodal model: the adapter, the seam, prompts, checkpoints, devices."""
