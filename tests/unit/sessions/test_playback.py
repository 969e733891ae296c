"""How far a recording is played, by the time that its run took."""

from functools import partial

import numpy as np
import pytest

from tests.unit.run.journals import write_journal
from tests.unit.sessions.watching import Watching
from tests.unit.state.folded import started, state, step
from tests.waiting import until
from tui_trainer.history.curve import EMPTY_CURVE, Curve, exact_curve
from tui_trainer.run.directory import RunDirectory
from tui_trainer.sessions import replay
from tui_trainer.sessions.playback import FASTEST, SLOWEST, WHOLE_SECONDS, Playback
from tui_trainer.sessions.replay import ReplaySession


class Clock:
    seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


def playback(clock: Clock, steps: int = 100, step_seconds: float = 0.1, playing: bool = True) -> Playback:
    every = np.arange(1.0, steps + 1)
    return Playback(exact_curve(every, every * step_seconds), steps, playing, clock)


def test_a_short_run_is_played_as_fast_as_it_was() -> None:
    clock = Clock()
    played = playback(clock)
    assert (played.step, played.speed) == (0, 1.0)
    clock.seconds = 5.05
    assert played.step == 50 and not played.at_end
    clock.seconds = 10.0
    assert played.step == 100 and played.at_end


def test_a_long_run_is_played_within_half_a_minute() -> None:
    clock = Clock()
    played = playback(clock, steps=10_000, step_seconds=60.0)
    assert np.log2(played.speed) % 1 == 0
    clock.seconds = WHOLE_SECONDS / 2 - 1
    assert not played.at_end
    clock.seconds = WHOLE_SECONDS
    assert played.at_end


def test_a_pause_stops_it_and_the_end_begins_anew() -> None:
    clock = Clock()
    played = playback(clock)
    clock.seconds = 2.0
    played.toggle()
    clock.seconds = 9.0
    assert played.step == 20 and not played.playing
    played.toggle()
    clock.seconds = 10.0
    assert played.step == 30
    clock.seconds = 100.0
    played.toggle()
    assert played.playing and played.step == 0


def test_a_change_of_speed_does_not_move_it() -> None:
    clock = Clock()
    played = playback(clock)
    clock.seconds = 2.0
    played.change_speed(1)
    assert played.step == 20
    clock.seconds = 3.0
    assert played.step == 40
    played.change_speed(-100)
    assert played.speed == SLOWEST
    played.change_speed(100)
    assert played.speed == FASTEST


@pytest.mark.parametrize("to", [0, 37, 100, 1_000])
def test_a_jump_leads_to_a_step(to: int) -> None:
    played = playback(Clock())
    version = played.version
    played.jump(to)
    assert played.step == min(to, 100) and played.at_end == (to >= 100)
    assert played.version != version


def test_one_that_is_not_played_is_at_its_end() -> None:
    played = playback(Clock(), playing=False)
    assert played.at_end
    played.toggle()
    assert played.playing and played.step == 0


@pytest.mark.parametrize("elapsed", [EMPTY_CURVE, exact_curve(np.arange(1.0, 61), np.zeros(60))])
def test_a_journal_without_times_is_played_evenly(elapsed: Curve) -> None:
    clock = Clock()
    played = Playback(elapsed, 60, True, clock)
    clock.seconds = WHOLE_SECONDS / 2
    assert played.step == 30


def test_a_recording_is_played_from_its_beginning(run: RunDirectory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(replay, "Playback", partial(Playback, now=Clock()))
    write_journal(run.path, started(), step(1), step(2), step(3), state("finished", 9.0, step=3))
    session = ReplaySession(run, played=True)
    watching = Watching(session)
    until(lambda: session.playback)
    assert session.playback is not None
    session.playback.jump(2)
    session.playback.toggle()
    shown = session.snapshot()
    assert (shown.state, shown.step) == ("paused", 2)
    assert shown.last_step is not None and shown.last_step.loss is not None
    assert session.version == shown.version
    session.playback.jump(3)
    assert session.snapshot().state == "finished"
    session.leave()
    assert watching.ends()
    assert session.snapshot().step == 3
