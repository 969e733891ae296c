"""Text to tokens to batches: what a model is trained on."""
