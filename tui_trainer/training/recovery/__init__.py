"""What keeps a run alive: divergence found, rollbacks, and steps in less memory."""
