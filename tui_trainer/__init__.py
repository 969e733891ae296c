"""tui-trainer: train a language model from a terminal."""

__version__ = "0.1.0"
