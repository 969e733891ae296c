"""Checkpoints: their format, where they lie, and saving them in the background."""
