"""Calls the command line in process, and checks what it prints and returns."""

import sys
from pathlib import Path

import pytest

from tui_trainer import cli

TEXT = "The cat sat on the mat, and the dog lay by the door.\n" * 40
SMALL = ["--layers=2", "--width=16", "--heads=2", "--context=8", "--batch-size=4", "--steps=6"]
SMALL += ["--sample-tokens=5", "--device=cpu", "--threads=1", "--precision=fp32", "--compile=off", "--headless"]
BINARY = b"\x7fELF\x00\x01\x02"


class Outcome:
    """Exit status and output of a call."""

    def __init__(self, status: int, out: str, err: str) -> None:
        self.status, self.out, self.err = status, out, err


class Program:
    """The program, called with arguments."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> None:
        self._monkeypatch, self._capfd = monkeypatch, capfd

    def __call__(self, *arguments: str | Path) -> Outcome:
        self._monkeypatch.setattr(sys, "argv", ["tui-trainer", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        assert isinstance(ended.value.code, int)
        return Outcome(ended.value.code, *self._capfd.readouterr())


def refused(outcome: Outcome, says: str) -> None:
    assert outcome.status == 2
    assert outcome.err.startswith("tui-trainer: ")
    assert outcome.err.count("\n") == 1
    assert outcome.err.endswith((".\n", "?\n", "?)\n"))
    assert says in outcome.err
    assert "Traceback" not in outcome.out + outcome.err
