"""A run in a line: what can be read from its files at once, however long it is."""

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Final

from tui_trainer.config import LARGEST
from tui_trainer.run import journal
from tui_trainer.run.directory import RunDirectory
from tui_trainer.run.events import ENDED, Evaluation, Event, RunStarted, StateChanged
from tui_trainer.run.finding import last_change
from tui_trainer.run.formats import NewerFormatError, check_checkpoint_format
from tui_trainer.run.lock import is_locked
from tui_trainer.run.pointers import CHECKPOINTS, LATEST, MAX_TRAINER_BYTES, TRAINER_FILE, pointed
from tui_trainer.run.text import human_seconds, visible_line
from tui_trainer.sessions.presence import Presence, presence
from tui_trainer.state.pace import TimeLeft
from tui_trainer.state.run_state import RunState
from tui_trainer.state.snapshot import Snapshot

RATE_STEPS: Final = 200
"""How many of the last steps the time left is computed from."""

CLOCK_ERROR_SECONDS: Final = 60.0
"""By how much the clocks of two computers that share a disk may differ."""


@dataclass(frozen=True)
class Overview:
    """Losses in nats per token.

    `state` and `step` are as the trainer says, or as the events have them where it does not answer; the state may also
    be `dead` for a run whose process vanished, `suspended` for one whose process is stopped, or, in a list of runs,
    `unreadable` for one of which only the name, the path, `changed`, `live` and `pid` are known.
    """

    name: str
    path: str
    state: str
    step: int
    steps: int
    loss: float | None
    val_loss: float | None
    best_val_loss: float | None
    best_step: int
    time_left: TimeLeft | None
    changed: float
    """Unix seconds of the last event, or of the last change of the journal where the event has no time."""
    live: bool = False
    """Whether a trainer holds the run; only then are the following known."""
    pid: int | None = None
    memory_bytes: int | None = None
    device_memory_bytes: int | None = None
    attended: bool | None = None
    """Whether a viewer is attached; None if the trainer does not answer."""
    unattended_since: float | None = None
    """Unix seconds."""
    error: str = ""
    """Why an unreadable run cannot be read, in a sentence."""

    @property
    def age(self) -> float | None:
        """Seconds since anything happened; None if that is in the future, as the clock was set back."""
        age = time.time() - self.changed
        return max(0.0, age) if age > -CLOCK_ERROR_SECONDS else None

    @property
    def last_sign(self) -> str:
        """The age in words."""
        return "in the future: the clock was set back" if self.age is None else f"{human_seconds(self.age)} ago"

    @property
    def progress(self) -> str:
        """How many steps are taken, of how many; that is not known before the first."""
        return f"{self.step:,}/{self.steps:,}" if self.steps > 0 else f"{self.step:,}"

    def line(self) -> str:
        """One line for `status`."""
        parts = [visible_line(self.name), self.state, f"step {self.progress}"]
        if self.steps > 0:
            parts[-1] += f" ({100 * self.step // self.steps} %)"
        if self.loss is not None:
            parts.append(f"loss {self.loss:.4f}")
        if self.val_loss is not None:
            parts.append(f"validation {self.val_loss:.4f}")
        if self.best_val_loss is not None:
            parts.append(f"best {self.best_val_loss:.4f} at step {self.best_step:,}")
        if self.time_left is not None:
            parts.append(f"{self.time_left} left")
        if self.pid is not None:
            parts.append(f"pid {self.pid}")
        if self.unattended_since is not None:
            parts.append(f"unattended for {human_seconds(time.time() - self.unattended_since)}")
        return "  ".join([*parts, f"last sign {self.last_sign}"])

    def json(self) -> str:
        """In ASCII: what would be invisible on a terminal, or change what is shown there, is escaped."""
        values = asdict(self)
        left: dict[str, float] = values.pop("time_left") or {}
        told = {f"{name}_left": left.get(name) for name in ("seconds", "least", "most")}
        return json.dumps({**values, **told, "age": self.age and round(self.age, 3)})


def overview(run: RunDirectory) -> Overview:
    """Raises InputError for a run whose configuration cannot be read, or which a newer version has written."""
    folded = _folded(events := _last_events(run))
    live, saved = is_locked(run), saved_progress(run)
    shown = folded.snapshot() if live else _with_saved(folded.snapshot(), saved)
    process = presence(run) if live else Presence()
    greeting, resources = process.greeting, shown.resources
    best_loss, best_step = _best(shown.best_evaluation, saved)
    step = greeting.step if greeting else shown.last_step.step if shown.last_step else int(saved.get("step", 0))
    state = greeting.state if greeting else _state(live, process.suspended, shown.state)
    steps = shown.schedule.steps if shown.schedule else _configured_steps(run)
    return Overview(
        name=run.name,
        path=str(run.path),
        state=state,
        step=step,
        steps=steps,
        loss=shown.last_step.loss if shown.last_step else None,
        val_loss=shown.last_evaluation.val_loss if shown.last_evaluation else None,
        best_val_loss=best_loss,
        best_step=best_step,
        time_left=folded.clock.left(steps - shown.step) if state == "running" else None,
        changed=(events[-1].time if events else 0) or last_change(run),
        live=live,
        pid=process.pid,
        memory_bytes=process.memory_bytes,
        device_memory_bytes=resources.device_memory_bytes if live and resources else None,
        attended=process.attended,
        unattended_since=greeting.unattended_since if greeting else None,
    )


def _with_saved(shown: Snapshot, saved: Mapping[str, float]) -> Snapshot:
    """What is shown of a run that nobody trains, corrected by its checkpoint where the journal lacks the end."""
    step, changes = int(saved.get("step", 0)), dict[str, Any]()
    if step > shown.step:
        changes = {"last_step": None, "step": step}
        if shown.schedule is not None and saved.get("planned_steps"):
            changes["schedule"] = replace(shown.schedule, steps=int(saved["planned_steps"]))
    taken_up = shown.run is not None and shown.run.step == step
    if saved.get("finished") and step >= shown.step and not taken_up and (changes or shown.state not in ENDED):
        changes["state"] = "finished"
    return shown.changed(changes)


def _configured_steps(run: RunDirectory) -> int:
    """How many steps the configuration asks for; 0 where it leaves that open, or a run of another tool has none."""
    return (run.read_config().schedule.steps if run.config.exists() else None) or 0


def _best(shown: Evaluation | None, saved: Mapping[str, float]) -> tuple[float | None, int]:
    """The least validation loss and its step: of the last events, or of those before, as the checkpoint has it."""
    found = [(saved["best_loss"], int(saved.get("best_step", 0)))] if "best_loss" in saved else []
    if shown is not None and shown.val_loss is not None:
        found.append((shown.val_loss, shown.step))
    return min(found, default=(None, 0))


def _last_events(run: RunDirectory) -> Sequence[Event]:
    try:
        with run.open() as folder:
            next(journal.read(folder, journal.BLOCK), None)  # raises NewerFormatError
            return list(journal.valid_events(journal.tail(folder, steps=RATE_STEPS)))
    except OSError:
        return []


def _folded(events: Sequence[Event]) -> RunState:
    """The last events of a run, applied to a state as the screen shows it.

    A state that lies too far back is `running`: in any other there are no steps to hide it.
    """
    folded = RunState()
    if events and not any(isinstance(event, RunStarted) for event in events):
        folded.apply(StateChanged(time=events[0].time, state="running"))
    for event in filter(folded.is_possible, events):
        folded.apply(event)
    return folded


def _state(live: bool, suspended: bool, recorded: str) -> str:
    """For a run whose trainer does not say: as its events have it, and what can be seen of the process."""
    if live:
        if suspended:
            return "suspended"
        return "loading" if recorded in ("stopped", "failed") else recorded
    return recorded if recorded in ENDED else "dead"


def saved_progress(run: RunDirectory) -> dict[str, float]:
    """The numbers of the progress in the newest checkpoint; raises NewerFormatError."""
    try:
        with run.open() as folder, folder.folder(CHECKPOINTS) as checkpoints:
            if (newest := pointed(checkpoints, LATEST)) is None:
                return {}
            with checkpoints.folder(newest.name) as checkpoint:
                record = dict(json.loads(checkpoint.read(TRAINER_FILE, MAX_TRAINER_BYTES)))
        check_checkpoint_format(record.get("format", 1))
    except NewerFormatError:
        raise
    except (OSError, ValueError, TypeError, RecursionError):
        return {}
    return {key: value for key, value in record.items() if isinstance(value, int | float) and abs(value) < LARGEST}
