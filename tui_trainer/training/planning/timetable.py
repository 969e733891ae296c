"""A run's length, its learning rate, and what is due at which of its steps."""

from typing import Final

from tui_trainer.analysis.schedules import Schedule
from tui_trainer.config import Config
from tui_trainer.run.events import ScheduleChanged

CLOSE_TO_END: Final = 0.1
"""Part of the steps between two evaluations; one that is due so shortly before the end is left to the end's own."""


QUICK_EVALUATIONS: Final = 50
"""Of a sample of the validation part, in a run: so many points make a curve."""


class Timetable:
    """What depends on the step's number: learning rate, evaluations, checkpoints, samples."""

    def __init__(self, config: Config) -> None:
        self.replan(config)

    def replan(self, config: Config) -> None:
        """Use `config` from the next step on."""
        self.config = config
        plan = config.schedule
        self.schedule = Schedule(plan.schedule, config.optimizer.lr, plan.min_lr, plan.warmup, plan.steps)

    @property
    def steps(self) -> int:
        """How many steps the run has in all."""
        return self.schedule.steps

    def evaluation_due(self, step: int) -> bool:
        every = self.config.run.eval_every
        return step > 0 and step % every == 0 and self.steps - step >= CLOSE_TO_END * every

    def quick_evaluation_due(self, step: int) -> bool:
        return step < self.steps and step % max(1, self.steps // QUICK_EVALUATIONS) == 0

    def checkpoint_due(self, step: int) -> bool:
        return step % self.config.run.checkpoint_every == 0

    def sample_due(self, step: int) -> bool:
        return step % self.config.sampling.sample_every == 0


def schedule_event(schedule: Schedule, step: int, reason: str) -> ScheduleChanged:
    """The event that a schedule is followed from `step` on."""
    return ScheduleChanged(
        step=step,
        steps=schedule.steps,
        schedule=schedule.kind,
        lr=schedule.lr,
        min_lr=schedule.min_lr,
        warmup=schedule.warmup,
        reason=reason,
        factor=schedule.factor,
        until=schedule.until,
    )
