"""One optimizer step: batches, forward and backward passes, precision, optimizers."""
