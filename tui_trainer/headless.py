"""Headless: prints a session's events as lines on standard output."""

import math
import queue
import sys
import time
from collections.abc import Callable
from typing import Final, TextIO

from tui_trainer.run.commands import Stop
from tui_trainer.run.events import (
    ENDED,
    WHOLE,
    Alert,
    CheckpointSaved,
    CommandApplied,
    Evaluation,
    Event,
    RunStarted,
    Sample,
    ScheduleChanged,
    Stage,
    StateChanged,
    Step,
)
from tui_trainer.run.printing import say
from tui_trainer.run.text import human_bytes, human_count, visible, visible_line
from tui_trainer.sessions.base import Session
from tui_trainer.state.samples import MODELS

STEP_LINE_SECONDS: Final = 5.0
"""Least seconds between two lines about steps, or about one stage."""

LOOK_SECONDS: Final = 0.1
"""Seconds between two polls of the queue of events."""


class Headless:
    """Prints a session's events until it ends."""

    def __init__(
        self,
        session: Session,
        out: TextIO | None = None,
        clock: Callable[[], float] = time.monotonic,
        started: Callable[[], None] = lambda: None,
    ) -> None:
        """`started` is called when the run has begun and has a directory, before a line about it is printed."""
        self._session = session
        self._started = started
        self._events = session.subscribe()
        self._out = out or sys.stdout
        self._clock = clock
        self._ended = False
        self._steps = 0
        self._step_line_at = -math.inf
        self._stage, self._stage_line_at = "", -math.inf

    def run(self) -> None:
        """Print until the session ends; it may have started before."""
        self._session.start()
        now = self._session.snapshot()
        if now.run is not None:
            self._steps = now.run.plan.steps
            self._started()
        self._stop_if_ended(now.state)
        while self._session.alive or not self._events.empty():
            self._print_next()

    def _print_next(self) -> None:
        try:
            event = self._events.get_nowait()
        except queue.Empty:
            # Not a `get` with a timeout: in Python 3.11 it waits for ever if a signal's handler takes longer than that.
            time.sleep(LOOK_SECONDS)
            return
        if (line := self._line(event)) is not None:
            say(line, self._out)
        if isinstance(event, StateChanged):
            self._stop_if_ended(event.state)

    def _stop_if_ended(self, state: str) -> None:
        """Stop the session once its run has ended, as without a screen it gets no more commands."""
        if state in ENDED and not self._ended:
            self._ended = True
            self._session.send(Stop(value=False, source="headless"))

    def _line(self, event: Event) -> str | None:
        """The line for an event, None for one that is not printed; some depend on the time or on earlier events."""
        match event:
            case Stage():
                return self._stage_line(event)
            case RunStarted():
                self._steps = event.plan.steps
                self._started()
                chosen = [visible_line(f"  {name}: {why}") for name, why in event.reasons.items()]
                return "\n".join([_introduction(event), *chosen])
            case ScheduleChanged():
                self._steps = event.steps
            case Step():
                return self._step_line(event)
        text = _description(event)
        return f"step {event.step:>7,}  {text}" if text else None

    def _stage_line(self, event: Stage) -> str | None:
        now = self._clock()
        if event.stage != self._stage:
            self._stage, self._stage_line_at = event.stage, now
            return visible_line(event.stage)
        if not event.total or now - self._stage_line_at < STEP_LINE_SECONDS:
            return None
        self._stage_line_at = now
        rate = human_bytes(round(event.done / max(event.seconds, 1e-9)))
        share = 100 * event.done // event.total
        return f"{visible_line(event.stage)}  {share} % of {human_bytes(event.total)}  {rate}/s"

    def _step_line(self, event: Step) -> str | None:
        now = self._clock()
        if event.step < self._steps and now - self._step_line_at < STEP_LINE_SECONDS:
            return None
        self._step_line_at = now
        left = self._session.snapshot().time_left
        parts = [
            f"step {event.step:>7,}" + (f"/{self._steps:,}" if self._steps else ""),
            "loss not finite" if event.loss is None else f"loss {event.loss:.4f}",
            "" if event.lr is None else f"lr {event.lr:.2e}",
            "" if event.tokens_per_second is None else f"{human_count(event.tokens_per_second)} tok/s",
            f"{left} left" if left and left.seconds else "",
        ]
        return "  ".join(filter(None, parts))


def _description(event: Event) -> str:
    """What is printed after an event's step; empty for one that is not printed."""
    match event:
        case Evaluation(val_loss=float() as loss, perplexity=float() as value) if event.part == WHOLE:
            return f"validation loss {loss:.4f}  perplexity {value:.2f}{'  best' * event.best}"
        case Sample():
            lines = visible(event.prompt + event.text).strip().splitlines()
            model = f" ({MODELS[event.model]})" if event.model in MODELS else ""
            return "\n    ".join([f"sample{model} at temperature {event.temperature:.2f}", *lines])
        case CheckpointSaved():
            return visible_line(f"checkpoint {event.path} ({event.reason})")
        case CommandApplied(name=Stop.name, value=True):
            return f"stopping, as {visible_line(event.source)} asked: saving a checkpoint first"
        case StateChanged() if event.state != "running":
            return visible_line(event.state + (f": {event.reason}" if event.reason else ""))
        case Alert():
            return visible_line(f"{event.severity}: {event.message}")
    return ""


def _introduction(run: RunStarted) -> str:
    """The line about a run that begins; another tool's run may have no more than a name."""
    model, source, machine, plan = run.model, run.source, run.machine, run.plan
    shape = f"{model.preset}, {model.layers} layers of {model.width}"
    parts = [
        f"{human_count(model.parameters)} parameters ({shape})" if model.parameters else "",
        f"{source.tokenizer} tokenizer of {model.vocab_size}" if source.tokenizer else "",
        f"{human_count(source.train_tokens)} training tokens" if source.train_tokens else "",
        f"{machine.device} {machine.precision}".strip(),
        plan.optimizer,
        f"{plan.steps:,} steps from step {run.step:,}" if plan.steps else f"from step {run.step:,}",
    ]
    return visible_line(f"run {run.run}: {', '.join(filter(None, parts))}")
