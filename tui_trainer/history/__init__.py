"""Metrics over the steps of a run, in bounded memory."""
