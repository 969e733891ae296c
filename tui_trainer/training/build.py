"""A run's parts, made from its configuration; what it leaves open regularises nothing."""

import torch

from tui_trainer.config import Config
from tui_trainer.corpus.batches import Batches
from tui_trainer.corpus.bpe_dropout import BPEDropout
from tui_trainer.corpus.corpus import Corpus
from tui_trainer.model.transformer import ModelShape, Transformer
from tui_trainer.training.step.batch_loader import BatchLoader, make_batch_loader
from tui_trainer.training.step.optimizer import Optimizer, make_optimizer
from tui_trainer.training.step.stepper import Stepper


def shape_of(config: Config, corpus: Corpus) -> ModelShape:
    """The shape of the model that a configuration asks for."""
    return ModelShape(
        vocab_size=corpus.tokenizer.vocab_size,
        context=config.model.context,
        layers=config.model.layers,
        heads=config.model.heads,
        width=config.model.width,
        dropout=config.model.dropout or 0.0,
    )


def build_model(config: Config, corpus: Corpus, device: torch.device) -> Transformer:
    """A model with its first, random weights, in training mode."""
    model = Transformer(shape_of(config, corpus))
    model.initialise(torch.Generator().manual_seed(config.run.seed))
    return model.to(device)


def build_optimizer(config: Config, model: Transformer) -> Optimizer:
    return make_optimizer(model, config.optimizer.optimizer, config.optimizer.weight_decay)


def build_stepper(config: Config, corpus: Corpus, model: Transformer, optimizer: Optimizer) -> Stepper:
    """The stepper of a run, which loads its batches from the corpus."""
    chance = config.data.bpe_dropout
    bpe_dropout = BPEDropout(corpus.tokenizer, chance) if chance else None
    settings, seed = config.optimizer, config.run.seed

    def batch_loader(batch_size: int) -> BatchLoader:
        batches = Batches(corpus.train, config.model.context, batch_size, seed, bpe_dropout)
        return make_batch_loader(batches, model.lm_head.weight.device, config.data.token_masking or 0.0)

    sizes = settings.batch_size, settings.accumulate
    return Stepper(model, optimizer, batch_loader, *sizes, settings.clip, seed, config.run.precision)
