"""Disks that are full or read-only.

Both need a mounted file system, which takes root or a namespace (see __main__.py). Without one a full disk is simulated
by a limit on the size of the trainer's files, set on the running process.
"""

import os
import resource
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from benchmarks.faults.catalogue import Skipped, check, fault
from benchmarks.faults.lab import Lab, until
from benchmarks.faults.run import Run
from benchmarks.faults.viewer import Viewer

FULL_SECONDS: Final = 4.0

DISK_MEGABYTES: Final = 64


def _mounted(place: Path, *options: str) -> bool:
    place.mkdir(parents=True, exist_ok=True)
    return _done("mount", "-t", "tmpfs", "-o", f"size={DISK_MEGABYTES}m", *options, "tmpfs", place)


def _done(*command: str | Path) -> bool:
    """Whether a system command has succeeded."""
    try:
        return subprocess.run([*map(str, command)], capture_output=True, timeout=30).returncode == 0
    except OSError:
        return False


class Disk:
    """A small disk with the lab's runs on it, which can be filled and freed."""

    def __init__(self, lab: Lab) -> None:
        self._lab = lab
        self._filler = lab.runs / "filler"
        self.is_mounted = _mounted(lab.runs)
        self._limits: tuple[int, int] | None = None

    @property
    def description(self) -> str:
        return "a disk of its own" if self.is_mounted else "no disk can be mounted: files limited in size instead"

    def fill(self, run: Run) -> None:
        if not self.is_mounted:
            size = (run.path / "journal.jsonl").stat().st_size
            self._limits = resource.prlimit(run.trainer.pid, resource.RLIMIT_FSIZE)
            resource.prlimit(run.trainer.pid, resource.RLIMIT_FSIZE, (size, self._limits[1]))
            return
        with self._filler.open("wb", buffering=0) as file:
            for size in (1 << 20, 1 << 12, 1):
                try:
                    while True:
                        file.write(b"\0" * size)
                except OSError:
                    continue

    def free(self, run: Run) -> None:
        if self._limits is not None:
            resource.prlimit(run.trainer.pid, resource.RLIMIT_FSIZE, self._limits)
        self._filler.unlink(missing_ok=True)


def _alerts(run: Run) -> list[str]:
    return [each["message"] for each in run.of("alert") if each["kind"] == "journal"]


@fault("full-disk", f"the disk is full for {FULL_SECONDS:.0f} s", "no step is missing in the journal, and it is told")
def full_disk(lab: Lab) -> str:
    disk = Disk(lab)
    run = lab.train("--checkpoint-every", "500")
    run.wait_for_steps()
    before = run.rate()
    disk.fill(run)
    began = time.time()
    time.sleep(FULL_SECONDS)
    ended = time.time()
    disk.free(run)
    run.wait_for_steps(100)
    lab.compare_rates(run, before, run.rate_between(began, ended))
    check(run.steps == list(range(1, run.step + 1)), "steps are missing in the journal, or are there twice")
    check(len(_alerts(run)) >= 2, "the journal does not tell of it")
    saved = run.saved
    until(lambda: run.saved > saved, "a checkpoint when there was room again")
    return f"all {run.step:,} steps are there ({disk.description})"


@fault("full-disk-viewer", "somebody begins to look while the disk is full", "gets every event once, and in order")
def full_disk_viewer(lab: Lab) -> str:
    disk = Disk(lab)
    run = lab.train("--checkpoint-every", "1000000")
    run.wait_for_steps()
    disk.fill(run)
    time.sleep(1.5)
    viewer = Viewer(run)
    past = (run.path / "journal.jsonl").read_bytes()[: viewer.greeting["journal"]].decode()
    time.sleep(1.5)
    disk.free(run)
    time.sleep(1.5)
    steps = [event["step"] for event in (*Viewer.decoded(past), *viewer.received) if event.get("event") == "step"]
    check(steps == list(range(1, steps[-1] + 1)), "steps are missing, or came twice")
    errors = [event for event in viewer.received if event.get("kind") == "journal" and event["severity"] == "error"]
    check(len(errors) == 1, f"the error was told {len(errors)} times")
    return f"steps 1 to {steps[-1]:,}, each once ({disk.description})"


@fault("full-disk-end", "the disk is full, and the run is ended", "the last line says what the journal lacks")
def full_disk_end(lab: Lab) -> str:
    disk = Disk(lab)
    run = lab.train("--checkpoint-every", "1000000")
    run.wait_for_steps()
    disk.fill(run)
    time.sleep(1.5)
    run.process.send_signal(signal.SIGTERM)
    run.ends("SIGTERM")
    last = lab.output.strip().splitlines()[-1]
    check("journal lacks" in last, f"the last line is {last!r}")
    return f"{last} ({disk.description})"


def _read_only(place: Path) -> Callable[[], object]:
    """Make a directory read-only even for root; returns a function that undoes it."""
    if _done("mount", "--bind", place, place):
        _done("mount", "-o", "remount,bind,ro", place)
        return lambda: _done("umount", "--lazy", place)
    if _done("chattr", "+i", place):
        return lambda: _done("chattr", "-i", place)
    if os.geteuid():
        place.chmod(0o500)
        return lambda: place.chmod(0o700)
    raise Skipped("no directory can be mounted read-only or made immutable, and root may write to any other")


@fault("read-only-start", "a run is to be made on a read-only disk", "refused in a sentence, status 2")
def read_only_start(lab: Lab) -> str:
    if not _mounted(lab.runs, "-o", "ro"):
        raise Skipped("no disk can be mounted, and root may write to any directory")
    status, output = lab.ask("train", lab.corpus, "--headless", "--steps", "5")
    check(status == 2, f"status {status}")
    check("Traceback" not in output and "Cannot" in output, output[-200:])
    return output.strip().splitlines()[-1]


@fault("read-only", "the directory of the checkpoints is read-only for a while", "trains on, and saves when it can")
def read_only(lab: Lab) -> str:
    run = lab.train("--checkpoint-every", "100")
    run.wait_for_checkpoint()
    before = run.rate()
    undo = _read_only(run.path / "checkpoints")
    try:
        during = run.rate()
        until(lambda: any(each["kind"] == "checkpoint" for each in run.of("alert")), "an alert")
        refused = run.saved
    finally:
        undo()
    until(lambda: run.saved > refused, "a checkpoint when it was writable again")
    lab.compare_rates(run, before, during)
    return "told, and saved again"
