"""The header: the run's name, corpus and model, its state, progress and time left."""

from textual.content import Content
from textual.reactive import reactive
from textual.widget import Widget

from tui_trainer.run.events import TRAINING
from tui_trainer.run.text import human_count, visible_line
from tui_trainer.state.snapshot import Snapshot
from tui_trainer.ui.pending_commands import PendingCommands
from tui_trainer.ui.text_fit import Part, bar, fit, join, part, row_width, shorten

STATE_STYLES = {
    "loading": "$text-accent",
    "running": "$text-success",
    "paused": "$text-warning",
    "finished": "$text-success",
    "stopped": "$text-warning",
    "failed": "$text-error",
}

TRANSITIONS = {"paused": "pausing", "running": "resuming"}
"""By the state that was requested: the word shown until it is reached."""

LONGEST_STATE = 8
ALIGNED_FROM = 58
"""Columns from which the state is padded, so that what follows it does not move when it changes."""


class Header(Widget):
    """Identity and progress on one line; on two where the main screen has set that height."""

    ALLOW_SELECT = False
    content: reactive[tuple[Snapshot, PendingCommands]] = reactive((Snapshot(), PendingCommands()), always_update=True)

    def __init__(self, title: str) -> None:
        super().__init__(id="header")
        self._title = title

    def show(self, snapshot: Snapshot, pending: PendingCommands) -> None:
        self.content = (snapshot, pending)

    def render(self) -> Content:
        snapshot, pending = self.content
        width = self.size.width - 2
        name, state = identity(snapshot, self._title), progress(snapshot, pending, aligned=width >= ALIGNED_FROM)
        if self.size.height >= 2:
            return Content("\n").join([_padded(fit(name, width)), _padded(fit(state, width))])
        kept = fit([*name, *state], width)
        right = [item for item in kept if item in state]
        left = [item for item in kept if item not in state]
        space = " " * (width - row_width(left) - row_width(right)) if left else ""
        return Content.assemble(" ", join(left), space, join(right))


def _padded(parts: list[Part]) -> Content:
    return Content.assemble(" ", join(parts))


def identity(snapshot: Snapshot, title: str) -> list[Part]:
    run = snapshot.run
    parts = [part("tui-trainer", "bold $text-primary", 2), part(shorten(run.run if run else title, 32), "bold", 6)]
    if run:
        corpus = run.source.corpus if run.source.corpus != run.run else ""
        parts.append(part(shorten(corpus, 24), "$foreground-muted", 0))
        size, machine = run.model.parameters, f"{run.machine.device} {run.machine.precision}".strip()
        parts.append(part(f"{human_count(size)} params" if size else "", "$foreground-muted", 3))
        parts.append(part(visible_line(machine), "$foreground-muted", 1))
    return [each for each in parts if each.content.plain]


def progress(snapshot: Snapshot, pending: PendingCommands, aligned: bool) -> list[Part]:
    changing = TRANSITIONS.get(pending.state or "")
    shown = "playing" if snapshot.playing_speed and snapshot.state == "running" else snapshot.state
    word, weight = (changing, "italic") if changing else (shown.upper(), "bold")
    state = part(word.ljust(LONGEST_STATE if aligned else 0), f"{weight} {STATE_STYLES[snapshot.state]}", 10)
    if snapshot.state == "loading":
        return [state, *_loading(snapshot)]
    return [state, *_training(snapshot)]


def _loading(snapshot: Snapshot) -> list[Part]:
    stage = snapshot.stage
    if stage is None:
        return [part("starting", priority=9)]
    parts = [part(shorten(stage.stage, 30), priority=9)]
    if stage.total:
        parts.append(Part(bar(stage.done / stage.total, 14), 4))
        parts.append(part(f"{100 * stage.done // stage.total:3} %", priority=8))
    return parts


def _training(snapshot: Snapshot) -> list[Part]:
    steps = snapshot.run.plan.steps if snapshot.run else 0
    total = f"{steps:,}"
    parts = [part(f"step {snapshot.step:>{len(total)},}/{total}" if steps else f"step {snapshot.step:,}", priority=9)]
    if steps:
        parts.append(Part(bar(snapshot.step / steps, 14), 4))
        parts.append(part(f"{100 * snapshot.step // steps:3} %", priority=7))
    if snapshot.playing_speed:
        parts.append(part(f"at {snapshot.playing_speed:g}×", priority=8))
    elif snapshot.activity:
        parts.append(part(f"{shorten(snapshot.activity, 16)}…", priority=8))
    elif snapshot.state in TRAINING and snapshot.time_left is not None:
        parts.append(part(f"{snapshot.time_left!s:>6} left", priority=8))
    return parts
