"""Pure functions of numbers: schedules, perplexity, smoothing."""
