"""The type of a fault, its possible results, and the table of all faults."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from benchmarks.faults.lab import Lab


class Failed(Exception):
    """The expected result did not come; the message is the actual one."""


class Skipped(Exception):
    """The fault cannot be played on this machine; the message is the reason."""


@dataclass(frozen=True)
class Fault:
    """`play` returns the result in words; it raises Failed or Skipped."""

    name: str
    done: str
    expected: str
    play: Callable[[Lab], str]


FAULTS: dict[str, Fault] = {}
"""By name, in the order in which they are played."""


def fault(name: str, done: str, expected: str) -> Callable[[Callable[[Lab], str]], Callable[[Lab], str]]:
    """Decorator: registers a function as a fault."""

    def register(play: Callable[[Lab], str]) -> Callable[[Lab], str]:
        assert name not in FAULTS, name
        FAULTS[name] = Fault(name, done, expected, play)
        return play

    return register


def check(true: object, otherwise: str) -> None:
    if not true:
        raise Failed(otherwise)
