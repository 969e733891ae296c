"""Processes that tests start are found by their mark and ended, also when they have detached."""

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
"""Leaves its parent and its session, as a trainer does when it detaches."""


def alive(name: str, value: str) -> list[psutil.Process]:
    return list(processes.with_mark(name, value, psutil.pids()))


@pytest.fixture
def detached(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> Iterator[str]:
    """The mark of a detached process."""
    mark = f"mark of {request.node.name} {os.getpid()}"
    monkeypatch.setenv(processes.SESSION, mark)
    subprocess.run([sys.executable, "-c", DETACHED], check=True, timeout=TIMEOUT)
    until(lambda: len(alive(processes.SESSION, mark)) == 1, "the detached process")
    yield mark
    processes.end(processes.SESSION, mark)


def test_a_process_that_has_detached_is_ended(detached: str) -> None:
    processes.end(processes.SESSION, detached)
    assert alive(processes.SESSION, detached) == []


def test_older_processes_are_not_ended(detached: str) -> None:
    processes.end(processes.SESSION, detached, older=frozenset(psutil.pids()))
    assert len(alive(processes.SESSION, detached)) == 1


def test_the_reaper_ends_what_a_killed_session_leaves(detached: str) -> None:
    reaper = processes.start_reaper(detached)
    assert reaper.poll() is None
    reaper.communicate(timeout=TIMEOUT)  # closes its standard input, as the end of this process would
    assert alive(processes.SESSION, detached) == []
