"""What a training loop does next: decided once a step, by the one object that looks at the clock and at the queue."""

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final

from tui_trainer.run.commands import Command
from tui_trainer.sessions.requests import OpenRequest
from tui_trainer.training.command_queue import CommandQueue
from tui_trainer.training.planning.timetable import Timetable

RESOURCES_SECONDS: Final = 2.0

CHECKPOINT_SECONDS: Final = 600.0
"""Time after which a checkpoint is saved however few steps were taken."""

RETRY_SECONDS: Final = 30.0
"""When a checkpoint that could not be saved is tried again."""

PERIODIC: Final = "periodic"


@dataclass(frozen=True)
class Decision:
    """Either the commands and requests that have arrived, or else what to do with the next step and after it."""

    commands: tuple[Command, ...] = ()
    requests: tuple[OpenRequest, ...] = ()
    stop: bool = False
    """Whether a stop has been asked for, so that long work is to be interrupted."""
    check_length: bool = False
    """Whether the run may need another length, which comes before the step."""
    evaluate: bool = False
    save: str = ""
    """Why to save a checkpoint; empty when none is due."""
    sample: bool = False
    publish_resources: bool = False


class DecisionMaker:
    """Used by the trainer's thread alone: nothing else in the loop asks what time it is, or what has arrived."""

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

    def decide(self, step: int, wait: bool) -> Decision:
        """What to do now, or with step number `step` (from 1); `wait` for a command where there is nothing to do."""
        check_length = self._length_check_due()
        if asked := tuple(self._command_queue.take(wait and not check_length)):
            return _decision_on(asked)
        return Decision(
            check_length=check_length,
            evaluate=self._timetable.evaluation_due(step),
            save=PERIODIC if self._save_due(step) else "",
            sample=self._timetable.sample_due(step),
            publish_resources=time.monotonic() - self._resources_at > RESOURCES_SECONDS,
        )

    def decide_during_work(self) -> Decision:
        """Between two parts of long work: whether to stop it, or else the commands and requests that have arrived."""
        return Decision(stop=True) if self.stopping else _decision_on(tuple(self._command_queue.take()))

    @property
    def stopping(self) -> bool:
        """Whether a stop has been asked for."""
        return self._command_queue.stopping

    @property
    def pending(self) -> bool:
        """Whether something has arrived that the next decision is about."""
        return self._command_queue.pending

    def cancel_stop(self) -> None:
        """Forget the stop, as nothing could be saved: it must not interrupt what follows."""
        self._command_queue.cancel_stop()

    def on_save(self) -> None:
        """A checkpoint is being saved: count the time to the next one from here."""
        self._saved_at = time.monotonic()

    def note_resources(self) -> None:
        """They are published: as decided, if the step was taken that this was decided for."""
        self._resources_at = time.monotonic()

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
