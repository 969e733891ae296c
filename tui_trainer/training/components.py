"""The objects that a trainer and the handlers of commands use."""

from collections.abc import Callable
from dataclasses import dataclass

from tui_trainer.run.events import Event
from tui_trainer.training.decision_maker import DecisionMaker
from tui_trainer.training.length_change import LengthChange
from tui_trainer.training.planning.timetable import Timetable
from tui_trainer.training.probes.sampling import Sampler
from tui_trainer.training.probes.scheduler import ProbeScheduler
from tui_trainer.training.progress import Progress
from tui_trainer.training.results import Results
from tui_trainer.training.run_end import RunEnd
from tui_trainer.training.saving import Saving
from tui_trainer.training.states import RunStates
from tui_trainer.training.step.stepper import Stepper


@dataclass(frozen=True)
class Components:
    """The objects that a trainer uses, made by `assembly`; the handlers of commands use them, too.

    Whatever looks at the model is reached by `probes`; `sampler` is here for the commands about samples.
    """

    stepper: Stepper
    progress: Progress
    timetable: Timetable
    states: RunStates
    decisions: DecisionMaker
    probes: ProbeScheduler
    sampler: Sampler
    results: Results
    saving: Saving
    length_change: LengthChange
    end: RunEnd
    publish: Callable[[Event], None]
