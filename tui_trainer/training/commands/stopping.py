"""The command to end a run."""

from tui_trainer.run import alerts
from tui_trainer.run.commands import PEOPLE, Stop
from tui_trainer.training.errors import RunFailedError
from tui_trainer.training.trainer import Trainer


def stop(trainer: Trainer, command: Stop) -> None:
    """End the run, but not when a person wanted its last steps saved, and the disk refuses.

    Raises RunFailedError when it refuses and nobody can be asked again.
    """
    parts = trainer.parts
    if parts.end.saved:
        parts.end.publish_finished()
    finished = parts.states.state == "finished"
    parts.saving.wait()
    to_save = command.value or (finished and not parts.saving.has_all)
    if to_save and not parts.saving.save_last():
        _refuse(trainer, command)
        return
    trainer.fully_saved = not to_save or parts.saving.has_all
    if not finished:
        parts.states.change("stopped", f"by {command.source}")
    trainer.over = True


def _refuse(trainer: Trainer, command: Stop) -> None:
    """Go on, paused, as nothing could be saved."""
    if command.source not in PEOPLE:
        raise RunFailedError("The last checkpoint could not be saved: the steps since the one before are lost.")
    parts = trainer.parts
    parts.decisions.cancel_stop()
    trainer.work_given_up = True
    message = "Not stopped, as nothing could be saved: make room and try again."
    parts.publish(alerts.stop(parts.progress.step, message))
    if parts.states.state == "running":
        parts.states.change("paused", "it could not be saved")
