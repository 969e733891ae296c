"""What is decided once a step: by what has arrived, by the step's number, by the clock."""

import pytest

from tui_trainer.config import Config
from tui_trainer.run.commands import Pause, Stop
from tui_trainer.run.events import PERIODIC
from tui_trainer.run.requests import SampleRequest
from tui_trainer.sessions.requests import OpenRequest
from tui_trainer.training import decision_maker as module
from tui_trainer.training.command_queue import CommandQueue
from tui_trainer.training.decision import Decision
from tui_trainer.training.decision_maker import DecisionMaker
from tui_trainer.training.planning.timetable import Timetable


class Maker(DecisionMaker):
    """One at a time that stands still, unless told."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.queue, self.now = CommandQueue(), 1000.0
        self.refused = self.check_due = False
        monkeypatch.setattr(module.time, "monotonic", lambda: self.now)
        config = Config().update(steps=100, eval_every=10, checkpoint_every=25, sample_every=50)
        super().__init__(self.queue, Timetable(config), lambda: self.refused, lambda: self.check_due)
        assert self.decide(1, wait=False).publish_resources
        self.note_resources()

    def at(self, step: int) -> Decision:
        return self.decide(step, wait=False)


@pytest.fixture
def maker(monkeypatch: pytest.MonkeyPatch) -> Maker:
    with monkeypatch.context() as patches:
        return Maker(patches)


@pytest.fixture(autouse=True)
def still(monkeypatch: pytest.MonkeyPatch, maker: Maker) -> None:
    monkeypatch.setattr(module.time, "monotonic", lambda: maker.now)


def test_most_steps_have_nothing_due(maker: Maker) -> None:
    assert maker.at(7) == Decision()


def test_what_is_due_goes_by_the_steps_number(maker: Maker) -> None:
    assert maker.at(10) == Decision(evaluate=True)
    assert maker.at(25) == Decision(save=PERIODIC)
    assert maker.at(50) == Decision(evaluate=True, save=PERIODIC, sample=True)


def test_what_is_asked_comes_before_any_step(maker: Maker) -> None:
    request = OpenRequest(SampleRequest("1", "The"))
    maker.queue.put(Pause())
    maker.queue.put_request(request)
    assert maker.interrupted(by_any=True)
    assert not maker.interrupted(), "only a stop interrupts a step"
    assert maker.at(50) == Decision(commands=(Pause(),), requests=(request,))
    assert not maker.interrupted(by_any=True)
    assert maker.at(50).sample


def test_amid_work_a_stop_is_told_and_left_for_later(maker: Maker) -> None:
    maker.queue.put(Pause())
    assert maker.decide_during_work() == Decision(commands=(Pause(),))
    maker.queue.put(Stop())
    assert maker.decide_during_work() == Decision(stop=True)
    assert maker.at(7).commands == (Stop(),)


def test_a_stop_interrupts_long_work_and_other_commands_only_where_any_may(maker: Maker) -> None:
    maker.queue.put(Pause())
    assert (maker.interrupted(), maker.interrupted(by_any=True)) == (False, True)
    maker.queue.put(Stop())
    assert maker.interrupted()
    maker.cancel_stop()
    assert not maker.interrupted()


def test_a_stop_that_comes_while_another_is_refused_is_not_forgotten(maker: Maker) -> None:
    maker.queue.put(Stop())
    assert maker.at(7).commands == (Stop(),)
    maker.queue.put(Stop("SIGTERM"))
    maker.cancel_stop()
    assert maker.interrupted()
    assert maker.at(7).commands == (Stop("SIGTERM"),)


def test_what_was_left_undone_at_a_step_goes_by_its_number(maker: Maker) -> None:
    assert maker.decide_overdue(50, evaluated=False) == Decision(evaluate=True, sample=True)
    assert maker.decide_overdue(50, evaluated=True) == Decision(sample=True)


def test_a_checkpoint_waits_a_second_for_samples(maker: Maker) -> None:
    over = maker.begin_save()
    maker.now += 0.9
    assert not over()
    maker.now += 0.1
    assert over()


def test_a_long_time_without_a_checkpoint_makes_one_due(maker: Maker) -> None:
    maker.now += 601
    assert maker.at(7).save == PERIODIC
    maker.begin_save()
    assert maker.at(8).save == ""


def test_a_checkpoint_that_was_refused_is_tried_again(maker: Maker) -> None:
    maker.refused = True
    assert maker.at(7).save == ""
    maker.now += 31
    assert maker.at(8).save == PERIODIC


def test_resources_are_published_every_two_seconds(maker: Maker) -> None:
    maker.now += 2.1
    assert [maker.at(step).publish_resources for step in (7, 7)] == [True, True]  # the first was not applied
    maker.note_resources()
    assert not maker.at(8).publish_resources


def quick_steps(maker: Maker, last: int, step_seconds: float, cost: float) -> list[int]:
    """The steps from the second to `last` with a quick evaluation, each of which takes `cost` seconds."""
    made = []
    for step in range(2, last + 1):
        maker.now += step_seconds
        if maker.at(step).evaluate_quickly:
            made.append(step)
            maker.now += cost
            maker.note_quick_evaluation(cost)
    return made


def test_quick_evaluations_keep_to_their_share_of_the_time(maker: Maker, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "QUICK_SHARE", 0.02)
    assert quick_steps(maker, 100, 1.0, 0.4) == [34, 54, 74, 94], "due at every second step, but not at every tenth"


def test_one_that_would_cost_too_much_is_made_when_it_does_not(maker: Maker, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "QUICK_SHARE", 0.02)
    assert quick_steps(maker, 100, 1.0, 0.5)[:3] == [34, 59, 84]


def test_cheap_ones_come_as_often_as_they_are_due(maker: Maker, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "QUICK_SHARE", 1.0)
    assert quick_steps(maker, 12, 1.0, 0.0) == [2, 4, 6, 8, 12]


def test_a_check_of_the_length_is_not_waited_with(maker: Maker) -> None:
    maker.check_due = True
    assert maker.decide(7, wait=True).check_length
