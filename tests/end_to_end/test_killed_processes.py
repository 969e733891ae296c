"""Killed trainers and proxy processes: the terminal is restored, and the run can be resumed."""

import signal
import sys
from pathlib import Path

import pytest

from tests.end_to_end.leaving import LONG, ask, attach_again, commands, start, threads_are_stopped, trainer_of
from tests.end_to_end.terminal import Shell, Terminal, events, trainer
from tests.waiting import until


def test_a_killed_run_is_dead_and_can_be_resumed(corpus: Path, run: Path) -> None:
    terminal = start(corpus, "--checkpoint-every", "20")
    viewer = attach_again(corpus, run)
    until(lambda: events(run, "checkpoint"))
    trainer_of(run).kill()
    assert terminal.wait_for_end() == 128 + signal.SIGKILL
    viewer.wait_for("FAILED", "vanished")
    viewer.press("q")
    assert viewer.wait_for_end() == 0
    assert (run / "control.sock").exists() and (run / "trainer.lock").exists()
    assert "woods  dead" in ask(corpus, "runs")
    resumed = Terminal(trainer("resume"), corpus.parent)
    resumed.wait_for("RUNNING")
    attach_again(corpus, run)


def test_the_terminal_is_restored_after_a_killed_trainer(corpus: Path, run: Path) -> None:
    shell = Shell(corpus.parent)
    command = trainer(corpus, *LONG, "--checkpoint-every", "20")
    shell.run("sh", "-c", '"$@"; stty -a', "sh", *command)  # the modes before the shell sets its own
    shell.wait_for("RUNNING")
    until(lambda: events(run, "checkpoint"))
    shell.raw = b""
    trainer_of(run).kill()
    shell.wait_for("isig icanon iexten echo ")
    texts = ("Thetrainerwaskilled(SIGKILL).", "resumewoods")
    shell.wait_until(lambda: all(text in shell.unwrapped for text in texts), "word of how to go on")
    shell.wait_for_prompt()
    for mode in (b"?1049l", b"?25h", b"?1000l", b"?1003l", b"?1006l", b"?2004l", b"?1004l", b"<u"):
        assert b"\x1b[" + mode in shell.raw


def test_the_terminal_is_restored_when_a_library_ends_the_trainer(corpus: Path) -> None:
    ending = (
        "import os, sys\n"
        "from tui_trainer.training import preparation\n"
        "preparation.choose_device = lambda asked: os._exit(2)\n"
        "from tui_trainer.cli import main\n"
        f"sys.argv = ['tui-trainer', {str(corpus)!r}, *{list(LONG)}]\n"
        "main()\n"
    )
    shell = Shell(corpus.parent)
    shell.run("sh", "-c", '"$@"; echo status $?; stty -a', "sh", sys.executable, "-c", ending)
    shell.wait_for("status 2", "isig icanon iexten echo ")
    shell.wait_for_prompt()
    assert b"\x1b[?1049l" in shell.raw


def test_keys_are_read_from_the_terminal_where_the_shell_has_closed_standard_input(corpus: Path, run: Path) -> None:
    terminal = Terminal(["sh", "-c", 'exec "$@" <&-', "sh", *trainer(corpus, *LONG)], corpus.parent)
    terminal.wait_for("RUNNING")
    terminal.press("q")
    terminal.wait_for("Save and quit")
    terminal.press("q")
    assert terminal.wait_for_end() == 0
    assert events(run, "checkpoint")[-1]["reason"] == "stopped"


def test_a_trainer_whose_proxy_is_killed_saves_and_stops(corpus: Path, run: Path) -> None:
    shell = Shell(corpus.parent)
    shell.run(*trainer(corpus, *LONG))
    shell.wait_for("RUNNING")
    process = trainer_of(run)
    proxy = process.parent()
    assert proxy is not None
    shell.raw = b""
    proxy.kill()
    shell.wait_until(lambda: b"Killed" in shell.raw, "word of the shell's")  # a last frame may paint over it
    until(lambda: not process.is_running())
    assert events(run, "checkpoint")[-1]["reason"] == "stopped"
    assert events(run, "state")[-1]["reason"] == "by parent's end"
    assert not commands(run, "detach")
    shell.wait_until(lambda: b"?1049l" in shell.raw, "normal screen")
    shell.run("echo", "echoed")
    shell.wait_for("echo echoed")


@pytest.mark.parametrize("stopped", ["by key", "by signal, unnoticed"])
def test_a_stopped_trainer_whose_proxy_is_killed_saves_and_ends(corpus: Path, run: Path, stopped: str) -> None:
    shell = Shell(corpus.parent)
    shell.run(*trainer(corpus, *LONG))
    shell.wait_for("RUNNING")
    process = trainer_of(run)
    proxy = process.parent()
    assert proxy is not None
    if stopped == "by key":
        shell.press("\x1a")
        shell.wait_for("Stopped")
        shell.wait_for_prompt()
    else:
        process.suspend()
        until(lambda: threads_are_stopped(process), "the trainer's stop")  # of one amid it the system knows nothing
    proxy.kill()  # the system continues what is left of the job
    until(lambda: not process.is_running(), "the trainer's end")
    assert events(run, "checkpoint")[-1]["reason"] == "stopped"
    assert events(run, "state")[-1]["reason"] == "by parent's end"
    shell.run("echo", "echoed")
    shell.wait_for("echo echoed")
