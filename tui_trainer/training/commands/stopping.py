"""The command to end a run."""

from tui_trainer.run import alerts
from tui_trainer.run.commands import PEOPLE, Stop
from tui_trainer.training.errors import RunFailedError
from tui_trainer.training.trainer import Trainer


def stop(trainer: Trainer, command: Stop) -> None:
    """End the run, unless its last steps cannot be saved and a person can decide again.

    Raises RunFailedError if they cannot be saved and the command came from no person.
    """
    components = trainer.components
    if components.end.only_samples_left:
        components.end.publish_finished()
    finished = components.states.state == "finished"
    components.saving.wait()
    to_save = command.value or (finished and not components.saving.has_all)
    if to_save and not components.saving.save_last():
        _refuse(trainer, command)
        return
    trainer.fully_saved = not to_save or components.saving.has_all
    if not finished:
        components.states.change("stopped", f"by {command.source}")
    trainer.over = True


def _refuse(trainer: Trainer, command: Stop) -> None:
    """Pause instead, as nothing could be saved."""
    if command.source not in PEOPLE:
        raise RunFailedError("The last checkpoint could not be saved: the steps since the one before are lost.")
    components = trainer.components
    components.decisions.cancel_stop()
    trainer.work_interrupted = True
    message = "Not stopped, as nothing could be saved: make room and try again."
    components.publish(alerts.stop(components.progress.step, message))
    if components.states.state == "running":
        components.states.change("paused", "it could not be saved")
