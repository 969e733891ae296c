"""Histories of given values."""

import random

from tui_trainer.history.history import History

SMALL = {"buckets": 64, "batch": 7}


def filled(values: list[float | None], name: str = "loss", **sizes: int) -> History:
    """One value a step, from step 1."""
    history = History(**(sizes or SMALL))
    for step, value in enumerate(values, start=1):
        history.add(step, {name: value})
    return history


def whole(history: History, name: str = "loss", columns: int = 10_000) -> list[float]:
    """Every mean there is."""
    mean: list[float] = history.window(name, 0, columns, columns).mean.tolist()
    return mean


def noise(count: int, seed: int = 0) -> list[float | None]:
    """Values, with a gap now and then."""
    chosen = random.Random(seed)
    return [chosen.gauss(0, 1) if chosen.random() > 0.1 else None for _ in range(count)]
