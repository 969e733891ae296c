"""Many viewers, malformed messages, and viewers that read nothing: none may slow the training."""

import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Final

from benchmarks.faults.catalogue import check, fault
from benchmarks.faults.lab import Lab, until
from benchmarks.faults.run import RATE_SECONDS, Run
from benchmarks.faults.viewer import Viewer

LEAST_RATIO: Final = 0.8
"""Least ratio of the training rate with viewers to that without, on a machine with other load."""

TURNS: Final = 3

MALFORMED: Final = (
    b"\n{}\n[]\nnull\n0\n" + b"[" * 5000 + b"\n",
    b'{"command": "dance"}\n{"command": 7}\n{"command": "set_temperature", "value": "hot"}\n',
    b'{"command": "stop"}\n{"command": "stop", "value": 1}\n{"command": "pause", "value": [1]}\n',
    b'\xff\xfe\x00\x01\n{"command": "\\ud800"}\n' + b'{"command": "set_prompt", "value": 1e999}\n',
)
MESSAGES: Final = 10_000
"""Sent by all viewers together."""


def _started(lab: Lab) -> tuple[Run, float]:
    run = lab.train("--checkpoint-every", "1000000")
    run.wait_for_steps()
    return run, run.rate()


def _unhindered(lab: Lab, run: Run, before: float, during: float) -> None:
    lab.compare_rates(run, before, during)
    _check_ratio(lab)


def _alternate(lab: Lab, run: Run, begin: Callable[[], Sequence[Viewer]], seconds: float) -> None:
    """Compare the best rates with and without viewers, measured in turns, so that other load affects both."""
    rates: tuple[list[float], list[float]] = [], []
    for _ in range(TURNS):
        viewers = begin()
        rates[0].append(run.rate(seconds))
        for viewer in viewers:
            viewer.close()
        rates[1].append(run.rate(RATE_SECONDS))
    lab.ratio = max(rates[0]) / max(rates[1])
    _check_ratio(lab)


def _check_ratio(lab: Lab) -> None:
    check(lab.ratio is not None and lab.ratio >= LEAST_RATIO, f"{lab.ratio:.2f} of the usual rate")


@fault("malformed", f"{MESSAGES:,} malformed messages from four viewers", "training goes on as fast, commands work")
def malformed(lab: Lab) -> str:
    run, before = _started(lab)
    viewers = [Viewer(run) for _ in range(4)]
    began = time.time()
    sent = 0
    while sent < MESSAGES:
        for number, viewer in enumerate(viewers):
            part = MALFORMED[number] * 50
            with suppress(OSError):  # the trainer may disconnect it: then it connects again
                viewer.send(part)
            sent += part.count(b"\n")
            if viewer.ended:
                viewers[number] = Viewer(run)
    during = run.rate_between(began, max(time.time(), began + RATE_SECONDS))
    time.sleep(max(0.0, began + RATE_SECONDS - time.time()))
    during = run.rate_between(began, time.time())
    for viewer in viewers:
        viewer.close()
    _unhindered(lab, run, before, during)
    Viewer(run).send(b'{"command": "pause"}\n')
    until(lambda: "paused" in str(run.of("state")), "the pause that was asked for in the end")
    return f"{sent:,} sent in {time.time() - began:.0f} s"


@fault("viewers-17", "17 viewers at once", "the last is refused in a sentence, training goes on as fast")
def many_viewers(lab: Lab) -> str:
    run, _ = _started(lab)
    messages: list[str] = []

    def begin() -> list[Viewer]:
        viewers = [Viewer(run) for _ in range(16)]
        for viewer in viewers:
            viewer.attach()
        until(lambda: not _has_room(run), "the last of the sixteen")
        check(not any(viewer.refused for viewer in viewers), "one of the first sixteen was refused")
        (another := Viewer(run)).attach()
        until(lambda: another.refused or another.ended, "what is said to the seventeenth")
        messages.append(another.refused)
        return viewers

    _alternate(lab, run, begin, RATE_SECONDS)
    check(all(messages), "the seventeenth was let in")
    return messages[-1]


def _has_room(run: Run) -> bool:
    """Whether the trainer would accept another viewer."""
    viewer = Viewer(run)
    viewer.close()
    return bool(viewer.greeting["room"])


@fault("viewer-stalled", "a viewer that takes nothing", "it is sent away, training goes on as fast")
def stalled_viewer(lab: Lab) -> str:
    run, _ = _started(lab)
    _alternate(lab, run, lambda: [Viewer(run, reads=False)], 2 * RATE_SECONDS)
    viewer = Viewer(run, reads=False)
    time.sleep(15.0)  # in which it reads nothing
    until(lambda: viewer.is_disconnected, "the end of its connection", 90.0)
    return "sent away"
