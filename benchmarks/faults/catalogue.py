"""What a fault is, and what comes of playing it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from benchmarks.faults.lab import Lab


class Failed(Exception):
    """What was expected did not come; says what came instead."""


class Skipped(Exception):
    """The fault cannot be played on this machine; says why."""


@dataclass(frozen=True)
class Fault:
    """`play` says what came of it; it raises Failed or Skipped."""

    name: str
    done: str
    expected: str
    play: Callable[[Lab], str]


FAULTS: dict[str, Fault] = {}
"""By name, in the order in which they are played."""


def fault(name: str, done: str, expected: str) -> Callable[[Callable[[Lab], str]], Callable[[Lab], str]]:
    """Make a function a fault."""

    def enter(play: Callable[[Lab], str]) -> Callable[[Lab], str]:
        assert name not in FAULTS, name
        FAULTS[name] = Fault(name, done, expected, play)
        return play

    return enter


def check(true: object, otherwise: str) -> None:
    if not true:
        raise Failed(otherwise)
