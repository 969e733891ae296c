"""Checkpoints written in the background: training goes on meanwhile, and whatever the disk says."""

import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.unit.training.helpers import ScriptedSession, run_to_end, small_config, watched
from tui_trainer.model.generation import Generation
from tui_trainer.model.transformer import ModelShape
from tui_trainer.run.commands import Command, Resume, Stop
from tui_trainer.run.events import BEST, PERIODIC, Alert, CheckpointSaved, Evaluation, Event, StateChanged, Step
from tui_trainer.training import decision_maker
from tui_trainer.training.checkpoints.checkpoint import Contents
from tui_trainer.training.checkpoints.saver import Saver
from tui_trainer.training.checkpoints.store import CheckpointStore
from tui_trainer.training.local import LocalSession
from tui_trainer.training.progress import Progress

SECONDS = 45
"""A hung test ends after this."""


def contents(step: int, best_step: int = 0) -> Contents:
    progress = Progress("f" * 64, 0.8, "The", step, best_loss=2.0 if best_step else None, best_step=best_step)
    return Contents(progress, {}, {}, ModelShape(11, 8, 1, 1, 8, 0.0), "{}")


class Disk(CheckpointStore):
    """One that writes when it is told to, and refuses when it is full."""

    def __init__(self) -> None:
        self.ready, self.begun = threading.Event(), threading.Semaphore(0)
        self.full = False
        self.writing = self.most = 0

    def save(self, contents: Contents, reason: str) -> Path:
        self.writing += 1
        self.most = max(self.most, self.writing)
        self.begun.release()
        assert self.ready.wait(SECONDS)
        self.writing -= 1
        if self.full:
            raise OSError(28, "No space left on device")
        return Path(f"step-{contents.progress.step}")


def test_saving_returns_while_the_disk_is_busy() -> None:
    disk, told = Disk(), list[Event]()
    saver = Saver(disk, told.append)
    saver.save(3, lambda: contents(3), "periodic")
    assert disk.begun.acquire(timeout=SECONDS)
    assert (saver.step, saver.refused, told) == (3, False, [])
    disk.ready.set()
    assert saver.wait()
    (saved,) = told
    assert isinstance(saved, CheckpointSaved)
    assert (saved.step, saved.path, saved.reason) == (3, "step-3", "periodic")
    assert saved.held_seconds > 0
    assert saved.write_seconds > 0


def test_the_next_copy_is_made_when_the_last_one_is_written() -> None:
    disk, told = Disk(), list[Event]()
    saver = Saver(disk, told.append)
    saver.save(1, lambda: contents(1), "periodic")

    def copy() -> Contents:
        assert [event.step for event in told] == [1]
        return contents(2)

    second = threading.Thread(target=saver.save, args=(2, copy, "periodic"), daemon=True)
    second.start()
    disk.ready.set()
    second.join(SECONDS)
    assert not second.is_alive()
    assert saver.wait()
    assert [event.step for event in told] == [1, 2]
    assert disk.most == 1


def test_a_full_disk_is_told_and_the_step_counts_as_not_saved() -> None:
    disk, told = Disk(), list[Event]()
    disk.full = True
    disk.ready.set()
    saver = Saver(disk, told.append)
    saver.save(3, lambda: contents(3), "periodic")
    assert not saver.wait()
    assert saver.refused
    assert saver.step is None
    (alert,) = told
    assert isinstance(alert, Alert)
    assert (alert.step, alert.kind, alert.severity) == (3, "checkpoint", "error")
    assert alert.message == "The checkpoint could not be saved: No space left on device."


def saved_after_a_refused_best(*later: Contents) -> list[tuple[int, str]]:
    """Steps and reasons of what is saved once there is room, after the best model of step 20 was refused."""
    disk, told = Disk(), list[Event]()
    disk.full = True
    disk.ready.set()
    saver = Saver(disk, told.append)
    saver.save(20, lambda: contents(20, best_step=20), BEST)
    assert not saver.wait()
    disk.full = False
    for each in later:
        saver.save(each.progress.step, lambda each=each: each, PERIODIC)  # type: ignore[misc]
        assert saver.wait()
    return [(event.step, event.reason) for event in told if isinstance(event, CheckpointSaved)]


def test_a_best_model_that_was_refused_is_saved_before_the_next_checkpoint() -> None:
    saved = saved_after_a_refused_best(contents(30, best_step=20), contents(40, best_step=20))
    assert saved == [(20, BEST), (30, PERIODIC), (40, PERIODIC)]


def test_a_best_model_that_was_refused_is_not_saved_once_there_is_a_better_one() -> None:
    assert saved_after_a_refused_best(contents(30, best_step=30)) == [(30, PERIODIC)]


def test_the_time_that_training_is_held_has_the_wait_for_the_checkpoint_before(monkeypatch: pytest.MonkeyPatch) -> None:
    now, wait = 0.0, Saver.wait

    def wait_for_five_seconds(saver: Saver) -> bool:
        nonlocal now
        now += 5
        return wait(saver)

    monkeypatch.setattr(time, "perf_counter", lambda: now)
    monkeypatch.setattr(Saver, "wait", wait_for_five_seconds)
    disk, told = Disk(), list[Event]()
    disk.ready.set()
    saver = Saver(disk, told.append)
    saver.save(1, lambda: contents(1), PERIODIC)
    assert saver.wait()
    (saved,) = told
    assert isinstance(saved, CheckpointSaved)
    assert saved.held_seconds == 5


# -- in a run ------------------------------------------------------------------------------------------------------


def when_saving(monkeypatch: pytest.MonkeyPatch, act: Callable[[Contents], None]) -> None:
    """Do something before each checkpoint is written."""
    save = CheckpointStore.save

    def acting(self: CheckpointStore, contents: Contents, reason: str) -> Path:
        act(contents)
        return save(self, contents, reason)

    monkeypatch.setattr(CheckpointStore, "save", acting)


def refuse(contents: Contents) -> None:
    raise OSError(28, "No space left on device")


def test_steps_are_taken_while_a_checkpoint_is_written(corpus: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    written = threading.Event()
    when_saving(monkeypatch, lambda contents: None if written.wait(SECONDS) else refuse(contents))
    with watched(LocalSession(small_config(corpus, checkpoint_every=5, eval_every=100))) as run:
        run.wait_for(lambda event: isinstance(event, Step) and event.step == 9)
        assert not any(isinstance(event, CheckpointSaved) for event in run.events)
        written.set()
        assert run.wait_for_kind(CheckpointSaved).step == 5
        run.wait_for_state("finished")


def test_what_is_written_is_of_the_step_it_was_asked_at(corpus: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    taken, norms = threading.Event(), list[float]()

    def weigh_later(contents: Contents) -> None:
        assert taken.wait(SECONDS)
        norms.append(sum(float(weight.double().pow(2).sum()) for weight in contents.weights.values()) ** 0.5)

    def look(event: Event) -> Command | None:
        if isinstance(event, Step) and event.step == 5:
            taken.set()
        return None

    when_saving(monkeypatch, weigh_later)
    session = run_to_end(small_config(corpus, eval_every=100), look)
    norm_before_step_four = session.of(Step)[3].weight_norm
    assert norms[0] == pytest.approx(norm_before_step_four, rel=1e-6)


def test_a_checkpoint_that_failed_is_tried_again(corpus: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decision_maker, "RETRY_SECONDS", 0.0)
    full = True

    def refuse_at_first(contents: Contents) -> None:
        if full:
            refuse(contents)

    def make_room(event: Event) -> Command | None:
        nonlocal full
        full = full and not (isinstance(event, Alert) and event.kind == "checkpoint")
        return None

    when_saving(monkeypatch, refuse_at_first)
    session = run_to_end(small_config(corpus, checkpoint_every=4, eval_every=100, steps=60), make_room)
    assert [alert.kind for alert in session.of(Alert)] == ["checkpoint"]
    (alert,), saved = session.of(Alert), session.of(CheckpointSaved)
    assert alert.step == 4
    assert saved[0].reason == "periodic"
    assert session.snapshot().state == "finished"


def stopped_in_vain(corpus: Path, monkeypatch: pytest.MonkeyPatch, source: str) -> ScriptedSession:
    """A run told to stop while the disk is full, which has room again as soon as the run is paused."""
    full = True
    when_saving(monkeypatch, lambda contents: refuse(contents) if full else None)

    def react(event: Event) -> Command | None:
        nonlocal full
        if isinstance(event, StateChanged) and event.state == "paused":
            full = False
            return Resume()
        return Stop(value=True, source=source) if isinstance(event, Step) and event.step == 5 else None

    return run_to_end(small_config(corpus, eval_every=4, checkpoint_every=1000), react)


def test_a_person_whose_stop_cannot_be_saved_is_asked_again(corpus: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    session = stopped_in_vain(corpus, monkeypatch, "keyboard")
    stop = next(alert for alert in session.of(Alert) if alert.kind == "stop")
    assert (stop.step, stop.severity) == (5, "error")
    assert stop.message == "Not stopped, as nothing could be saved: make room and try again."
    states = [(state.step, state.state) for state in session.of(StateChanged)]
    assert states == [(0, "running"), (5, "paused"), (5, "running"), (12, "finished")]
    assert [event.step for event in session.of(Evaluation)] == [4, 8, 12], "and nothing is given up any more"


def test_a_signal_whose_stop_cannot_be_saved_is_a_failure(corpus: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    session = stopped_in_vain(corpus, monkeypatch, "SIGTERM")
    assert session.outcome is not None
    assert session.outcome.status == 1
    assert "The last checkpoint could not be saved" in session.outcome.error
    assert session.snapshot().state == "failed"


def failing_sample(self: Generation) -> None:
    raise RuntimeError("the sampler is out of ink")


def test_a_sample_that_fails_does_not_take_the_steps_with_it(corpus: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Generation, "advance", failing_sample)
    session = run_to_end(small_config(corpus, eval_every=50, sample_every=5, checkpoint_every=50))
    assert [(event.step, event.reason) for event in session.of(CheckpointSaved)][-1] == (1, "failed")
    assert session.snapshot().reason.startswith("RuntimeError: the sampler is out of ink")


def test_of_two_errors_the_first_is_the_reason(corpus: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def failing_save(self: Saver, step: int, copy: Callable[[], Contents], reason: str) -> None:
        raise RuntimeError("the disk is on fire")

    monkeypatch.setattr(Generation, "advance", failing_sample)
    monkeypatch.setattr(Saver, "save", failing_save)
    session = run_to_end(small_config(corpus, eval_every=50, sample_every=5, checkpoint_every=50))
    assert session.snapshot().reason.startswith("RuntimeError: the sampler is out of ink")
    assert "The last steps could not be saved: the disk is on fire." in [each.message for each in session.of(Alert)]
