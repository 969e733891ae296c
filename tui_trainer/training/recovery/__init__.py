"""Recovery from divergence: detecting it, copies of earlier states, and rollbacks to them."""
