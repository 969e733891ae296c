"""Runs of so many minutes, and how long their steps are said to take."""

from pathlib import Path
from typing import Any

from tests.unit.training.helpers import TIMINGS, small_config
from tui_trainer.config import Config

MINUTES = 0.02

SLOW = 5 * TIMINGS.step
"""Seconds: steps that take so long are judged after the fourth."""


def of_minutes(corpus: Path, **changes: Any) -> Config:
    looks = {"eval_every": None, "sample_every": None, "checkpoint_every": None}
    return small_config(corpus, **{"steps": None, "minutes": MINUTES, "warmup": None, **looks, **changes})
