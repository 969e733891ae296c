"""Puts a trainer together from what a preparation has made."""

from collections.abc import Callable, Sequence
from dataclasses import replace

from tui_trainer.config import Config
from tui_trainer.corpus.corpus import Corpus
from tui_trainer.model.transformer import Transformer
from tui_trainer.run.events import Event
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

Publish = Callable[[Event], None]


def assemble(
    config: Config,
    corpus: Corpus,
    model: Transformer,
    stepper: Stepper,
    progress: Progress,
    store: CheckpointStore,
    command_queue: CommandQueue,
    publish: Publish,
    check: LengthCheck | None = None,
    saved: Sequence[RollbackState] = (),
) -> Trainer:
    """A trainer that continues from `progress`; `saved` are the states that a resumed run can restore."""
    run, timetable, states, probes = config.run, Timetable(config), RunStates(progress, publish), ProbeScheduler()
    models = EndModels(model, stepper, progress, store)
    sampler = _sampler(config, corpus, model, progress, publish, probes, models)
    request_handler = RequestHandler(model, corpus.tokenizer, config.sampling.top_k, probes, lambda: models.step)
    rollback = Rollback(model, stepper, progress, timetable.steps, run, saved, store.before)
    reports = _reports(config, stepper, progress, publish, probes, check)
    results = Results(reports, rollback, timetable, progress, states, publish)
    saver = Saver(store, publish, replace(progress) if progress.step else None)
    decisions = DecisionMaker(command_queue, timetable, lambda: saver.refused, lambda: check is not None and check.due)
    described = model.shape, corpus.tokenizer.to_json(), progress
    saving = Saving(saver, models, *described, lambda: rollback.states, results, sampler, decisions)
    evaluated = model, corpus, progress, run.precision, run.patience
    validation = Validation(*evaluated, publish, save_best=lambda: saving.save("best"))
    probes.register(validation, sampler, request_handler)
    length_change = LengthChange(check, progress, timetable, rollback, saving, results, publish)
    end = RunEnd(
        progress, timetable, validation, models, sampler, saving, results, rollback, states, decisions, publish
    )
    working = model, stepper, progress, timetable, states, decisions, probes, sampler, results, saving
    return Trainer(Components(*working, length_change, end, publish), HANDLERS)


def _reports(
    config: Config,
    stepper: Stepper,
    progress: Progress,
    publish: Publish,
    probes: ProbeScheduler,
    check: LengthCheck | None,
) -> StepReports:
    callbacks = [probes.on_step, *([] if check is None else [check.on_step])]
    return StepReports(stepper, progress, config.run.precision, tokens_per_step(config), publish, callbacks)


def _sampler(
    config: Config,
    corpus: Corpus,
    model: Transformer,
    progress: Progress,
    publish: Publish,
    probes: ProbeScheduler,
    models: EndModels,
) -> Sampler:
    sampler = Sampler(model, corpus, config.sampling, config.run.seed, publish, probes, lambda: models.step)
    sampler.temperature, sampler.prompt = progress.temperature, progress.prompt
    sampler.scheduled_step = sampler.published_step = progress.sampled_step
    return sampler
