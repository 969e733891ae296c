"""Runs that are detached from and attached to, for the tests of leaving a terminal."""

import subprocess
from pathlib import Path
from typing import Any

import psutil

from tests.end_to_end.terminal import SMALL_MODEL, Terminal, events, trainer
from tests.waiting import TIMEOUT, until

LONG = (*SMALL_MODEL, "--steps", "1000000", "--eval-every", "1000", "--sample-every", "500")


def start(corpus: Path, *options: str) -> Terminal:
    terminal = Terminal(trainer(corpus, *LONG, *options), corpus.parent)
    terminal.wait_for("RUNNING")
    return terminal


def attach(corpus: Path, *shown: str) -> Terminal:
    """Attach, and close the dialog on what happened meanwhile."""
    terminal = Terminal(trainer("attach"), corpus.parent)
    terminal.wait_for("While you were away", "now at", *shown)
    terminal.press("\r")
    terminal.wait_until(lambda: "While you were away" not in terminal.text, "run")
    return terminal


def attach_again(corpus: Path, run: Path) -> Terminal:
    """Attach while another viewer is attached, so that no dialog is shown."""
    until(lambda: commands(run, "attach"))
    terminal = Terminal(trainer("attach"), corpus.parent)
    terminal.wait_for("RUNNING", "Vitals")
    assert "now at" not in terminal.text
    return terminal


def ask(corpus: Path, *arguments: str) -> str:
    """Run a command; returns its standard output."""
    done = subprocess.run(trainer(*arguments), cwd=corpus.parent, capture_output=True, text=True, timeout=TIMEOUT)
    assert done.returncode == 0, done.stderr
    return done.stdout


def wait_for_step(run: Path) -> None:
    """Wait for another step in the journal."""
    before = len(events(run, "step"))
    until(lambda: len(events(run, "step")) > before)


def commands(run: Path, name: str) -> list[dict[str, Any]]:
    return [event for event in events(run, "command") if event["name"] == name]


def trainer_of(run: Path) -> psutil.Process:
    """The process that trains, as the shell would find it: the one that holds the lock."""
    lock = str(run / "trainer.lock")
    for process in psutil.process_iter():
        try:
            if process.cwd() == str(run.parents[1]) and any(file.path == lock for file in process.open_files()):
                return process
        except psutil.Error:
            continue
    raise AssertionError("nobody trains")


def threads_are_stopped(process: psutil.Process) -> bool:
    """Whether every thread of a process is stopped; true on systems without /proc."""
    stats = list(Path(f"/proc/{process.pid}/task").glob("*/stat"))
    return all(stat.read_text().rpartition(")")[2].split()[0] == "T" for stat in stats)
