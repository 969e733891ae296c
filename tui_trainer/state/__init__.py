"""Events folded into what a screen shows."""
