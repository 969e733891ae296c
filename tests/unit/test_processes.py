"""What a test starts is found and ended, wherever it has gone."""

import os
import subprocess
import sys
from collections.abc import Iterator

import psutil
import pytest

from tests import processes
from tests.waiting import TIMEOUT, until

DETACHED = (
    f"import os, time\nif os.fork(): os._exit(0)\nos.setsid()\nif os.fork(): os._exit(0)\ntime.sleep({2 * TIMEOUT})\n"
)
"""Leaves its parent and its session, as a trainer leaves its terminal."""


def alive(name: str, value: str) -> list[psutil.Process]:
    return list(processes.with_mark(name, value, psutil.pids()))


@pytest.fixture
def detached(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> Iterator[str]:
    """The mark of a process that nobody waits for."""
    mark = f"mark of {request.node.name} {os.getpid()}"
    monkeypatch.setenv(processes.SESSION, mark)
    subprocess.run([sys.executable, "-c", DETACHED], check=True, timeout=TIMEOUT)
    until(lambda: len(alive(processes.SESSION, mark)) == 1, "the detached process")
    yield mark
    processes.end(processes.SESSION, mark)


def test_a_process_that_has_detached_is_ended(detached: str) -> None:
    processes.end(processes.SESSION, detached)
    assert alive(processes.SESSION, detached) == []


def test_what_was_there_before_is_left_alone(detached: str) -> None:
    processes.end(processes.SESSION, detached, older=frozenset(psutil.pids()))
    assert len(alive(processes.SESSION, detached)) == 1


def test_the_guard_ends_what_a_killed_session_leaves(detached: str) -> None:
    guard = processes.start_guard(detached)
    assert guard.poll() is None
    guard.communicate(timeout=TIMEOUT)  # closes its standard input, as the end of this process would
    assert alive(processes.SESSION, detached) == []
