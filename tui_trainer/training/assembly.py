"""Puts a trainer together from what a preparation has made."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from tui_trainer.config import Config
from tui_trainer.corpus.corpus import Corpus
from tui_trainer.model.transformer import Transformer
from tui_trainer.run.events import BEST, Event
from tui_trainer.training.checkpoints.saver import Saver
from tui_trainer.training.checkpoints.store import CheckpointStore
from tui_trainer.training.command_queue import CommandQueue
from tui_trainer.training.commands.handlers import HANDLERS
from tui_trainer.training.components import Components
from tui_trainer.training.decision_maker import DecisionMaker
from tui_trainer.training.end_models import EndModels
from tui_trainer.training.length_change import LengthChange
from tui_trainer.training.planning.plan import tokens_per_step
from tui_trainer.training.planning.replan import LengthCheck
from tui_trainer.training.planning.timetable import Timetable
from tui_trainer.training.probes.quick_validation import QuickValidation
from tui_trainer.training.probes.requests import RequestHandler
from tui_trainer.training.probes.sampling import Sampler
from tui_trainer.training.probes.scheduler import ProbeScheduler
from tui_trainer.training.probes.validation import Validation
from tui_trainer.training.progress import Progress
from tui_trainer.training.recovery.rollback import Rollback
from tui_trainer.training.recovery.rollback_buffer import RollbackState
from tui_trainer.training.results import Results
from tui_trainer.training.run_end import RunEnd
from tui_trainer.training.saving import Saving
from tui_trainer.training.states import RunStates
from tui_trainer.training.step.reports import StepReports
from tui_trainer.training.step.stepper import Stepper
from tui_trainer.training.trainer import Trainer


@dataclass(frozen=True)
class Prepared:
    """What a trainer is made of, which continues from `progress`."""

    config: Config
    corpus: Corpus
    model: Transformer
    stepper: Stepper
    progress: Progress
    store: CheckpointStore
    command_queue: CommandQueue
    publish: Callable[[Event], None]
    length_check: LengthCheck | None = None
    rollback_states: Sequence[RollbackState] = ()
    """Those that a resumed run can restore."""


def assemble(made: Prepared) -> Trainer:
    config, model, stepper, progress, publish = made.config, made.model, made.stepper, made.progress, made.publish
    timetable, states, probes = Timetable(config), RunStates(progress, publish), ProbeScheduler()
    models = EndModels(model, stepper, progress, made.store)
    sampler = _sampler(made, probes, models)
    request_handler = RequestHandler(model, made.corpus.tokenizer, config.sampling.top_k, probes, lambda: models.step)
    states_before, saved_before = made.rollback_states, made.store.before
    rollback = Rollback(model, stepper, progress, timetable.steps, config.run, states_before, saved_before)
    results = Results(_reports(made, probes), rollback, timetable, progress, states, publish)
    saver = Saver(made.store, publish, replace(progress) if progress.step else None)
    decisions = _decision_maker(made, timetable, saver)
    tokenizer = made.corpus.tokenizer.to_json()
    saving = Saving(saver, models, model.shape, tokenizer, progress, rollback, results, sampler, decisions)
    validation = Validation(model, made.corpus, progress, config.run, publish, save_best=lambda: saving.save(BEST))
    quick_validation = QuickValidation(
        model, made.corpus, progress, config, publish, took=decisions.note_quick_evaluation
    )
    probes.register(validation, quick_validation, sampler, request_handler)
    length_change = LengthChange(made.length_check, progress, timetable, rollback, saving, results, publish)
    end = RunEnd(
        progress, timetable, validation, models, sampler, saving, results, rollback, states, decisions, publish
    )
    components = Components(
        stepper, progress, timetable, states, decisions, probes, sampler, results, saving, length_change, end, publish
    )
    return Trainer(components, HANDLERS)


def _sampler(made: Prepared, probes: ProbeScheduler, models: EndModels) -> Sampler:
    config, progress = made.config, made.progress
    seed = config.run.seed
    sampler = Sampler(made.model, made.corpus, config.sampling, seed, made.publish, probes, lambda: models.step)
    sampler.temperature, sampler.prompt = progress.temperature, progress.prompt
    sampler.scheduled_step = sampler.published_step = progress.sampled_step
    return sampler


def _reports(made: Prepared, probes: ProbeScheduler) -> StepReports:
    check, precision = made.length_check, made.config.run.precision
    callbacks = [probes.on_step, *([] if check is None else [check.on_step])]
    return StepReports(made.stepper, made.progress, precision, tokens_per_step(made.config), made.publish, callbacks)


def _decision_maker(made: Prepared, timetable: Timetable, saver: Saver) -> DecisionMaker:
    check = made.length_check
    return DecisionMaker(
        made.command_queue,
        timetable,
        save_refused=lambda: saver.refused,
        length_check_due=lambda: check is not None and check.due,
    )
