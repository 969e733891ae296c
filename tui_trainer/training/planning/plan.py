"""Resolves a configuration: chooses every option that the user left open.

In two parts, as the run's length may depend on how long a step of its size takes: `resolve_sizes`, then, when that
is known, `resolve_length`.
"""

import math
from bisect import bisect_right
from dataclasses import dataclass, field
from typing import Any, Final

from tui_trainer.config import Config, InputError, options
from tui_trainer.corpus.batches import windows_in_epoch
from tui_trainer.corpus.corpus import Corpus
from tui_trainer.model.presets import PRESETS, choose_preset
from tui_trainer.run.text import human_seconds, visible_line
from tui_trainer.training.planning.compilation import choose_compilation, compiled_seconds
from tui_trainer.training.planning.regularisation import regularise

DEFAULT_LR: Final = 3e-3

SAMPLE_TOKENS: Final = {"char": 240, "byte": 240, "bpe": 80}

MAX_AUTO_EPOCHS: Final = 1000
"""A default run of a tiny text ends after this many passes, long after it has been learned by heart."""

MUON_WORK: Final = 2.6
"""What Muon adds to a step of N tokens at width d is about 2.6 d / N of its work: its 9 products are 18 d^3 operations
for a square matrix and 38 d^3 for one of the MLP, against 6 d^2 for a token and a square matrix."""

MUON_WORTH_IT: Final = 1.0

EVALUATING, SAMPLING = 0.1, 0.05
"""Parts of a run's time given to evaluations and to samples, within the bounds below."""

EVALUATIONS, SAMPLES = (4, 20), (5, 25)

MAX_UNEXPLAINED: Final = 0.3
"""Share of a run's minutes above which the reason for its steps tells what evaluations and samples take."""


@dataclass(frozen=True)
class Timings:
    """Seconds that a step, an evaluation of the whole validation part, and a sampled token take."""

    step: float
    evaluation: float
    token: float
    as_planned: bool = False
    """Whether the step was timed as planned: compiled, and with dropout, if the run is."""
    sizes: tuple[int, int] | None = None
    """Sequences in a micro-batch and micro-batches in a step as they were measured; None when none were."""


@dataclass(frozen=True)
class Plan:
    """A configuration, and by option the reasons for what was left open in it."""

    config: Config
    reasons: dict[str, str] = field(default_factory=dict)

    def chosen(self, **choices: tuple[Any, str]) -> "Plan":
        """With options set, each to a value for a reason; an empty reason is none."""
        config = self.config.update(**{name: value for name, (value, _) in choices.items()})
        reasons = {name: f"{value}, as {reason}" for name, (value, reason) in choices.items() if reason}
        return Plan(config, self.reasons | reasons)


RESOLVED: Final = (
    *("layers", "width", "heads", "context", "batch_size", "lr", "steps", "warmup", "min_lr"),
    *("sample_every", "sample_tokens", "eval_every", "checkpoint_every"),
)
"""What no run can do without."""


def check_resolved(config: Config, name: str) -> None:
    """Raises InputError where the configuration of the run `name` leaves open what a run cannot do without."""
    lacking = [spec.name for section, spec in options() if getattr(getattr(config, section.name), spec.name) is None]
    if missing := [option for option in lacking if option in RESOLVED]:
        raise InputError(f"The config.toml of {visible_line(name)} lacks {', '.join(missing)}: restore that file.")


def resolve_sizes(plan: Plan, corpus: Corpus, device: str) -> Plan:
    """Model, batch, data and optimizer decided; `device` is a device type; raises InputError."""
    config = plan.config
    name = config.model.preset if config.model.preset != "auto" else choose_preset(corpus.characters, device)
    config = config.update(preset=name, device=device, **_sizes(config, name), **_data(config, corpus))
    _check_corpus_length(config, corpus)
    return Plan(config, plan.reasons).chosen(optimizer=_optimizer(config), val_from=_val_from(config, corpus))


def resolve_length(plan: Plan, corpus: Corpus, timings: Timings) -> Plan:
    """All that depends on the run's length, and so on the timings, decided; raises InputError."""
    if timings.sizes is not None:
        batch_size, accumulate = timings.sizes
        plan = plan.chosen(batch_size=(batch_size, ""), accumulate=(accumulate, ""))
    steps, in_minutes = _steps(plan.config, corpus, timings), plan.config.schedule.minutes is not None
    plan = plan.chosen(steps=steps, epochs=(None, ""), minutes=(None, ""))
    plan = plan.chosen(**regularise(plan.config, epochs(plan.config, corpus)))
    # Last, as code without dropout is other code.
    plan = plan.chosen(compile=choose_compilation(plan.config, timings.step * steps[0]))
    return Plan(
        plan.config.update(**_schedule(plan.config), **_cadence(plan.config, timings, in_minutes)), plan.reasons
    )


def replan(sized: Plan, plan: Plan, corpus: Corpus, timings: Timings) -> Plan:
    """The plan with another length, and what depends on it, for `--minutes`; its other choices stay."""
    first = plan.config
    chosen = {
        "compile": first.run.compile,
        "patience": first.run.patience,
        "dropout": first.model.dropout,
        "token_masking": first.data.token_masking,
        "bpe_dropout": first.data.bpe_dropout,
    }
    return resolve_length(Plan(sized.config.update(**chosen), plan.reasons), corpus, timings)


def epochs(config: Config, corpus: Corpus) -> float:
    """Passes over the training text that are planned."""
    return config.schedule.steps * tokens_per_step(config) / tokens_per_epoch(config, corpus)


def tokens_per_step(config: Config) -> int:
    return config.optimizer.batch_size * config.optimizer.accumulate * config.model.context


def tokens_per_epoch(config: Config, corpus: Corpus) -> int:
    return windows_in_epoch(len(corpus.train), config.model.context) * config.model.context


def _sizes(config: Config, preset: str) -> dict[str, int]:
    names = {"layers": config.model, "width": config.model, "heads": config.model, "context": config.model}
    asked = {name: getattr(section, name) for name, section in (names | {"batch_size": config.optimizer}).items()}
    return {name: value if value is not None else getattr(PRESETS[preset], name) for name, value in asked.items()}


def _data(config: Config, corpus: Corpus) -> dict[str, str | int]:
    kind = corpus.tokenizer.kind
    sample_tokens = config.sampling.sample_tokens
    values: dict[str, str | int] = {
        "tokenizer": kind,
        "prompt": config.sampling.prompt or corpus.opening,
        "sample_tokens": SAMPLE_TOKENS[kind] if sample_tokens is None else sample_tokens,
    }
    return values | ({"vocab_size": corpus.tokenizer.vocab_size} if kind == "bpe" else {})


def _val_from(config: Config, corpus: Corpus) -> tuple[str, str]:
    return config.data.val_from, f"the end of each of {corpus.val_files:,} files validates" * (corpus.val_files > 1)


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


def _optimizer(config: Config) -> tuple[str, str]:
    if config.optimizer.optimizer != "auto":
        return config.optimizer.optimizer, ""
    share = MUON_WORK * config.model.width / tokens_per_step(config)
    work = f"about {100 * share:.0f} % to the work of a step of this size"
    return ("muon", f"it adds {work}") if share <= MUON_WORTH_IT else ("adamw", f"muon would add {work}")


def _steps(config: Config, corpus: Corpus, timings: Timings) -> tuple[int, str]:
    asked = config.schedule
    if asked.steps is not None:
        return asked.steps, ""
    epoch = tokens_per_epoch(config, corpus) / tokens_per_step(config)
    if asked.epochs is not None:
        return math.ceil(asked.epochs * epoch), ""
    if asked.minutes is not None:
        return _steps_within(60 * asked.minutes, config, timings)
    return min(PRESETS[config.model.preset].steps, math.ceil(MAX_AUTO_EPOCHS * epoch)), ""


def _steps_within(seconds: float, config: Config, timings: Timings) -> tuple[int, str]:
    """How many steps go into the time beside evaluations and samples, which take half of it at most; and why."""
    training = seconds * (1 - EVALUATING - SAMPLING)
    start, step = (0.0, timings.step) if timings.as_planned else compiled_seconds(config, training, timings.step)

    def overhead(steps: int) -> float:
        evaluations, samples = _evaluation_and_sample_counts(steps * timings.step, config, timings, in_minutes=True)
        return evaluations * timings.evaluation + samples * _sample_seconds(config, timings)

    candidates = range(int(seconds / step) + 1)
    fitting = bisect_right(candidates, seconds, key=lambda steps: start + steps * step + overhead(steps)) - 1
    steps = max(1, fitting, int(seconds / 2 / step))
    reason = f"a step took {1000 * timings.step:.0f} ms when measured"
    if overhead(steps) > MAX_UNEXPLAINED * seconds:
        reason += f", and evaluations and samples take about {human_seconds(overhead(steps))}"
    return steps, reason


def _schedule(config: Config) -> dict[str, float]:
    asked, steps = config.schedule, config.schedule.steps
    lr = DEFAULT_LR if config.optimizer.lr is None else config.optimizer.lr
    values: dict[str, float] = {"lr": lr}
    if asked.warmup is None:
        warms_up = asked.schedule in ("wsd", "warmup-cosine")
        values["warmup"] = min(max(20, steps // 50), steps // 5) if warms_up else 0
    elif asked.warmup >= steps:
        raise InputError(f"--warmup {asked.warmup} leaves nothing of the run's {steps} steps: make it smaller.")
    if asked.min_lr is None:
        values["min_lr"] = lr / 10 if "cosine" in asked.schedule else 0.0
    elif asked.min_lr > lr:
        raise InputError(f"--min-lr {asked.min_lr:g} is above the peak --lr {lr:g}: lower it.")
    return values


def _cadence(config: Config, timings: Timings, in_minutes: bool) -> dict[str, int]:
    """Steps between evaluations, samples and checkpoints: often enough to see a run learn, and cheap enough."""
    steps = config.schedule.steps
    evaluations, samples = _evaluation_and_sample_counts(steps * timings.step, config, timings, in_minutes)
    counts = {
        "eval_every": (config.run.eval_every, evaluations),
        "sample_every": (config.sampling.sample_every, samples),
        "checkpoint_every": (config.run.checkpoint_every, 10),
    }
    # Rounded up, so that the last of each is at the run's end and not a step before it.
    return {name: math.ceil(steps / count) if asked is None else asked for name, (asked, count) in counts.items()}


def _evaluation_and_sample_counts(
    training: float, config: Config, timings: Timings, in_minutes: bool
) -> tuple[int, int]:
    """How many evaluations and samples go into their shares of so many seconds of training, within bounds.

    A run that is to take so many minutes has fewer, one of each at least, where they would take more than the training.
    """
    sample = _sample_seconds(config, timings)
    evaluations = _within(EVALUATIONS, EVALUATING * training / timings.evaluation)
    samples = _within(SAMPLES, SAMPLING * training / sample)
    if in_minutes:
        part = min(1.0, training / (evaluations * timings.evaluation + samples * sample))
        evaluations, samples = max(1, int(part * evaluations)), max(1, int(part * samples))
    return evaluations, samples


def _within(bounds: tuple[int, int], count: float) -> int:
    fewest, most = bounds
    return max(fewest, min(most, int(count)))


def _sample_seconds(config: Config, timings: Timings) -> float:
    return timings.token * config.sampling.sample_tokens
