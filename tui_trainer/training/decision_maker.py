"""What a training loop does next: decided once a step, by the one object that looks at the clock and at the queue.

`DecisionMaker.decide` is called once a step, and its answer says all that the step and what follows it do, but for
another length of the run (below). Three other methods look again: `decide_during_work` between two parts of an
evaluation, `interrupted` at every micro-batch and every part of a probe, `begin_save` while a checkpoint waits for a
sample. None of them changes what a step computes: a step is taken whole or not at all.

One decision about the run is made from measured seconds elsewhere: `planning.replan` times the first steps of a run
with `--minutes`. They say when the length is to be checked, which a Decision tells, and what it then becomes, which is
not in a Decision but in the run's configuration, once it is stored there.

Elsewhere time is measured, and the device asked, for what is no decision about the run:
- slices of time and how often an unfinished sample is shown (`probes`): only how soon a sample or an answer is there
  depends on them, as both are of weights that were copied;
- how long a step took, and whether its numbers have arrived from the device (`step.stepper`), which on an accelerator
  is found out up to two steps later. What follows from the numbers, a rollback, undoes these steps too;
- how long a quick evaluation took (`probes`), which is given to `note_quick_evaluation`: here the next one is decided;
- the queue before there is a loop and after it has failed (`preparation`, `local`), where nothing but a stop counts.
"""

import time
from collections.abc import Callable, Iterable
from typing import Final

from tui_trainer.run.commands import Command
from tui_trainer.run.events import PERIODIC
from tui_trainer.sessions.requests import OpenRequest
from tui_trainer.training.command_queue import CommandQueue
from tui_trainer.training.decision import Decision
from tui_trainer.training.planning.timetable import Timetable

RESOURCES_SECONDS: Final = 2.0

CHECKPOINT_SECONDS: Final = 600.0
"""Time after which a checkpoint is saved however few steps were taken."""

RETRY_SECONDS: Final = 30.0
"""When a checkpoint that could not be saved is tried again."""

SAMPLE_SECONDS: Final = 1.0
"""How long a checkpoint may wait for a sample to be finished."""


QUICK_SHARE: Final = 0.02
"""Part of the time that quick evaluations take, at most."""

QUICK_STEPS: Final = 2 / 3
"""How many steps one is taken to cost before the first has been timed."""


class DecisionMaker:
    """The loop's only source of what time it is, and of what has arrived. Used by the trainer's thread alone."""

    def __init__(
        self,
        command_queue: CommandQueue,
        timetable: Timetable,
        save_refused: Callable[[], bool],
        length_check_due: Callable[[], bool],
    ) -> None:
        """`save_refused` returns whether the last checkpoint could not be saved."""
        self._command_queue, self._timetable = command_queue, timetable
        self._save_refused, self._length_check_due = save_refused, length_check_due
        self._saved_at = time.monotonic()
        self._resources_at = 0.0
        self._first_step: int | None = None
        """The first one that was decided on."""
        self._quick_waits = False
        """Whether a quick evaluation is due."""
        self._quick_seconds: float | None = None
        """What the last one took; None before the first."""
        self._quick_at = 0.0

    def decide(self, step: int, wait: bool) -> Decision:
        """What to do now, or with step number `step` (from 1); `wait` for a command where there is nothing to do."""
        check_length = self._length_check_due()
        if asked := tuple(self._command_queue.take(wait and not check_length)):
            return _decision_on(asked)
        evaluate = self._timetable.evaluation_due(step)
        return Decision(
            check_length=check_length,
            evaluate=evaluate,
            evaluate_quickly=self._quick_evaluation_due(step, evaluate),
            save=PERIODIC if self._save_due(step) else "",
            sample=self._timetable.sample_due(step),
            publish_resources=time.monotonic() - self._resources_at > RESOURCES_SECONDS,
        )

    def decide_during_work(self) -> Decision:
        """Between two parts of long work: whether to stop it, or else the commands and requests that have arrived."""
        return Decision(stop=True) if self.interrupted() else _decision_on(tuple(self._command_queue.take()))

    def decide_overdue(self, step: int, evaluated: bool) -> Decision:
        """What is due by the number of the step that was taken last; `evaluated` if it has been evaluated."""
        return Decision(
            evaluate=self._timetable.evaluation_due(step) and not evaluated, sample=self._timetable.sample_due(step)
        )

    def interrupted(self, by_any: bool = False) -> bool:
        """Whether a stop has been asked for, or anything `by_any`: then long work is left for the next decision."""
        return self._command_queue.pending if by_any else self._command_queue.stopping

    def cancel_stop(self) -> None:
        """Forget the stop that was applied, as nothing could be saved: it must not interrupt what follows."""
        self._command_queue.cancel_stop()

    def begin_save(self) -> Callable[[], bool]:
        """A checkpoint is being saved: count the time to the next one from here.

        Returns a function that tells whether it has waited long enough for samples to be finished.
        """
        self._saved_at = now = time.monotonic()
        return lambda: time.monotonic() >= now + SAMPLE_SECONDS

    def note_resources(self) -> None:
        """They are published: as decided, if the step was taken that this was decided for."""
        self._resources_at = time.monotonic()

    def note_quick_evaluation(self, seconds: float) -> None:
        """One has been made, and took so long."""
        self._quick_waits, self._quick_seconds, self._quick_at = False, seconds, time.monotonic()

    def _quick_evaluation_due(self, step: int, evaluate: bool) -> bool:
        """Whether one has been due since a step that all was evaluated at, and not too much of the time goes to it.

        It is taken to cost what the last one did.
        """
        if self._first_step is None:
            self._first_step = step
        self._quick_waits = not evaluate and (self._quick_waits or self._timetable.quick_evaluation_due(step))
        if self._quick_seconds is None:
            cost, since = QUICK_STEPS, float(step - self._first_step + 1)
        else:
            cost, since = self._quick_seconds, time.monotonic() - self._quick_at
        return self._quick_waits and cost <= QUICK_SHARE * since

    def _save_due(self, step: int) -> bool:
        waited = time.monotonic() - self._saved_at
        retry = waited > RETRY_SECONDS and self._save_refused()
        return self._timetable.checkpoint_due(step) or waited > CHECKPOINT_SECONDS or retry


def _decision_on(asked: Iterable[Command | OpenRequest]) -> Decision:
    commands, requests = list[Command](), list[OpenRequest]()
    for each in asked:
        if isinstance(each, OpenRequest):
            requests.append(each)
        else:
            commands.append(each)
    return Decision(tuple(commands), tuple(requests))
