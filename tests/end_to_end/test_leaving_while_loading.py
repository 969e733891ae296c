"""Terminals lost, and signals sent, while a run is loading."""

import signal
import sys
from pathlib import Path

import psutil
import pytest

from tests.end_to_end.leaving import LONG
from tests.end_to_end.terminal import Terminal
from tests.waiting import until

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
def test_a_terminal_lost_while_loading_is_replaced_by_a_log(corpus: Path, run: Path, headless: bool) -> None:
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


@pytest.mark.parametrize(("headless", "number"), [(False, signal.SIGTERM), (True, signal.SIGINT)])
def test_a_stop_does_not_wait_for_what_cannot_be_interrupted(
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
