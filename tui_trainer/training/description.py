"""The `run` event, which is published when a trainer starts or resumes a run."""

from tui_trainer.config import Config
from tui_trainer.corpus.corpus import Corpus
from tui_trainer.model.transformer import Transformer
from tui_trainer.run.directory import RunDirectory
from tui_trainer.run.events import RunStarted
from tui_trainer.run.formats import JOURNAL_FORMAT
from tui_trainer.run.run_parts import RunMachine, RunModel, RunPlan, RunSampling, RunSource
from tui_trainer.training.device import device_label, versions
from tui_trainer.training.planning.plan import Plan, tokens_per_epoch, tokens_per_step
from tui_trainer.training.progress import Progress


def describe(
    plan: Plan, corpus: Corpus, model: Transformer, progress: Progress, directory: RunDirectory, branch: int
) -> RunStarted:
    """The event that opens a run."""
    config, shape = plan.config, model.shape
    return RunStarted(
        step=progress.step,
        run=directory.name,
        format=JOURNAL_FORMAT,
        branch=branch,
        path=str(directory.path),
        source=_source(corpus),
        model=RunModel(
            preset=config.model.preset,
            parameters=model.parameter_count,
            layers=shape.layers,
            width=shape.width,
            heads=shape.heads,
            context=shape.context,
            vocab_size=shape.vocab_size,
        ),
        machine=RunMachine(
            device=device_label(model.lm_head.weight.device), precision=config.run.precision, versions=versions()
        ),
        plan=_plan(config, corpus),
        sampling=RunSampling(temperature=progress.temperature, prompt=progress.prompt),
        reasons=plan.reasons,
    )


def _source(corpus: Corpus) -> RunSource:
    return RunSource(
        corpus=corpus.label,
        fingerprint=corpus.fingerprint,
        tokenizer=corpus.tokenizer.kind,
        train_tokens=len(corpus.train),
        val_tokens=len(corpus.val),
        unigram_entropy=corpus.unigram_entropy,
    )


def _plan(config: Config, corpus: Corpus) -> RunPlan:
    return RunPlan(
        steps=config.schedule.steps,
        schedule=config.schedule.schedule,
        lr=config.optimizer.lr,
        min_lr=config.schedule.min_lr,
        warmup=config.schedule.warmup,
        optimizer=config.optimizer.optimizer,
        clip=config.optimizer.clip,
        tokens_per_step=tokens_per_step(config),
        tokens_per_epoch=tokens_per_epoch(config, corpus),
    )
