"""From what was asked to what will be done: every AUTO of a configuration made concrete."""

import math
from typing import Final

from tui_trainer.config import AUTO, Config, InputError
from tui_trainer.corpus.batches import windows_in_epoch
from tui_trainer.corpus.corpus import Corpus
from tui_trainer.model.presets import PRESETS, Preset, choose_preset

SAMPLE_TOKENS: Final = {"char": 240, "byte": 240, "bpe": 80}
MAX_AUTO_EPOCHS: Final = 1000
"""A default run of a tiny text ends after this many passes, long after it has been learned by heart."""


def resolve(config: Config, corpus: Corpus, device: str) -> Config:
    """A configuration with nothing left open; `device` is a device type; raises InputError."""
    name = config.model.preset if config.model.preset != "auto" else choose_preset(corpus.characters, device)
    preset = PRESETS[name]
    config = config.update(preset=name, device=device, **_sizes(config, preset), **_data(config, corpus))
    _check_corpus_length(config, corpus)
    config = config.update(**_schedule(config, preset, len(corpus.train)))
    return config.update(**_cadence(config))


def _sizes(config: Config, preset: Preset) -> dict[str, float]:
    sections = (config.model, config.optimizer)
    names = ("layers", "width", "heads", "context", "dropout", "lr", "batch_size")
    asked = {name: getattr(section, name) for section in sections for name in names if hasattr(section, name)}
    return {name: value if value != AUTO else getattr(preset, name) for name, value in asked.items()}


def _data(config: Config, corpus: Corpus) -> dict[str, str | int]:
    kind = corpus.tokenizer.kind
    sample_tokens = config.sampling.sample_tokens
    values: dict[str, str | int] = {
        "tokenizer": kind,
        "prompt": config.sampling.prompt or corpus.first_word,
        "sample_tokens": SAMPLE_TOKENS[kind] if sample_tokens == AUTO else sample_tokens,
    }
    return values | ({"vocab_size": corpus.tokenizer.vocab_size} if kind == "bpe" else {})


def _check_corpus_length(config: Config, corpus: Corpus) -> None:
    context, fraction = config.model.context, config.data.val_fraction
    if len(corpus.train) > context and len(corpus.val) > 1:
        return
    tokens = max((context + 1) / (1 - fraction), 2 / fraction)
    density = corpus.characters / max(1, len(corpus.train) + len(corpus.val))
    # One more, as the split rounds down what may be a hair below a whole number.
    needed = math.ceil(tokens * density) + 1
    raise InputError(
        f"The corpus is too short: its {corpus.characters:,} characters do not fill one window of {context} tokens to "
        f"train on and leave some to validate; use about {needed:,} characters or more, "
        "or a smaller --context."
    )


def _schedule(config: Config, preset: Preset, train_tokens: int) -> dict[str, float]:
    asked, lr = config.schedule, config.optimizer.lr
    tokens_per_step = config.optimizer.batch_size * config.optimizer.accumulate * config.model.context
    tokens_per_epoch = windows_in_epoch(train_tokens, config.model.context) * config.model.context
    steps = asked.steps
    if asked.epochs != AUTO and steps != AUTO:
        raise InputError("--steps and --epochs both set the length of the run: give one of them.")
    if asked.epochs != AUTO:
        steps = math.ceil(asked.epochs * tokens_per_epoch / tokens_per_step)
    if steps == AUTO:
        steps = min(preset.steps, math.ceil(MAX_AUTO_EPOCHS * tokens_per_epoch / tokens_per_step))
    values: dict[str, float] = {"steps": steps, "epochs": AUTO}
    if asked.warmup == AUTO:
        warms_up = asked.schedule in ("wsd", "warmup-cosine")
        values["warmup"] = min(max(20, steps // 50), steps // 5) if warms_up else 0
    elif asked.warmup >= steps:
        raise InputError(f"--warmup {asked.warmup} leaves nothing of the run's {steps} steps: make it smaller.")
    if asked.min_lr == AUTO:
        values["min_lr"] = lr / 10 if "cosine" in asked.schedule else 0.0
    elif asked.min_lr > lr:
        raise InputError(f"--min-lr {asked.min_lr:g} is above the peak --lr {lr:g}: lower it.")
    return values


def _cadence(config: Config) -> dict[str, int]:
    """How often to look: often enough to watch a default run learn, seldom enough to cost little."""
    parts = {"eval_every": (config.run.eval_every, 10), "checkpoint_every": (config.run.checkpoint_every, 10)}
    parts["sample_every"] = (config.sampling.sample_every, 25)
    steps = config.schedule.steps
    return {name: max(1, steps // part) if asked == AUTO else asked for name, (asked, part) in parts.items()}
