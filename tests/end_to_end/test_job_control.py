"""Job control: the whole job is stopped and continued, and the screen drawn again."""

import signal
from pathlib import Path

import psutil

from tests.end_to_end.leaving import LONG, ask, commands, start, trainer_of, wait_for_step
from tests.end_to_end.terminal import Shell, trainer
from tests.waiting import until


def test_ctrl_z_suspends_the_job_and_fg_resumes_it(corpus: Path, run: Path) -> None:
    shell = Shell(corpus.parent)
    shell.run(*trainer(corpus, *LONG))
    shell.wait_for("RUNNING")
    shell.press("\x1a")
    shell.wait_for("Stopped")
    shell.wait_for_prompt()
    assert trainer_of(run).status() == psutil.STATUS_STOPPED
    shell.run("fg")
    shell.wait_for("RUNNING", "Loss", "Vitals", "quit")
    wait_for_step(run)
    shell.press("q")
    shell.wait_for("Save and quit")
    shell.press("q")
    shell.wait_for("stopped at step")
    shell.wait_for_prompt()


def test_ctrl_z_stops_all_of_a_job_such_as_make(corpus: Path, run: Path) -> None:
    shell = Shell(corpus.parent)
    shell.run("sh", "-c", '"$@"; echo came to "an end"', "sh", *trainer(corpus, *LONG))
    shell.wait_for("RUNNING")
    for _ in range(2):
        shell.press("\x1a")
        shell.wait_for("Stopped")
        shell.wait_for_prompt()
        assert ask(corpus, "status").startswith("woods  suspended  step ")
        shell.run("fg")
        shell.wait_for("RUNNING", "Loss", "Vitals", "quit")
        wait_for_step(run)
    shell.press("d")
    shell.wait_for("came to an end")
    shell.wait_for_prompt()
    wait_for_step(run)


def test_ctrl_z_in_a_viewer_stops_all_of_its_job(corpus: Path, run: Path) -> None:
    first = start(corpus)
    first.press("d")
    first.wait_for("Training goes on")  # read meanwhile, as a screen that nobody reads cannot be left
    until(lambda: commands(run, "detach"))
    shell = Shell(corpus.parent)
    shell.run("sh", "-c", '"$@"; echo came to "an end"', "sh", *trainer("attach"))
    shell.wait_for("now at")
    shell.press("\r")
    shell.wait_until(lambda: "now at" not in shell.text, "run")
    shell.press("\x1a")
    shell.wait_for("Stopped")
    shell.wait_for_prompt()
    wait_for_step(run)
    shell.run("fg")
    shell.wait_for("RUNNING", "Loss", "Vitals", "quit")
    shell.press("d")
    shell.wait_for("came to an end")


def test_without_a_shell_ctrl_z_does_not_suspend(corpus: Path, run: Path) -> None:
    terminal = start(corpus)
    terminal.press("\x1a")
    terminal.wait_for("There is no shell to go back to.")
    terminal.process.kill(signal.SIGTSTP)
    wait_for_step(run)


def test_a_job_stopped_by_a_signal_is_resumed(corpus: Path, run: Path) -> None:
    shell = Shell(corpus.parent)
    shell.run(*trainer(corpus, *LONG))
    shell.wait_for("RUNNING")
    trainer_of(run).send_signal(signal.SIGSTOP)
    shell.wait_for("Stopped")
    shell.wait_for_prompt()
    shell.run("fg")
    shell.wait_for("RUNNING", "Loss", "Vitals", "quit")
    shell.wait_until(lambda: "Stopped" not in shell.text, "whole screen")
    shell.press(" ")
    shell.wait_for("PAUSED")
    shell.press("d")
    shell.wait_for("woods is paused", "Let it go on with:")
    shell.wait_for_prompt()
    shell.run("echo", "echoed")
    shell.wait_for("echo echoed")


def test_a_detached_trainer_can_be_stopped_and_continued(corpus: Path, run: Path) -> None:
    first = start(corpus)
    first.press("d")
    first.wait_for("Training goes on")  # read meanwhile, as a screen that nobody reads cannot be left
    until(lambda: commands(run, "detach"))
    process = trainer_of(run)
    process.suspend()
    until(lambda: process.status() == psutil.STATUS_STOPPED)
    process.resume()
    wait_for_step(run)
    assert "\x1b" not in (run / "output.log").read_text()
