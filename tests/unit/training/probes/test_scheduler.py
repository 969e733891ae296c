"""Probes share the time between steps."""

from collections.abc import Iterator

import pytest

from tests.unit.training.helpers import small_model, small_stepper, take
from tui_trainer.run.requests import Refused, Request, SampleRequest
from tui_trainer.sessions.requests import OpenRequest
from tui_trainer.training.decision import Decision
from tui_trainer.training.probes import scheduler as module
from tui_trainer.training.probes.scheduler import NO_ANSWER, ProbeScheduler
from tui_trainer.training.probes.source import Interrupted, Probe, ProbeSource
from tui_trainer.training.step.stepper import StepResult


def always() -> bool:
    return True


def never() -> bool:
    return False


def probe(log: list[str], name: str, parts: int) -> Probe:
    for part in range(parts):
        log.append(f"{name}{part}")
        yield


class Clock:
    """Seconds that pass by one each time they are asked for."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 0.0
        monkeypatch.setattr(module.time, "perf_counter", self._tell)

    def _tell(self) -> float:
        self.now += 1.0
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Iterator[Clock]:
    with monkeypatch.context() as patches:
        yield Clock(patches)


def test_they_take_turns(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "SLICE_SECONDS", 4.0)
    probes, log = ProbeScheduler(), list[str]()
    probes.add(probe(log, "a", 2))
    probes.add(probe(log, "b", 5))
    probes.share(never)
    assert log == ["a0", "b0", "a1", "b1"], "the end of one takes a turn too"
    probes.share(never)
    assert log[4:] == ["b2", "b3", "b4"]
    assert not probes.busy


def test_one_part_is_done_however_short_the_time(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "SLICE_SECONDS", 0.0)
    probes, log = ProbeScheduler(), list[str]()
    probes.add(probe(log, "a", 3))
    probes.share(never)
    assert log == ["a0"]


def test_what_arrives_ends_a_slice() -> None:
    probes, log = ProbeScheduler(), list[str]()
    probes.add(probe(log, "a", 3))
    probes.share(always)
    probes.share(always)
    assert log == ["a0", "a1"]


def test_long_steps_leave_more_time(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "SHARE", 5.0)
    probes, log = ProbeScheduler(), list[str]()
    result = take(small_stepper(small_model()))
    assert result.seconds >= 1, "by this clock"
    probes.on_step(result)
    probes.add(probe(log, "a", 100))
    probes.share(never)
    assert len(log) >= 5


def test_a_probe_is_carried_to_its_end_alone() -> None:
    probes, log = ProbeScheduler(), list[str]()
    mine = probe(log, "a", 3)
    probes.add(mine)
    probes.add(probe(log, "b", 1))
    assert probes.run(mine, never)
    assert log == ["a0", "a1", "a2"]
    probes.share(never)
    assert log[3:] == ["b0"]


def test_it_can_be_interrupted_and_carried_on() -> None:
    probes, log = ProbeScheduler(), list[str]()
    mine, answers = probe(log, "a", 3), iter([False, True])
    assert not probes.run(mine, lambda: next(answers))
    assert log == ["a0"]
    assert probes.run(mine, never)
    assert log == ["a0", "a1", "a2"]


def test_others_get_on_between_the_parts_of_an_exclusive_one(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "SLICE_SECONDS", 0.0)
    probes, log = ProbeScheduler(), list[str]()
    probes.add(probe(log, "a", 9))
    probes.run_exclusive(probe(log, "whole", 3), never, never)
    assert log == ["whole0", "a0", "whole1", "a1", "whole2", "a2"]
    assert probes.busy


def test_an_exclusive_one_that_is_interrupted_is_closed() -> None:
    log, answers = list[str](), iter([False, True])

    def closing() -> Probe:
        try:
            yield from probe(log, "whole", 3)
        finally:
            log.append("closed")

    ProbeScheduler().run_exclusive(closing(), lambda: next(answers), never)
    assert log == ["whole0", "closed"]


class Lens(ProbeSource):
    """A source that writes down what it is asked for."""

    def __init__(self, log: list[str], kinds: tuple[type[Request], ...] = ()) -> None:
        self.log, self._kinds = log, kinds

    def exclusive(self, decision: Decision) -> Probe | None:
        return probe(self.log, "whole", 1) if decision.evaluate else None

    def start_due(self, decision: Decision, interrupted: Interrupted) -> None:
        self.log.append(f"due {decision.sample}")

    def answer(self, opened: OpenRequest) -> bool:
        return type(opened.request) in self._kinds

    def drop(self) -> None:
        self.log.append("dropped")


def test_a_source_that_is_registered_is_told_what_is_due() -> None:
    probes, log = ProbeScheduler(), list[str]()
    probes.register(ProbeSource(), Lens(log))
    assert not list(probes.exclusive(Decision(sample=True)))
    assert len(list(probes.exclusive(Decision(evaluate=True)))) == 1
    probes.start_due(Decision(sample=True), never)
    probes.drop()
    assert log == ["due True", "dropped"]


def test_a_request_goes_to_the_source_that_answers_its_kind() -> None:
    probes, opened = ProbeScheduler(), OpenRequest(SampleRequest("1", "The"))
    probes.register(ProbeSource(), Lens([], (SampleRequest,)))
    probes.add_request(opened)
    assert not opened.reply.done(), "left to the source"


def test_a_request_that_no_source_answers_is_refused() -> None:
    probes, opened = ProbeScheduler(), OpenRequest(SampleRequest("1", "The"))
    probes.register(Lens([]))
    probes.add_request(opened)
    assert opened.reply.result(0) == Refused("1", NO_ANSWER)


def test_a_probe_that_fails_is_dropped() -> None:
    def failing() -> Probe:
        yield
        raise RuntimeError("the probe broke")

    probes = ProbeScheduler()
    probes.add(failing())
    with pytest.raises(RuntimeError, match="the probe broke"):
        probes.share(never)
    assert not probes.busy


class Work:
    """Seconds that pass only while one works."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 0.0
        monkeypatch.setattr(module.time, "perf_counter", lambda: self.now)

    def probe(self, seconds: float, spent: list[float]) -> Probe:
        """Without an end; each of its parts takes so many seconds."""
        while True:
            self.now += seconds
            spent.append(seconds)
            yield


@pytest.fixture
def work(monkeypatch: pytest.MonkeyPatch) -> Iterator[Work]:
    with monkeypatch.context() as patches:
        yield Work(patches)


def after_steps(probes: ProbeScheduler, number: int, seconds: float) -> None:
    for _ in range(number):
        probes.on_step(StepResult(1, 0.0, 0.0, 0.0, 0.0, seconds))
        probes.share(never, stepping=True)


@pytest.mark.parametrize("step_seconds", [0.005, 0.05, 10.0])
@pytest.mark.parametrize("part_seconds", [0.001, 0.02, 0.3])
def test_those_with_a_budget_keep_to_it_over_many_steps(work: Work, step_seconds: float, part_seconds: float) -> None:
    probes, spent = ProbeScheduler(), list[float]()
    probes.add(work.probe(part_seconds, spent), budgeted=True)
    after_steps(probes, 2_000, step_seconds)
    assert spent
    assert sum(spent) == pytest.approx(2_000 * step_seconds * module.SHARE, abs=1.01 * part_seconds)


def test_those_with_a_budget_take_nothing_from_the_others(work: Work) -> None:
    probes, sample, request = ProbeScheduler(), list[float](), list[float]()
    probes.add(work.probe(0.002, request), budgeted=True)
    probes.add(work.probe(0.002, sample))
    after_steps(probes, 100, 0.05)
    assert sum(sample) >= 100 * module.SLICE_SECONDS
    assert sum(request) == pytest.approx(100 * 0.05 * module.SHARE, abs=1.01 * 0.002)


def test_no_budget_is_saved_up_for_hours(work: Work) -> None:
    probes, spent = ProbeScheduler(), list[float]()
    after_steps(probes, 10_000, 0.05)
    probes.add(work.probe(0.002, spent), budgeted=True)
    after_steps(probes, 1, 0.05)
    assert sum(spent) <= module.SLICE_SECONDS + 2 * 0.002


def test_while_no_steps_are_taken_there_is_no_budget(work: Work) -> None:
    probes, spent = ProbeScheduler(), list[float]()
    probes.add(work.probe(0.002, spent), budgeted=True)
    for _ in range(100):
        probes.share(never)
    assert sum(spent) >= 100 * module.SLICE_SECONDS
