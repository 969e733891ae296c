"""A run outlives its terminal: detaching, losing the terminal, and attaching from another one."""

import json
import signal
import sys
from pathlib import Path

import pytest

from tests.end_to_end.leaving import (
    LONG,
    ask,
    attach,
    attach_again,
    commands,
    start,
    trainer_of,
    wait_for_step,
)
from tests.end_to_end.terminal import Shell, Terminal, events, trainer
from tests.waiting import until


def test_d_detaches_while_training_continues(corpus: Path, run: Path) -> None:
    shell = Shell(corpus.parent)
    shell.run(*trainer(corpus, *LONG))
    shell.wait_for("RUNNING")
    shell.press("d")
    shell.wait_for("Training goes on")
    shell.wait_until(lambda: "attachwoods" in shell.unwrapped, "word of how to come back")
    shell.wait_for_prompt()
    wait_for_step(run)
    assert [event["source"] for event in commands(run, "detach")] == ["keyboard"]
    assert ask(corpus, "status").startswith("woods  running  step ")
    shell.run("exit")
    assert shell.wait_for_end() == 0
    wait_for_step(run)
    trainer_of(run).terminate()
    until(lambda: events(run, "state")[-1]["state"] == "stopped")
    until(lambda: "woods: stopped at step" in (run / "output.log").read_text())


def test_a_run_is_controlled_from_other_terminals(corpus: Path, run: Path) -> None:
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
    wait_for_step(run)

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


def test_a_viewer_detaches_and_stays_when_another_stops_the_run(corpus: Path, run: Path) -> None:
    first = start(corpus)
    viewer = attach_again(corpus, run)
    viewer.press("q")
    viewer.wait_for("Detach")
    viewer.press("d")
    assert viewer.wait_for_end() == 0
    wait_for_step(run)
    first.wait_for("RUNNING")

    viewer = attach_again(corpus, run)
    first.press("q")
    first.wait_for("Save and quit")
    first.press("q")
    assert first.wait_for_end() == 0
    viewer.wait_for("STOPPED")
    viewer.press("s")
    viewer.wait_for("q leaves.")
    viewer.press("q")
    assert viewer.wait_for_end() == 0


def test_a_lost_terminal_leaves_a_paused_run_paused(corpus: Path, run: Path) -> None:
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
    wait_for_step(run)


def test_the_run_continues_when_the_window_of_its_shell_is_closed(corpus: Path, run: Path) -> None:
    shell = Shell(corpus.parent)
    shell.run(*trainer(corpus, *LONG))
    shell.wait_for("RUNNING")
    shell.close()
    until(lambda: commands(run, "detach"))
    wait_for_step(run)
    assert trainer_of(run).terminal() is None


@pytest.mark.parametrize("headless", [False, True])
def test_sighup_detaches(corpus: Path, run: Path, headless: bool) -> None:
    terminal = Terminal(trainer(corpus, *LONG, *["--headless"] * headless), corpus.parent)
    terminal.wait_for("step" if headless else "RUNNING")
    until(lambda: events(run, "step"))
    trainer_of(run).send_signal(signal.SIGHUP)
    until(lambda: [event["source"] for event in commands(run, "detach")] == ["terminal"])
    wait_for_step(run)
    until(lambda: "step" in (run / "output.log").read_text())


def test_ctrl_c_without_a_screen_saves_and_stops(corpus: Path, run: Path) -> None:
    terminal = Terminal(trainer(corpus, *LONG, "--headless"), corpus.parent)
    until(lambda: events(run, "step"))
    terminal.press("\x03")
    assert terminal.wait_for_end() == 0
    assert events(run, "checkpoint")[-1]["reason"] == "stopped"


def test_the_run_continues_when_the_screen_crashes(corpus: Path, run: Path) -> None:
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
    wait_for_step(run)


def test_signals_to_the_proxy_reach_the_trainer_and_without_a_shell_ctrl_z_does_not_suspend(
    corpus: Path, run: Path
) -> None:
    terminal = start(corpus)
    terminal.press("\x1a")
    terminal.wait_for("There is no shell to go back to.")
    terminal.process.kill(signal.SIGTSTP)
    wait_for_step(run)
    terminal.process.kill(signal.SIGUSR1)
    until(lambda: any(event["reason"] == "asked" for event in events(run, "checkpoint")))
    assert [event["source"] for event in commands(run, "save_checkpoint")] == ["SIGUSR1"]
    wait_for_step(run)
    terminal.wait_for("RUNNING")
    terminal.process.kill(signal.SIGINT)
    assert terminal.wait_for_end() == 0
    assert events(run, "state")[-1]["reason"] == "by SIGINT"
    assert events(run, "checkpoint")[-1]["reason"] == "stopped"
