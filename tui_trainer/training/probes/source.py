"""What a kind of probe tells the scheduler that it is registered with."""

from collections.abc import Callable, Generator

from tui_trainer.sessions.requests import OpenRequest
from tui_trainer.training.decision import Decision

Probe = Generator[None, None, None]
"""A generator that yields after at most some 20 ms of work, and finds the model changed after that."""

Interrupted = Callable[[], bool]


class ProbeSource:
    """Makes probes; a source overrides what applies to it. Used by the trainer's thread alone."""

    def exclusive(self, decision: Decision) -> Probe | None:
        """What is due with a decision, and has to be over before the next step; None for nothing.

        Such a probe finds the model unchanged after each of its parts, and these may be longer than those of others.
        """
        return None

    def start_due(self, decision: Decision, interrupted: Interrupted) -> None:
        """Add to the scheduler what is due with a decision, and may go on between the steps to come.

        May first finish what was begun before, unless interrupted.
        """

    def answer(self, opened: OpenRequest) -> bool:
        """Begin to answer a request; False for one of a kind that is not answered here."""
        return False

    def drop(self) -> None:
        """Give up what has been begun: the run has failed."""
