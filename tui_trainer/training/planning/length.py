"""The length of a resumed run, and whether it is finished."""

from tui_trainer.config import Config, InputError
from tui_trainer.training.progress import Progress


def resolve_resumed_length(progress: Progress, config: Config, asked: int | None, again: bool) -> Config:
    """The configuration with the total steps of a resumed run; `progress` is updated to match it.

    These are `asked`, where it is not None, or those planned, or with `again` as many more. Where that is another
    length than the checkpoint was saved with, a run that had come to its end is unfinished, and early stopping begins
    anew. Raises InputError for fewer steps than were taken, for `again` of a run that has not come to its end, and for
    one that was failed because of divergence and has no step left.
    """
    _fill_in(progress, config)
    progress.finished = _at_end(progress, config)
    planned = config.schedule.steps
    if progress.diverged and progress.step >= (asked or planned):
        raise InputError(
            f"The run was given up at step {progress.step:,} of {planned:,}, as it had diverged: train again with a "
            "lower --lr, or resume with a larger --steps to go on from its last good weights."
        )
    progress.diverged = False
    steps = _steps_in_all(progress, planned, asked, again)
    if steps != progress.planned_steps:
        progress.planned_steps, progress.finished = steps, False
        if progress.out_of_patience(config.run.patience):
            progress.evaluations_since_best = 0
    return config.update(steps=steps)


def check_steps(asked: int | None, reached: int) -> None:
    """Raises InputError for fewer steps, if any number is asked for, than were taken."""
    if asked is not None and asked < reached:
        raise InputError(f"The run has taken {reached:,} steps already: give --steps a larger number.")


def _fill_in(progress: Progress, config: Config) -> None:
    """What checkpoints of earlier versions lack."""
    if progress.planned_steps == 0:
        at_last_step = progress.finished and not progress.out_of_patience(config.run.patience)
        progress.planned_steps = progress.step if at_last_step else config.schedule.steps
    if progress.evaluated_step is None and progress.loss_count == 0:
        progress.evaluated_step = progress.step


def _at_end(progress: Progress, config: Config) -> bool:
    """Whether the run has been brought to its end, and that still is the end of a run so configured."""
    steps = config.schedule.steps
    ended = progress.step >= steps or progress.out_of_patience(config.run.patience)
    return progress.finished and steps == progress.planned_steps and ended


def _steps_in_all(progress: Progress, planned: int, asked: int | None, again: bool) -> int:
    reached = progress.step
    check_steps(asked, reached)
    if again and not progress.finished:
        raise InputError(
            f"The run is at step {reached:,} of {planned:,}: resume it without --again to go on to its end."
        )
    return reached + planned if again else asked or planned
