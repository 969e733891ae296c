"""Metric history: every number of a run over its steps, at any zoom, in bounded memory; numpy only."""
