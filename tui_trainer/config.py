"""The configuration of a run: frozen dataclasses by section, checked when made, read from and written to TOML.

Every field is declared with `option`: the command line, the checks and the help are all made from these declarations.
None means "choose for me". A field's type is that of a resolved configuration, in which only the lengths that were not
given are None.
"""

import re
import reprlib
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import Field, asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import Any, Final

import tomli_w

LEFT_OPEN: Final = -1
"""None in a configuration file, as TOML has no null."""

STANDARD_INPUT: Final = "-"
"""In place of a corpus file: the text is read from standard input."""

SCHEDULES: Final = ("constant", "linear", "cosine", "warmup-cosine", "exponential", "wsd")
PRESETS: Final = ("auto", "nano", "tiny", "small", "base")
TOKENIZERS: Final = ("auto", "char", "byte", "bpe")
EACH_FILE, TEXT_END = "each-file", "end"
VAL_FROM: Final = (EACH_FILE, TEXT_END)
"""Left open, a new run takes the first; that of a run in progress is from before there was a choice, and the second."""

DEVICES: Final = ("auto", "cpu", "cuda", "mps")
OPTIMIZERS: Final = ("auto", "adamw", "muon")
PRECISIONS: Final = ("auto", "fp32", "bf16", "fp16")
COMPILE: Final = ("auto", "on", "off")
ON_DIVERGENCE: Final = ("rollback", "pause", "stop")


_TYPES: Final[dict[Any, tuple[Any, str]]] = {
    int: (int, "a whole number"),
    float: ((int, float), "a number"),
    str: (str, "a text"),
}


MAX_BYTES: Final = 4 * 2**20
"""Largest configuration file; without very many names of corpus files it has a few thousand bytes."""

_LONG_KEY = re.compile(r"""(?:(?:(?<![\w-])[\w-]++|"[^"\n]*+"|'[^'\n]*+')[ \t]*+\.[ \t]*+){16}""")
"""A dotted key of 16 parts or more: the time to parse one is quadratic in its parts."""

LARGEST: Final = 10**15
"""Largest number in a configuration."""


class InputError(ValueError):
    """An error that the user can correct; the message is a sentence with the cause and the remedy."""


def option(
    default: Any,
    help: str,
    *,
    choices: tuple[str, ...] = (),
    minimum: float | None = None,
    maximum: float | None = None,
    above: float | None = None,
) -> Any:
    """A configuration field; `minimum` and `maximum` are inclusive bounds, `above` is an exclusive lower one."""
    limits = {"choices": choices, "minimum": minimum, "maximum": maximum, "above": above}
    return field(default=default, metadata={"help": help, **limits})


def flag(name: str) -> str:
    """The command-line spelling of a field."""
    return "--" + name.replace("_", "-")


def describe_range(limits: Mapping[str, Any]) -> str:
    """The numbers that `in_range` accepts, in words that follow "it must be"."""
    bounds = (("above", "above"), ("minimum", "at least"), ("maximum", "at most"))
    return " and ".join(f"{words} {limits[name]:,}" for name, words in bounds if limits[name] is not None)


def in_range(limits: Mapping[str, Any], value: float) -> bool:
    """Whether a number is not NaN, and within the limits that `option` was given."""
    return (
        value == value
        and (limits["above"] is None or value > limits["above"])
        and (limits["minimum"] is None or value >= limits["minimum"])
        and (limits["maximum"] is None or value <= limits["maximum"])
    )


def check_number(spec: Field[Any], value: float) -> None:
    """Raises InputError for a number out of an option's range."""
    if not in_range(spec.metadata, value):
        shown = f"{value:g}" if isinstance(value, float) else str(value)
        raise InputError(f"{flag(spec.name)} {shown} is out of range: it must be {describe_range(spec.metadata)}.")
    if abs(value) > LARGEST:
        raise InputError(f"{flag(spec.name)} is out of range: it must be at most {LARGEST:,}.")


def _check_field(spec: Field[Any], value: Any) -> None:
    if value is None and spec.default is None:
        return
    expected, name = _TYPES.get(spec.type, (tuple, "a list of texts"))
    items = value if isinstance(value, tuple) else ()
    if not isinstance(value, expected) or isinstance(value, bool) or not all(isinstance(item, str) for item in items):
        raise InputError(f"{flag(spec.name)} must be {name}, not {reprlib.repr(value)}.")
    choices = spec.metadata["choices"]
    if choices and value not in choices:
        raise InputError(f"{flag(spec.name)} {reprlib.repr(value)} is unknown: choose one of {', '.join(choices)}.")
    if isinstance(value, (int, float)):
        check_number(spec, value)


@dataclass(frozen=True)
class Section:
    """A checked group of options."""

    def __post_init__(self) -> None:
        for spec in fields(self):
            _check_field(spec, getattr(self, spec.name))


@dataclass(frozen=True)
class DataConfig(Section):
    corpus: tuple[str, ...] = option((), "Text files, directories or glob patterns (.gz too); - is standard input.")
    tokenizer: str = option("auto", "What a token is.", choices=TOKENIZERS)
    vocab_size: int = option(None, "Vocabulary of the BPE tokenizer.", minimum=256, maximum=65536)
    val_fraction: float = option(0.1, "Part of the text that validates; at most 1 MB.", above=0, maximum=0.5)
    val_from: str = option(None, "Which text validates: the end of each file, or of all.", choices=VAL_FROM)
    token_masking: float = option(None, "Share of inputs replaced at random in training.", minimum=0, maximum=0.9)
    bpe_dropout: float = option(None, "Chance that a BPE token is split up while training.", minimum=0, maximum=0.9)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.vocab_size is not None and self.tokenizer in ("char", "byte"):
            raise InputError(
                f"--vocab-size does nothing to the {self.tokenizer} tokenizer: leave it out, or use --tokenizer bpe."
            )
        if self.bpe_dropout and self.tokenizer in ("char", "byte"):
            raise InputError(
                f"--bpe-dropout does nothing to the {self.tokenizer} tokenizer: leave it out, or use --tokenizer bpe."
            )


@dataclass(frozen=True)
class ModelConfig(Section):
    preset: str = option("auto", "Size of the model and of its batches.", choices=PRESETS)
    context: int = option(None, "Tokens the model sees at once.", minimum=2, maximum=65536)
    layers: int = option(None, "Transformer layers.", minimum=1, maximum=256)
    heads: int = option(None, "Attention heads; must divide the width.", minimum=1, maximum=256)
    width: int = option(None, "Width of the residual stream.", minimum=2, maximum=16384)
    dropout: float = option(None, "Share of activations dropped while training.", minimum=0, maximum=0.9)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.width and self.heads and self.width % (2 * self.heads):
            good = ", ".join(str(n) for n in range(1, 65) if self.width % (2 * n) == 0)
            advice = f"choose --heads from {good}" if good else "choose an even --width"
            raise InputError(
                f"--heads {self.heads} does not divide --width {self.width} into heads of an even width: {advice}."
            )


@dataclass(frozen=True)
class OptimizerConfig(Section):
    optimizer: str = option("auto", "What updates the matrices inside the layers.", choices=OPTIMIZERS)
    lr: float = option(None, "Peak learning rate, on AdamW's scale at width 128.", above=0, maximum=10)
    weight_decay: float = option(0.1, "Decay of the weight matrices.", minimum=0, maximum=10)
    clip: float = option(1.0, "Largest gradient norm; 0 turns clipping off.", minimum=0)
    batch_size: int = option(None, "Sequences in a micro-batch.", minimum=1, maximum=65536)
    accumulate: int = option(1, "Micro-batches in a step.", minimum=1, maximum=65536)


@dataclass(frozen=True)
class ScheduleConfig(Section):
    schedule: str = option("wsd", "Course of the learning rate.", choices=SCHEDULES)
    min_lr: float = option(None, "Learning rate at the end.", minimum=0, maximum=10)
    warmup: int = option(None, "Steps of linear warmup.", minimum=0)
    steps: int = option(None, "Optimizer steps in the run.", minimum=1, maximum=10**12)
    minutes: float = option(None, "Time to train for; a step is timed, then sets the steps.", above=0, maximum=1e6)
    epochs: float = option(None, "Passes over the training text; sets the steps.", above=0, maximum=1e6)

    def __post_init__(self) -> None:
        super().__post_init__()
        lengths = [flag(name) for name in ("steps", "minutes", "epochs") if getattr(self, name) is not None]
        if len(lengths) > 1:
            raise InputError(f"{' and '.join(lengths)} both set the length of the run: give one of them.")


@dataclass(frozen=True)
class SamplingConfig(Section):
    sample_every: int = option(None, "Steps between samples.", minimum=1)
    sample_tokens: int = option(None, "Tokens in a sample.", minimum=1, maximum=100_000)
    prompt: str = option("", "Text that samples go on from; how many of the corpus's sentences begin when left out.")
    temperature: float = option(0.8, "Sampling temperature; 0 always takes the likeliest token.", minimum=0, maximum=5)
    top_k: int = option(0, "Sample among the K likeliest tokens; 0 is all of them.", minimum=0)


@dataclass(frozen=True)
class RunConfig(Section):
    name: str = option("", "Name of the run; made from the corpus when left out.")
    runs_dir: str = option("", "Where runs are kept; TUI_TRAINER_RUNS, or ./runs, when left out.")
    seed: int = option(1, "Seed of weights, batches, dropout and samples.", minimum=0, maximum=2**31 - 1)
    device: str = option("auto", "Where to train.", choices=DEVICES)
    precision: str = option("auto", "Numbers to compute with; weights are always fp32.", choices=PRECISIONS)
    compile: str = option("auto", "Compile the model: a slow start, then faster steps.", choices=COMPILE)
    threads: int = option(None, "CPU threads; measured when left out.", minimum=1, maximum=1024)
    eval_every: int = option(None, "Steps between validations.", minimum=1)
    checkpoint_every: int = option(None, "Steps between checkpoints.", minimum=1)
    keep: int = option(3, "Latest checkpoints kept, beside the best.", minimum=1)
    on_divergence: str = option("rollback", "What to do when the loss explodes.", choices=ON_DIVERGENCE)
    patience: int = option(None, "Validations without improvement before stopping; 0 never stops early.", minimum=0)


@dataclass(frozen=True)
class Config:
    data: DataConfig = DataConfig()
    model: ModelConfig = ModelConfig()
    optimizer: OptimizerConfig = OptimizerConfig()
    schedule: ScheduleConfig = ScheduleConfig()
    sampling: SamplingConfig = SamplingConfig()
    run: RunConfig = RunConfig()

    def update(self, **values: Any) -> "Config":
        """A copy with fields set by their own names, whichever section owns them; raises InputError."""
        owners = {spec.name: section.name for section, spec in options()}
        changes: dict[str, dict[str, Any]] = {}
        for name, value in values.items():
            changes.setdefault(owners[name], {})[name] = value
        return replace(self, **{owner: replace(getattr(self, owner), **change) for owner, change in changes.items()})

    def to_toml(self) -> str:
        """TOML of all fields but those that are None."""
        return tomli_w.dumps(_without_none(asdict(self)))

    @classmethod
    def from_toml(cls, path: Path) -> "Config":
        """Read a configuration file; fields it omits have their defaults. Raises InputError."""
        try:
            with path.open("rb") as file:
                return cls.parse(file.read(MAX_BYTES + 1), path)
        except OSError as error:
            raise InputError(f"Cannot read the configuration {path}: {error.strerror}.") from error

    @classmethod
    def parse(cls, data: bytes, path: Path) -> "Config":
        """The configuration in a file's content; `path` is for messages. Raises InputError."""
        text = data.decode(errors="surrogateescape")
        try:
            if len(data) > MAX_BYTES:
                raise ValueError(f"it has more than {MAX_BYTES:,} bytes")
            if _LONG_KEY.search(text):
                raise ValueError("it has a key of too many parts")
            sections = tomllib.loads(text)
        except RecursionError as error:
            raise InputError(f"Cannot read the configuration {path}: it is nested too deeply.") from error
        except ValueError as error:
            raise InputError(f"Cannot read the configuration {path}: {error}.") from error
        return cls().update(**_flatten(sections, path))


def options() -> Iterator[tuple[Field[Any], Field[Any]]]:
    """Every option, as (its section's field in Config, its own field)."""
    for section in fields(Config):
        for spec in fields(section.default):  # type: ignore[arg-type]
            yield section, spec


def _flatten(sections: Mapping[str, Any], path: Path) -> dict[str, Any]:
    specs = {(section.name, spec.name): spec for section, spec in options()}
    values: dict[str, Any] = {}
    for section, settings in sections.items():
        if not isinstance(settings, dict):
            home = next((place for place, name in specs if name == section), "run")
            raise InputError(f"{path}: {section!r} stands outside a section: put it under one, such as [{home}].")
        for name, value in settings.items():
            if (section, name) not in specs:
                raise InputError(f"{path}: there is no setting {name!r} in [{section}]: remove it, or see --help.")
            values[name] = _read_value(value, specs[section, name])
    return values


def _read_value(value: Any, spec: Field[Any]) -> Any:
    """A field's value from that of a TOML file."""
    if isinstance(value, list):
        return tuple(value)
    return None if spec.default is None and value == LEFT_OPEN and not isinstance(value, bool) else value


def _without_none(sections: Mapping[str, Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    return {
        section: {name: value for name, value in settings.items() if value is not None}
        for section, settings in sections.items()
    }
