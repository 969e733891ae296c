"""A run outlives its terminal: leaving it, losing it, and coming back from another one."""

import json
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.end_to_end.terminal import SMALL_MODEL, Shell, Terminal, events, trainer
from tests.waiting import TIMEOUT, until

LONG = (*SMALL_MODEL, "--steps", "1000000", "--eval-every", "1000", "--sample-every", "500")


@pytest.fixture
def run(corpus: Path) -> Path:
    return corpus.parent / "runs" / "woods"


def start(corpus: Path, *options: str) -> Terminal:
    terminal = Terminal(trainer(corpus, *LONG, *options), corpus.parent)
    terminal.wait_for("RUNNING")
    return terminal


def attach(corpus: Path, *shown: str) -> Terminal:
    """Once the screen has told what happened meanwhile."""
    terminal = Terminal(trainer("attach"), corpus.parent)
    terminal.wait_for("While you were away", "now at", *shown)
    terminal.press("\r")
    terminal.wait_until(lambda: "While you were away" not in terminal.text, "run")
    return terminal


def join(corpus: Path, run: Path) -> Terminal:
    """Attach to a run that is looked at already, so that nobody was away."""
    until(lambda: commands(run, "attach"))
    terminal = Terminal(trainer("attach"), corpus.parent)
    terminal.wait_for("RUNNING", "Vitals")
    assert "now at" not in terminal.text
    return terminal


def ask(corpus: Path, *arguments: str) -> str:
    """What the program prints."""
    done = subprocess.run(trainer(*arguments), cwd=corpus.parent, capture_output=True, text=True, timeout=TIMEOUT)
    assert done.returncode == 0, done.stderr
    return done.stdout


def goes_on(run: Path) -> None:
    """Wait for a step to come."""
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
    """Whether every thread of a process is, as far as this system tells of threads."""
    told = list(Path(f"/proc/{process.pid}/task").glob("*/stat"))
    return all(stat.read_text().rpartition(")")[2].split()[0] == "T" for stat in told)


def test_d_gives_the_prompt_back_while_training_goes_on(corpus: Path, run: Path) -> None:
    shell = Shell(corpus.parent)
    shell.run(*trainer(corpus, *LONG))
    shell.wait_for("RUNNING")
    shell.press("d")
    shell.wait_for("Training goes on")
    shell.wait_until(lambda: "attachwoods" in shell.unwrapped, "word of how to come back")
    shell.wait_for_prompt()
    goes_on(run)
    assert [event["source"] for event in commands(run, "detach")] == ["keyboard"]
    assert ask(corpus, "status").startswith("woods  running  step ")
    shell.run("exit")
    assert shell.wait_for_end() == 0
    goes_on(run)
    trainer_of(run).terminate()
    until(lambda: events(run, "state")[-1]["state"] == "stopped")
    until(lambda: "woods: stopped at step" in (run / "output.log").read_text())


def test_a_run_is_steered_from_other_terminals(corpus: Path, run: Path) -> None:
    first = start(corpus)
    first.press("d")
    second = attach(corpus, "RUNNING")
    second.press("]")
    second.wait_for("T 0.90")
    second.press(" ")
    second.wait_for("PAUSED")
    assert json.loads(ask(corpus, "status", "--json"))["state"] == "paused"
    second.press(" ")
    second.wait_for("RUNNING")
    second.close()
    until(lambda: len(commands(run, "detach")) == 2)
    goes_on(run)

    third = attach(corpus)
    third.wait_for("T 0.90")
    third.press("q")
    third.wait_for("Detach", "Save and quit")
    third.press("s")
    assert third.wait_for_end() == 0
    assert events(run, "state")[-1]["reason"] == "by attached"
    assert events(run, "checkpoint")[-1]["reason"] == "stopped"
    assert [event["value"] for event in commands(run, "set_temperature")] == [0.9]
    assert "woods  stopped" in ask(corpus, "runs")


def test_a_viewer_leaves_without_a_trace_and_stays_when_the_run_is_stopped_by_another(corpus: Path, run: Path) -> None:
    first = start(corpus)
    viewer = join(corpus, run)
    viewer.press("q")
    viewer.wait_for("Detach")
    viewer.press("d")
    assert viewer.wait_for_end() == 0
    goes_on(run)
    first.wait_for("RUNNING")

    viewer = join(corpus, run)
    first.press("q")
    first.wait_for("Save and quit")
    first.press("q")
    assert first.wait_for_end() == 0
    viewer.wait_for("STOPPED")
    viewer.press("s")
    viewer.wait_for("q leaves.")
    viewer.press("q")
    assert viewer.wait_for_end() == 0


def test_a_terminal_that_goes_away_leaves_a_paused_run_paused_and_with_nothing_to_tell(corpus: Path, run: Path) -> None:
    terminal = start(corpus)
    terminal.press(" ")
    terminal.wait_for("PAUSED")
    terminal.close()
    until(lambda: [event["source"] for event in commands(run, "detach")] == ["terminal"])
    again = Terminal(trainer("attach"), corpus.parent)
    again.wait_for("PAUSED", "space resume")
    again.press("d")
    again.wait_for("woods is paused", "Let it go on with:")
    assert "Training goes on" not in again.text
    assert again.wait_for_end() == 0
    assert "woods is running" in ask(corpus, "resume", "woods")
    goes_on(run)


def test_a_window_with_a_shell_that_is_closed_leaves_the_run_behind(corpus: Path, run: Path) -> None:
    shell = Shell(corpus.parent)
    shell.run(*trainer(corpus, *LONG))
    shell.wait_for("RUNNING")
    shell.close()
    until(lambda: commands(run, "detach"))
    goes_on(run)
    assert trainer_of(run).terminal() is None


LOADING_FOR_LONG = """
import pathlib, sys, time
from tui_trainer import cli
from tui_trainer.training import preparation
choose = preparation.choose_device
def wait_for_file(asked):
    while not pathlib.Path("go-on").exists():
        time.sleep(0.05)
    return choose(asked)
preparation.choose_device = wait_for_file
sys.argv[0] = "tui-trainer"
cli.main()
"""
"""The program, which loads until there is a file named `go-on`."""


def loading(corpus: Path, *options: str) -> Terminal:
    terminal = Terminal([sys.executable, "-c", LOADING_FOR_LONG, str(corpus), *LONG, *options], corpus.parent)
    terminal.wait_for("loading torch")
    return terminal


@pytest.mark.parametrize("headless", [False, True])
def test_a_terminal_lost_while_loading_is_made_up_for_by_a_log_from_the_first_line(
    corpus: Path, run: Path, headless: bool
) -> None:
    terminal = loading(corpus, *["--headless"] * headless)
    known = psutil.Process(terminal.process.pid)
    terminal.close()
    until(lambda: not known.is_running() or known.status() == psutil.STATUS_ZOMBIE or headless)
    (corpus.parent / "go-on").touch()
    until(lambda: (run / "output.log").exists() and "  loss " in (run / "output.log").read_text())
    lines = (run / "output.log").read_text().splitlines()
    stages = ["reading", "tokenizing", "measuring this machine", "building the model", "making the run's directory"]
    assert [line for line in lines if line in stages] == stages
    assert any("/1,000,000  loss" in line for line in lines)


@pytest.mark.parametrize("headless", [False, True])
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_what_cannot_be_interrupted_does_not_hold_up_a_stop(
    corpus: Path, headless: bool, number: signal.Signals
) -> None:
    terminal = loading(corpus, *["--headless"] * headless)
    terminal.process.kill(number)
    assert terminal.wait_for_end() == (128 + signal.SIGTERM if number == signal.SIGTERM else 0)
    assert headless or b"\x1b[?1049l" in terminal.raw
    assert "woods: nothing was trained." in terminal.text
    assert not (corpus.parent / "runs").exists()


def test_a_second_ctrl_c_ends_at_once_what_cannot_be_interrupted(corpus: Path) -> None:
    terminal = loading(corpus)
    terminal.press("\x03")
    terminal.wait_for("Stopping")
    terminal.press("\x03")
    assert terminal.wait_for_end() in (0, 130)  # 0 if it was so slow that the first was enough
    assert b"\x1b[?1049l" in terminal.raw
    assert "woods: nothing was trained." in terminal.text


@pytest.mark.parametrize("headless", [False, True])
def test_sighup_detaches(corpus: Path, run: Path, headless: bool) -> None:
    terminal = Terminal(trainer(corpus, *LONG, *["--headless"] * headless), corpus.parent)
    terminal.wait_for("step" if headless else "RUNNING")
    until(lambda: events(run, "step"))
    trainer_of(run).send_signal(signal.SIGHUP)
    until(lambda: [event["source"] for event in commands(run, "detach")] == ["terminal"])
    goes_on(run)
    until(lambda: "step" in (run / "output.log").read_text())


def test_a_screen_that_crashes_leaves_the_run_behind(corpus: Path, run: Path) -> None:
    breaking = (
        "import sys\n"
        "from tui_trainer.ui.app import TrainerApp\n"
        "def broken(self): raise RuntimeError('the screen is cracked')\n"
        "TrainerApp.action_help = broken\n"
        "from tui_trainer.cli import main\n"
        f"sys.argv = ['tui-trainer', {str(corpus)!r}, *{list(LONG)}]\n"
        "main()\n"
    )
    terminal = Terminal([sys.executable, "-c", breaking], corpus.parent)
    terminal.wait_for("RUNNING")
    terminal.press("?")
    terminal.wait_for("the screen is cracked", "Training goes on")
    assert terminal.wait_for_end() == 0
    goes_on(run)


def test_sigusr1_saves_and_goes_on(corpus: Path, run: Path) -> None:
    terminal = start(corpus)
    terminal.process.kill(signal.SIGUSR1)
    until(lambda: any(event["reason"] == "asked" for event in events(run, "checkpoint")))
    assert [event["source"] for event in commands(run, "save_checkpoint")] == ["SIGUSR1"]
    goes_on(run)
    terminal.wait_for("RUNNING")


def test_ctrl_c_without_a_screen_saves_and_stops(corpus: Path, run: Path) -> None:
    terminal = Terminal(trainer(corpus, *LONG, "--headless"), corpus.parent)
    until(lambda: events(run, "step"))
    terminal.press("\x03")
    assert terminal.wait_for_end() == 0
    assert events(run, "checkpoint")[-1]["reason"] == "stopped"


def test_ctrl_z_suspends_the_job_and_fg_brings_it_back_whole(corpus: Path, run: Path) -> None:
    shell = Shell(corpus.parent)
    shell.run(*trainer(corpus, *LONG))
    shell.wait_for("RUNNING")
    shell.press("\x1a")
    shell.wait_for("Stopped")
    shell.wait_for_prompt()
    assert trainer_of(run).status() == psutil.STATUS_STOPPED
    shell.run("fg")
    shell.wait_for("RUNNING", "Loss", "Vitals", "quit")
    goes_on(run)
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
        goes_on(run)
    shell.press("d")
    shell.wait_for("came to an end")
    shell.wait_for_prompt()
    goes_on(run)


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
    goes_on(run)
    shell.run("fg")
    shell.wait_for("RUNNING", "Loss", "Vitals", "quit")
    shell.press("d")
    shell.wait_for("came to an end")


def test_without_a_shell_there_is_no_suspending(corpus: Path, run: Path) -> None:
    terminal = start(corpus)
    terminal.press("\x1a")
    terminal.wait_for("There is no shell to go back to.")
    terminal.process.kill(signal.SIGTSTP)
    goes_on(run)


def test_a_job_stopped_from_outside_comes_back_whole(corpus: Path, run: Path) -> None:
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


def test_a_detached_trainer_may_be_stopped_and_continued(corpus: Path, run: Path) -> None:
    first = start(corpus)
    first.press("d")
    first.wait_for("Training goes on")  # read meanwhile, as a screen that nobody reads cannot be left
    until(lambda: commands(run, "detach"))
    process = trainer_of(run)
    process.suspend()
    until(lambda: process.status() == psutil.STATUS_STOPPED)
    process.resume()
    goes_on(run)
    assert "\x1b" not in (run / "output.log").read_text()


def test_a_killed_run_is_dead_and_can_be_resumed(corpus: Path, run: Path) -> None:
    terminal = start(corpus, "--checkpoint-every", "20")
    viewer = join(corpus, run)
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
    join(corpus, run)


def test_a_killed_trainer_leaves_a_terminal_to_work_in(corpus: Path, run: Path) -> None:
    shell = Shell(corpus.parent)
    command = trainer(corpus, *LONG, "--checkpoint-every", "20")
    shell.run("sh", "-c", '"$@"; stty -a', "sh", *command)  # the modes before the shell sets its own
    shell.wait_for("RUNNING")
    until(lambda: events(run, "checkpoint"))
    shell.raw = b""
    trainer_of(run).kill()
    shell.wait_for("isig icanon iexten echo ")
    told = ("Thetrainerwaskilled(SIGKILL).", "resumewoods")
    shell.wait_until(lambda: all(text in shell.unwrapped for text in told), "word of how to go on")
    shell.wait_for_prompt()
    for mode in (b"?1049l", b"?25h", b"?1000l", b"?1003l", b"?1006l", b"?2004l", b"?1004l", b"<u"):
        assert b"\x1b[" + mode in shell.raw


def test_a_trainer_that_a_library_ends_leaves_a_terminal_to_work_in(corpus: Path) -> None:
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


def test_the_process_that_the_shell_knows_being_killed_saves_and_stops(corpus: Path, run: Path) -> None:
    shell = Shell(corpus.parent)
    shell.run(*trainer(corpus, *LONG))
    shell.wait_for("RUNNING")
    process = trainer_of(run)
    stand_in = process.parent()
    assert stand_in is not None
    shell.raw = b""
    stand_in.kill()
    shell.wait_until(lambda: b"Killed" in shell.raw, "word of the shell's")  # a last frame may paint over it
    until(lambda: not process.is_running())
    assert events(run, "checkpoint")[-1]["reason"] == "stopped"
    assert events(run, "state")[-1]["reason"] == "by parent's end"
    assert not commands(run, "detach")
    shell.wait_until(lambda: b"?1049l" in shell.raw, "normal screen")
    shell.run("echo", "echoed")
    shell.wait_for("echo echoed")


@pytest.mark.parametrize("stopped", ["by key", "by signal", "by signal, unnoticed"])
def test_a_stopped_job_whose_shell_knows_no_process_any_more_saves_and_ends(
    corpus: Path, run: Path, stopped: str
) -> None:
    shell = Shell(corpus.parent)
    shell.run(*trainer(corpus, *LONG))
    shell.wait_for("RUNNING")
    process = trainer_of(run)
    stand_in = process.parent()
    assert stand_in is not None
    if stopped == "by key":
        shell.press("\x1a")
    else:
        process.suspend()
        until(lambda: threads_are_stopped(process), "the trainer's stop")  # of one amid it the system knows nothing
    if stopped != "by signal, unnoticed":
        shell.wait_for("Stopped")
        shell.wait_for_prompt()
    stand_in.kill()  # the system continues what is left of the job
    until(lambda: not process.is_running(), "the trainer's end")
    assert events(run, "checkpoint")[-1]["reason"] == "stopped"
    assert events(run, "state")[-1]["reason"] == "by parent's end"
    shell.run("echo", "echoed")
    shell.wait_for("echo echoed")


def test_an_interrupt_of_the_process_that_the_shell_knows_reaches_the_trainer(corpus: Path, run: Path) -> None:
    terminal = start(corpus)
    terminal.process.kill(signal.SIGINT)
    assert terminal.wait_for_end() == 0
    assert events(run, "state")[-1]["reason"] == "by SIGINT"
    assert events(run, "checkpoint")[-1]["reason"] == "stopped"
