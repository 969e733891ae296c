"""Job control: the whole job is stopped and continued, and the screen drawn again."""

import signal
from pathlib import Path

import psutil

from tests.end_to_end.leaving import LONG, ask, commands, start, trainer_of, wait_for_step
from tests.end_to_end.terminal import Shell, trainer
from tests.waiting import until


def test_a_job_stopped_by_ctrl_z_or_a_signal_is_resumed_by_fg(corpus: Path, run: Path) -> None:
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
    shell.wait_until(lambda: "Stopped" not in shell.text, "whole screen")
    trainer_of(run).send_signal(signal.SIGSTOP)
    shell.wait_for("Stopped")
    shell.wait_for_prompt()
    shell.run("fg")
    shell.wait_for("RUNNING", "Loss", "Vitals", "quit")
    shell.wait_until(lambda: "Stopped" not in shell.text, "whole screen")
    shell.press(" ")
    shell.wait_for("PAUSED")
    shell.press("q")
    shell.wait_for("Save and quit")
    shell.press("q")
    shell.wait_for("stopped at step")
    shell.wait_for_prompt()
    shell.run("echo", "echoed")
    shell.wait_for("echo echoed")


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


def test_ctrl_z_in_a_viewer_stops_all_of_its_job_but_not_the_detached_trainer(corpus: Path, run: Path) -> None:
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
