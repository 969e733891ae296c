"""A run in a line, from its files alone."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.unit.run.journals import write_journal
from tests.unit.run.test_lock import held
from tests.unit.state.folded import evaluation, started, state, step
from tests.waiting import TIMEOUT, until
from tui_trainer.config import Config, InputError
from tui_trainer.run.directory import RunDirectory, runs_in
from tui_trainer.run.events import Event
from tui_trainer.sessions.overview import overview


def make(root: Path, name: str, *events: Event) -> RunDirectory:
    run = RunDirectory(root / name)
    run.path.mkdir(parents=True)
    run.config.write_text(Config().update(steps=50).to_toml(), encoding="utf-8")
    if events:
        write_journal(run.path, *events)
    return run


HOLDING = """
import pathlib, sys, time
from tui_trainer.run.directory import RunDirectory, runs_in
from tui_trainer.run.lock import RunLock
with RunDirectory(pathlib.Path(sys.argv[1])).open_to_train() as folder, RunLock(folder):
    print("held", flush=True)
    time.sleep(60)
"""

SHORT = [started(), state("running", 100.0), *map(step, range(1, 11)), evaluation(10, 2.5, best=True)]


@pytest.mark.parametrize("last", ["finished", "stopped", "failed"])
def test_a_run_that_ended_tells_how(tmp_path: Path, last: str) -> None:
    found = overview(make(tmp_path, "cats", *SHORT, state(last, 120.0, step=10)))
    assert (found.state, found.step, found.steps) == (last, 10, 100)
    assert (found.best_val_loss, found.best_step) == (2.5, 10)
    assert found.time_left is None


@pytest.mark.parametrize("last", ["running", "paused"])
def test_a_run_is_alive_while_its_lock_is_held(tmp_path: Path, last: str) -> None:
    run = make(tmp_path, "cats", *SHORT, state(last, 120.0, step=10))
    with held(run):
        assert overview(run).state == last
        assert (overview(run).time_left is not None) == (last == "running")
    assert overview(run).state == "dead"


def test_a_run_whose_process_is_stopped_is_suspended(tmp_path: Path) -> None:
    run = make(tmp_path, "cats", *SHORT)
    trainer = subprocess.Popen([sys.executable, "-c", HOLDING, str(run.path)], stdout=subprocess.PIPE)
    assert trainer.stdout is not None and trainer.stdout.readline() == b"held\n"
    assert overview(run).state == "running"
    trainer.send_signal(signal.SIGSTOP)
    until(lambda: overview(run).state == "suspended")
    suspended = overview(run)
    assert (suspended.time_left, suspended.attended) == (None, None)
    trainer.send_signal(signal.SIGCONT)
    until(lambda: overview(run).state == "running")
    trainer.kill()
    trainer.communicate(timeout=TIMEOUT)
    assert overview(run).state == "dead"


def test_a_stale_lock_file_keeps_nothing_alive(tmp_path: Path) -> None:
    run = make(tmp_path, "cats", *SHORT)
    (run.path / "trainer.lock").write_text("12345")
    assert overview(run).state == "dead"


def test_a_run_that_is_just_taken_up_again_is_loading(tmp_path: Path) -> None:
    run = make(tmp_path, "cats", *SHORT, state("stopped", 120.0, step=10))
    with held(run):
        assert overview(run).state == "loading"


def test_a_run_without_a_journal_has_its_plan(tmp_path: Path) -> None:
    found = overview(make(tmp_path, "cats"))
    assert (found.state, found.step, found.steps, found.loss) == ("dead", 0, 50, None)
    assert found.line().startswith("cats  dead  step 0/50 (0 %)  last sign")


def test_what_lies_too_far_back_is_taken_from_the_checkpoint(tmp_path: Path) -> None:
    run = make(tmp_path, "cats", *SHORT, *map(step, range(11, 3000)))
    checkpoint = run.checkpoints / "step-00000010"
    checkpoint.mkdir(parents=True)
    (run.checkpoints / "latest").write_text(checkpoint.name)
    (checkpoint / "trainer.json").write_text(json.dumps({"step": 10, "best_loss": 2.5, "best_step": 10}))
    found = overview(run)
    assert (found.step, found.best_val_loss, found.best_step) == (2999, 2.5, 10)


def save_progress(run: RunDirectory, step: int, best_loss: float, best_step: int) -> None:
    checkpoint = run.checkpoints / f"step-{step:08}"
    checkpoint.mkdir(parents=True)
    (run.checkpoints / "latest").write_text(checkpoint.name)
    (checkpoint / "trainer.json").write_text(json.dumps({"step": step, "best_loss": best_loss, "best_step": best_step}))


def test_the_best_of_steps_that_are_taken_again_is_not_told(tmp_path: Path) -> None:
    """It was killed at step 900, and resumed at 500."""
    before = [*SHORT[:2], step(500), step(900), evaluation(900, 1.5, best=True)]
    run = make(tmp_path, "cats", *before)
    assert overview(run).best_step == 900
    write_journal(run.path, started(step=500), state("running", 100.0, step=500), step(501))
    found = overview(run)
    assert (found.step, found.best_val_loss, found.best_step, found.val_loss) == (501, None, 0, None)
    save_progress(run, 500, 2.5, 400)
    assert (overview(run).best_val_loss, overview(run).best_step) == (2.5, 400)
    write_journal(run.path, evaluation(502, 2.25, best=True))
    assert (overview(run).best_val_loss, overview(run).best_step) == (2.25, 502)


def test_an_earlier_best_is_told_in_place_of_one_that_is_taken_again(tmp_path: Path) -> None:
    best = [evaluation(400, 2.5, best=True), step(500), evaluation(900, 1.5, best=True)]
    run = make(tmp_path, "cats", *SHORT[:2], *best, started(step=500), step(501))
    assert (overview(run).best_val_loss, overview(run).best_step) == (2.5, 400)


def test_a_best_that_the_journal_lacks_is_taken_from_the_checkpoint(tmp_path: Path) -> None:
    run = make(tmp_path, "cats", *SHORT, step(50))
    save_progress(run, 50, 2.25, 40)
    assert (overview(run).best_val_loss, overview(run).best_step) == (2.25, 40)


def finished(run: RunDirectory, step: int, planned: int) -> None:
    save_progress(run, step, 2.25, 40)
    record = run.checkpoints / f"step-{step:08}" / "trainer.json"
    told = {**json.loads(record.read_text()), "finished": True, "planned_steps": planned}
    record.write_text(json.dumps(told))


@pytest.mark.parametrize("last", [10, 60], ids=["steps and end are missing", "the end is missing"])
def test_the_checkpoint_tells_the_end_that_the_journal_lacks(tmp_path: Path, last: int) -> None:
    run = make(tmp_path, "cats", *SHORT[:2], step(last))
    finished(run, 60, 60)
    found = overview(run)
    assert (found.state, found.step) == ("finished", 60)
    assert (found.steps, found.loss) == ((100, 2.0) if last == 60 else (60, None))


def test_a_checkpoint_beyond_the_journal_that_is_not_of_the_end_is_of_a_dead_run(tmp_path: Path) -> None:
    run = make(tmp_path, "cats", *SHORT)
    save_progress(run, 60, 2.25, 40)
    assert (overview(run).state, overview(run).step) == ("dead", 60)


def test_a_finished_run_that_was_taken_up_again_and_killed_is_dead(tmp_path: Path) -> None:
    run = make(tmp_path, "cats", *SHORT[:2], step(60), started(step=60), state("running", 200.0, step=60))
    finished(run, 60, 60)
    assert overview(run).state == "dead"
    write_journal(run.path, step(61))
    assert (overview(run).state, overview(run).step) == ("dead", 61)


@pytest.mark.parametrize("time", ["", '"time": 0, '])
def test_the_last_sign_of_a_run_without_times_is_the_change_of_its_journal(tmp_path: Path, time: str) -> None:
    run = make(tmp_path, "theirs")
    run.journal.write_text('{"event": "run", "run": "x"}\n{"event": "step", ' + time + '"step": 1, "loss": 4}\n')
    os.utime(run.journal, (1_700_000_000, 1_700_000_000))
    assert overview(run).changed == 1_700_000_000


def test_a_step_that_no_run_can_have_come_to_is_not_told(tmp_path: Path) -> None:
    assert overview(make(tmp_path, "cats", *SHORT, step(9 * 10**11), step(11))).step == 11


def test_the_line_and_the_object(tmp_path: Path) -> None:
    run = make(tmp_path, "cats", *SHORT, state("finished", time.time() - 65, step=10))
    found = overview(run)
    assert found.line() == (
        f"cats  finished  step 10/100 (10 %)  loss {found.loss:.4f}  validation 2.5000  "
        "best 2.5000 at step 10  last sign 1m05s ago"
    )
    told = json.loads(found.json())
    assert told["path"] == str(run.path)
    assert told["age"] == pytest.approx(65, abs=5)


def test_the_object_is_plain_ascii(tmp_path: Path) -> None:
    found = overview(make(tmp_path, "cats\u202egnp\x9b\udce9", *SHORT))
    assert found.json().isascii() and found.json().isprintable()
    assert json.loads(found.json())["name"] == "cats\u202egnp\x9b\udce9"


@pytest.mark.parametrize(
    "told",
    ['{"step": ' + "9" * 400 + "}", '{"step": 1e400}', "[" * 100_000, '{"step": "x"}', " " * 2**21, "\x00", "[]"],
    ids=range(7),
)
def test_what_a_checkpoint_tells_that_makes_no_sense_is_left_out(tmp_path: Path, told: str) -> None:
    run = make(tmp_path, "cats")
    (run.checkpoints / "step-00000010").mkdir(parents=True)
    (run.checkpoints / "latest").write_text("step-00000010")
    (run.checkpoints / "step-00000010" / "trainer.json").write_text(told)
    assert overview(run).step == 0


@pytest.mark.parametrize("name", ["..", "../../elsewhere", "/etc", "step-1/..", "\udce9"])
def test_a_pointer_leads_nowhere_but_to_a_checkpoint(tmp_path: Path, name: str) -> None:
    run = make(tmp_path, "cats")
    run.checkpoints.mkdir()
    (run.checkpoints / "latest").write_text(name, errors="surrogateescape")
    (run.path / "trainer.json").write_text('{"step": 5}')
    assert overview(run).step == 0


@pytest.mark.parametrize("name", ["journal.jsonl", "trainer.lock", "checkpoints", "control.sock"])
def test_pipes_hold_nobody_up(tmp_path: Path, name: str) -> None:
    run = make(tmp_path, "cats")
    os.mkfifo(run.path / name)
    assert overview(run).state == "dead"


def test_a_configuration_that_is_a_pipe_is_no_run(tmp_path: Path) -> None:
    run = make(tmp_path, "cats")
    run.config.unlink()
    os.mkfifo(run.config)
    with pytest.raises(InputError, match="no regular file"):
        overview(run)
    assert runs_in(tmp_path) == []


def test_a_clock_that_was_set_back_tells_no_age(tmp_path: Path) -> None:
    found = overview(make(tmp_path, "cats", *SHORT, state("finished", time.time() + 3_600, step=10)))
    assert found.line().endswith("last sign in the future: the clock was set back")
    assert json.loads(found.json())["age"] is None


def test_the_time_left_is_that_of_the_steps_whatever_the_clock_did(tmp_path: Path) -> None:
    steady, later = [*map(step, range(1, 41))], [step(number, time=number + 20.0) for number in range(41, 51)]
    run = make(tmp_path, "cats", started(), state("running", 100.0), *steady, *later)
    paused = [state("paused", 140.0, 40), state("running", 390.0, 40), step(41, 391.0), step(42, 392.0)]
    other = make(tmp_path, "dogs", started(), state("running", 100.0), *steady, *paused)
    with held(run), held(other):
        assert json.loads(overview(run).json())["seconds_left"] == pytest.approx(50.0, rel=0.02)
        assert json.loads(overview(other).json())["seconds_left"] == pytest.approx(58.0, rel=0.02)
