"""Live runs controlled from the command line, from any directory."""

import json
import subprocess
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.end_to_end.terminal import SMALL_MODEL, Terminal, events, trainer
from tests.waiting import TIMEOUT, until

LONG = (*SMALL_MODEL, "--steps", "1000000", "--eval-every", "1000", "--sample-every", "500")


class Background:
    """A run without a screen, whose first step is taken."""

    def __init__(self, corpus: Path, name: str) -> None:
        command = trainer(corpus, *LONG, "--name", name, "--headless")
        self.path = corpus.parent / "runs" / name
        self.output = corpus.parent / f"{name}.out"
        with self.output.open("w") as output:
            self.process = psutil.Popen(command, cwd=corpus.parent, stdout=output)
        until(lambda: events(self.path, "step"), "the first step")

    @property
    def steps(self) -> int:
        return len(events(self.path, "step"))

    def wait_for_step(self) -> None:
        before = self.steps
        until(lambda: self.steps > before, "another step")


@pytest.fixture
def elsewhere(tmp_path: Path) -> Path:
    """A directory in which there are no runs."""
    (tmp_path / "elsewhere").mkdir()
    return tmp_path / "elsewhere"


def ask(directory: Path, *arguments: str) -> tuple[int, str, str]:
    """Exit status, standard output and standard error."""
    done = subprocess.run(trainer(*arguments), cwd=directory, capture_output=True, text=True, timeout=TIMEOUT)
    return done.returncode, done.stdout, done.stderr


def ask_json(directory: Path, *arguments: str) -> dict[str, Any]:
    status, out, err = ask(directory, *arguments, "--json")
    assert (status, err) == (0, "")
    return dict(json.loads(out))


def test_a_run_is_controlled_from_another_directory(corpus: Path, elsewhere: Path) -> None:
    run = Background(corpus, "woods")
    status, out, _ = ask(elsewhere, "runs")
    assert status == 0
    heading, path, line = out.splitlines()
    assert path == str(run.path)
    assert line[heading.index("STATE") :].startswith("running")
    assert line[heading.index("UNATTENDED")] != "-"
    assert ask_json(elsewhere, "status", "woods")["pid"] == run.process.pid

    status, out, _ = ask(elsewhere, "pause")
    assert (status, out) == (0, f"woods is paused at step {run.steps:,}\n")
    steps = run.steps
    saved = ask_json(elsewhere, "save", "woods")
    assert (saved["done"], saved["step"], saved["pid"]) == (True, steps, run.process.pid)
    assert (Path(saved["checkpoint"]) / "model.safetensors").is_file()

    status, out, _ = ask(elsewhere, "resume")
    assert status == 0 and out.startswith(f"woods is running at step {steps:,}. Look at it with:\n  ")
    run.wait_for_step()
    status, out, _ = ask(elsewhere, "resume", "woods")
    assert status == 0 and out.startswith("woods is running already") and "attach" in out

    status, out, err = ask(elsewhere, "stop", "woods")
    assert (status, err) == (0, "")
    last = run.steps
    assert out == f"woods is stopped at step {last:,}, and saved in {run.path}/checkpoints/step-{last:08}\n"
    assert run.process.wait(TIMEOUT) == 0
    assert events(run.path, "state")[-1]["reason"] == "by command line"
    assert [event for event in events(run.path, "command") if event["name"] in ("attach", "detach")] == []


def test_with_two_runs_a_name_or_all_is_needed(corpus: Path, elsewhere: Path) -> None:
    woods = Background(corpus, "woods")
    fables = Background(corpus, "fables")
    message = f"Another run trains on this machine: woods (pid {woods.process.pid})."
    until(lambda: message in fables.output.read_text(), "word of the other run")
    assert events(fables.path, "alert")[0]["message"] == message

    status, _, err = ask(elsewhere, "stop")
    assert status == 2 and str(woods.path) in err and str(fables.path) in err
    woods.process.suspend()
    status, _, err = ask(elsewhere, "pause", "woods")
    assert status == 1 and f"woods is suspended (pid {woods.process.pid})" in err and "nothing was sent" in err
    woods.process.resume()
    woods.wait_for_step()

    status, out, _ = ask(elsewhere, "stop", "--all", "--no-save")
    assert status == 0
    assert sorted(line.split(" at step ")[0] for line in out.splitlines()) == ["fables is stopped", "woods is stopped"]
    assert [run.process.wait(TIMEOUT) for run in (woods, fables)] == [0, 0]
    assert "stopped" not in [event["reason"] for event in events(woods.path, "checkpoint")]
    assert ask(elsewhere, "stop", "--all") == (0, "No run is being trained.\n", "")


def test_a_run_with_a_screen_is_attended_until_it_is_left_and_is_stopped_from_elsewhere(
    corpus: Path, elsewhere: Path
) -> None:
    terminal = Terminal(trainer(corpus, *LONG), corpus.parent)
    terminal.wait_for("RUNNING")
    assert ask_json(elsewhere, "status")["attended"] is True
    terminal.press("d")
    terminal.wait_for("Training goes on")
    until(lambda: ask_json(elsewhere, "status")["attended"] is False, "nobody looking")
    viewer = Terminal(trainer("attach"), elsewhere)
    viewer.wait_for("While you were away")
    assert ask_json(elsewhere, "status")["attended"] is True
    assert ask(elsewhere, "stop")[0] == 0
    viewer.wait_for("STOPPED")
