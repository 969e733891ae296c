"""An absence in words, for whoever comes back to a run."""

from tui_trainer.run.events import CommandApplied
from tui_trainer.run.text import counted, human_seconds
from tui_trainer.state.absence import Absence
from tui_trainer.state.pace import TimeLeft


def describe(
    absence: Absence, steps: int, time_left: TimeLeft | None, now: float, paused: bool = False
) -> list[tuple[str, str]]:
    """The absence as it looks at `now` (unix seconds): lines of a heading and what there is to say; alerts last.

    `paused` says whether the run is.
    """
    lines = [("Steps", _steps(absence, steps)), _validation(absence, now)]
    lines.append(("Saved", f"{counted(absence.checkpoints, 'checkpoint')}, {counted(absence.samples, 'sample')}"))
    if absence.resumes:
        times = counted(absence.resumes, "time") + ", the last" * (absence.resumes > 1)
        lines.append(("Taken up again", f"{times} from step {absence.resumed_from:,}"))
    if absence.ended:
        lines.append(("Ended", absence.ended))
    elif paused:
        lines.append(("Now", f"paused at step {absence.step:,}"))
    elif time_left is not None:
        lines.append(("Time left", str(time_left)))
    lines += [("Commanded", _commanded(command)) for command in absence.commands]
    if (more := absence.command_count - len(absence.commands)) > 0:
        lines.append(("And", counted(more, "older command")))
    more = absence.alert_count - len(absence.alerts)
    if not absence.alert_count:
        lines.append(("New alerts", "none"))
    lines += [(f"Step {alert.step:,}", f"{alert.severity}: {alert.message}") for alert in absence.alerts]
    return [*lines, ("And", f"{counted(more, 'older alert')}")] if more > 0 else lines


def _steps(absence: Absence, steps: int) -> str:
    """A run that was resumed from an older checkpoint may be at an earlier step than before."""
    passed, taken = human_seconds(absence.seconds), absence.step - absence.since_step
    where = f"now at {absence.step:,}" + (f" of {steps:,}" if steps else "")
    return f"{taken:,} in {passed}, {where}" if taken >= 0 else f"{where}, {passed} after step {absence.since_step:,}"


def _commanded(command: CommandApplied) -> str:
    value = command.value
    argument = f" {value:g}" if isinstance(value, float) else f" “{value}”" if isinstance(value, str) else ""
    return f"{command.name.replace('_', ' ')}{argument} at step {command.step:,}, by {command.source}"


def _validation(absence: Absence, now: float) -> tuple[str, str]:
    best = absence.best
    if best is not None and best.val_loss is not None:
        ago = human_seconds(absence.best_age + max(0.0, now - (absence.until or now)))
        return "Best validation", f"{best.val_loss:.4f} at step {best.step:,}, {ago} ago"
    if not absence.evaluations:
        return "Validation", "none meanwhile"
    return "Validation", f"no better than before, in {counted(absence.evaluations, 'evaluation')}"
