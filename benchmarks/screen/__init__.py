"""What the screen costs: the training beside it, the processor, the connection, and the patience of its user."""
