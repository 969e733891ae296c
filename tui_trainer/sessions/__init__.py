"""The seam between a run and whatever shows it: a session gives events and takes commands."""
