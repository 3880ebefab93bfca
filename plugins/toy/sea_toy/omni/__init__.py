"""The tiny model with two encoders."""
