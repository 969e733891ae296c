"""From a configuration to a trainer that is ready: corpus, plan, model, optimizer, run directory."""

import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import torch

from tui_trainer.config import EACH_FILE, Config
from tui_trainer.corpus.corpus import Corpus, load_corpus
from tui_trainer.corpus.sources import described
from tui_trainer.model.transformer import Transformer
from tui_trainer.run import alerts
from tui_trainer.run.directory import CONFIG, RunDirectory, cannot_write, create_run, runs_root
from tui_trainer.run.events import Event, Stage
from tui_trainer.run.folder import Folder
from tui_trainer.run.lineage import FIRST_LINEAGE, Start
from tui_trainer.run.pointers import CheckpointId
from tui_trainer.run.text import visible_line
from tui_trainer.training.assembly import Prepared, assemble
from tui_trainer.training.build import build_model, build_optimizer, build_stepper, shape_of
from tui_trainer.training.checkpoints.checkpoint import Checkpoint
from tui_trainer.training.checkpoints.store import CheckpointStore
from tui_trainer.training.command_queue import CommandQueue
from tui_trainer.training.description import describe
from tui_trainer.training.device import choose_device, setup
from tui_trainer.training.errors import NOT_ENOUGH_MEMORY, PreparationStopped, RunFailedError
from tui_trainer.training.memory import smaller_batches_alert, within_memory
from tui_trainer.training.planning.calibration import measure, planned_timings, use_threads
from tui_trainer.training.planning.capacity import check_capacity
from tui_trainer.training.planning.compilation import compile_layers
from tui_trainer.training.planning.length import resolve_resumed_length
from tui_trainer.training.planning.plan import (
    Plan,
    replan,
    resolve_length,
    resolve_sizes,
)
from tui_trainer.training.planning.replan import LengthCheck
from tui_trainer.training.progress import Progress
from tui_trainer.training.resuming import describe_resumption, fitting_config, restore
from tui_trainer.training.step.precision import choose_precision
from tui_trainer.training.step.stepper import Stepper
from tui_trainer.training.trainer import Trainer

Opened = Callable[[RunDirectory, Start], Folder]
"""Called with the run's directory and the step to start from; returns the directory, open to write to."""

MakeCheck = Callable[[Folder], LengthCheck]


class Preparation:
    """Builds a trainer in stages, each published; raises PreparationStopped when a stop is asked for."""

    def __init__(self, command_queue: CommandQueue, publish: Callable[[Event], None]) -> None:
        self._command_queue = command_queue
        self._publish = publish
        self._stage_name, self._stage_began = "", 0.0
        self._warning = ""
        self._asked_sizes = 0, 0
        """Sequences in a micro-batch and micro-batches in a step, before any were split for want of memory."""

    def new(self, config: Config, opened: Opened) -> Trainer:
        """A trainer at step 0, in a run directory made for it; raises InputError before anything is made."""
        device = choose_device(config.run.device)
        config = config.update(val_from=config.data.val_from or EACH_FILE)
        plan = Plan(config).chosen(precision=choose_precision(config.run.precision, device))
        corpus = self._load_corpus(config)
        plan = resolve_sizes(plan, corpus, device.type)
        check_capacity(shape_of(plan.config, corpus), plan.config.optimizer.optimizer, device)
        self._asked_sizes = _sizes(plan.config)
        plan, check = self._resolve_length(plan, corpus, device)
        self._stage("building the model")
        model = build_model(plan.config, corpus, device)
        stepper = self._build_stepper(plan.config, corpus, model)
        self._stage("making the run's directory")
        directory = create_run(runs_root(config.run.runs_dir), config.run.name, corpus.label)
        config = plan.config.update(name=directory.name, runs_dir=str(directory.path.parent.resolve()))
        progress = _first_progress(config, corpus)
        return self._finish(Plan(config, plan.reasons), corpus, model, stepper, progress, directory, opened, check)

    def _resolve_length(self, plan: Plan, corpus: Corpus, device: torch.device) -> tuple[Plan, MakeCheck | None]:
        """The plan with the steps of the run, and what is to check whether it keeps to its minutes, if it has any."""
        use_threads(plan.config.run.threads)
        self._stage("measuring this machine")
        timings, reason = measure(plan.config, corpus, device, self._check_stop)
        sized = plan.chosen(threads=(torch.get_num_threads(), reason))
        plan = resolve_length(sized, corpus, timings)
        if sized.config.schedule.minutes is None:
            return plan, None
        self._stage("compiling the model" if plan.config.run.compile == "on" else "measuring a step of the run")
        timings = planned_timings(plan.config, corpus, device, self._check_stop, timings)
        plan = replan(sized, plan, corpus, timings)
        return plan, partial(LengthCheck, sized, plan, corpus, timings)

    def resumed(self, config: Config, folder: Folder, steps: int | None, again: bool, opened: Opened) -> Trainer:
        """A trainer at the step of the newest checkpoint, of a run of `resolve_resumed_length`; raises InputError."""
        device = choose_device(config.run.device)
        corpus = self._load_corpus(config)
        self._stage("reading the checkpoint")
        directory = RunDirectory(folder.path)
        store = CheckpointStore(folder, config.run.keep)
        store.finish_replacing()
        checkpoint, damaged = store.newest()
        progress = checkpoint.progress
        config = fitting_config(config, folder, directory, checkpoint, corpus)
        self._asked_sizes = _sizes(config)
        planned = progress.planned_steps or config.schedule.steps
        config = resolve_resumed_length(progress, config, steps, again)
        self._stage("building the model")
        use_threads(config.run.threads)
        model = build_model(config, corpus, device)
        stepper = self._build_stepper(config, corpus, model)
        restore(checkpoint, model, stepper, directory)
        trainer = self._finish(
            Plan(config), corpus, model, stepper, progress, directory, opened, checkpoint=checkpoint, damaged=damaged
        )
        for alert in describe_resumption(checkpoint, planned):
            self._publish(alert)
        return trainer

    def _build_stepper(self, config: Config, corpus: Corpus, model: Transformer) -> Stepper:
        stepper = build_stepper(config, corpus, model, build_optimizer(config, model))
        if config.run.compile == "on":
            self._stage("compiling the model")
            while not self._compiled(config, model, stepper):
                self._check_stop()
        return stepper

    def _compiled(self, config: Config, model: Transformer, stepper: Stepper) -> bool:
        """Whether it is compiled, or cannot be: not so when that has to be tried again with less memory."""
        batch_size, accumulate = stepper.sizes
        fitting = config.update(batch_size=batch_size, accumulate=accumulate)
        try:
            self._warning = within_memory(lambda: compile_layers(model, fitting))
        except MemoryError as error:
            if stepper.split() is None:
                raise RunFailedError(NOT_ENOUGH_MEMORY) from error
            return False
        return True

    def _finish(
        self,
        plan: Plan,
        corpus: Corpus,
        model: Transformer,
        stepper: Stepper,
        progress: Progress,
        directory: RunDirectory,
        opened: Opened,
        make_check: MakeCheck | None = None,
        checkpoint: Checkpoint | None = None,
        damaged: Sequence[str] = (),
    ) -> Trainer:
        """`checkpoint` is the one that a run is resumed from; the `damaged` ones are newer."""
        plan = plan.chosen(batch_size=(stepper.sizes[0], ""), accumulate=(stepper.sizes[1], ""))
        if stepper.sizes != self._asked_sizes:
            progress.batch_size, progress.accumulate = stepper.sizes
        try:
            folder, store, aside = self._open(plan.config, progress, directory, opened, checkpoint, damaged)
        except OSError as error:
            raise cannot_write(directory.path, error) from error
        progress.prompt, unknown = corpus.tokenizer.known_part(progress.prompt)
        self._publish(describe(plan, corpus, model, progress, directory, store.branch))
        if corpus.left_out:
            self._publish(alerts.corpus(progress.step, f"Files left out of the corpus: {described(corpus.left_out)}."))
        if unknown:
            self._publish(alerts.prompt(progress.step, progress.prompt, unknown))
        self._warn(progress.step, stepper.sizes, aside)
        check, states = make_check(folder) if make_check else None, checkpoint.rollback_states if checkpoint else ()
        made = Prepared(
            plan.config, corpus, model, stepper, progress, store, self._command_queue, self._publish, check, states
        )
        return assemble(made)

    @staticmethod
    def _open(
        config: Config,
        progress: Progress,
        directory: RunDirectory,
        opened: Opened,
        checkpoint: Checkpoint | None,
        damaged: Sequence[str],
    ) -> tuple[Folder, CheckpointStore, Sequence[Path]]:
        """The run's directory, its checkpoints, and the damaged ones that were set aside; raises OSError."""
        lineage = checkpoint.lineage if checkpoint else FIRST_LINEAGE
        start = Start(lineage[-1].id, progress.step)
        # Before anything is written: where the journal cannot be opened, a longer run has not been begun.
        folder = opened(directory, start)
        parent = CheckpointId(start.branch, start.step).name if checkpoint else ""
        store = CheckpointStore(folder, config.run.keep, lineage, parent)
        aside = store.resume_from(progress, damaged) if checkpoint else []
        folder.replace_text(CONFIG, config.to_toml())
        return folder, store, aside

    def _warn(self, step: int, sizes: tuple[int, int], aside: Sequence[Path]) -> None:
        """Publish alerts on what is not as it was asked for, or as it was saved."""
        if self._warning:
            self._publish(alerts.compilation(step, self._warning))
        if sizes != self._asked_sizes:
            self._publish(smaller_batches_alert(step, *sizes))
        for path in aside:
            message = f"A newer checkpoint was damaged: it is kept as {visible_line(str(path))}."
            self._publish(alerts.checkpoint(step, message))

    def _load_corpus(self, config: Config) -> Corpus:
        try:
            return load_corpus(config.data, self._stage)
        except MemoryError as error:
            raise RunFailedError("There is not enough memory for a corpus of this size: use a part of it.") from error

    def _check_stop(self) -> None:
        if self._command_queue.stopping:
            raise PreparationStopped

    def _stage(self, name: str, done: int = 0, total: int = 0) -> None:
        self._check_stop()
        now = time.monotonic()
        if name != self._stage_name:
            self._stage_name, self._stage_began = name, now
        self._publish(Stage(stage=name, done=done, total=total, seconds=now - self._stage_began))


def _sizes(config: Config) -> tuple[int, int]:
    return config.optimizer.batch_size, config.optimizer.accumulate


def _first_progress(config: Config, corpus: Corpus) -> Progress:
    sampling = config.sampling
    return Progress(
        corpus.fingerprint,
        sampling.temperature,
        sampling.prompt,
        planned_steps=config.schedule.steps,
        setup=setup(),
    )
