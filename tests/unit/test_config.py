"""Configurations: checked when made, read from and written to TOML."""

import math
import re
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

from tui_trainer.config import MAX_BYTES, SCHEDULES, Config, InputError, flag, options

SPECS = {spec.name: spec for _, spec in options()}
BOUNDED = [name for name, spec in SPECS.items() if spec.type in (int, float)]


def test_the_defaults_are_valid() -> None:
    assert Config().update(**{name: spec.default for name, spec in SPECS.items()}) == Config()


def test_names_are_unique_over_the_sections() -> None:
    assert len(SPECS) == len(list(options()))
    assert all(spec.metadata["help"] for spec in SPECS.values())


def outside(name: str) -> list[float]:
    """Values just beyond an option's limits, and what is no number at all."""
    limits, whole = SPECS[name].metadata, SPECS[name].type is int
    values: list[float] = [] if whole else [math.nan]
    if limits["above"] is not None:
        values += [limits["above"], limits["above"] - 1e-9]
    if limits["minimum"] is not None:
        values += [limits["minimum"] - (1 if whole else 1e-9), -(10**400) if whole else -math.inf]
    if limits["maximum"] is not None:
        values += [limits["maximum"] + (1 if whole else 1e-3), 10**400 if whole else math.inf]
    return [value for value in values if value not in (None, SPECS[name].default)]


def inside(name: str) -> list[float]:
    limits = SPECS[name].metadata
    values = [limits["minimum"], limits["maximum"], None if limits["above"] is None else limits["above"] + 1e-6]
    return [SPECS[name].type(value) for value in values if value is not None]


@pytest.mark.parametrize("name", BOUNDED)
def test_every_number_has_its_limits(name: str) -> None:
    assert outside(name)
    for value in outside(name):
        with pytest.raises(InputError) as raised:
            Config().update(**{name: value})
        assert str(raised.value).startswith(f"{flag(name)} ")
        assert " is out of range: it must be " in str(raised.value)
        assert str(raised.value).endswith(".")
    for value in inside(name):
        config = Config().update(**{name: value})
        assert {getattr(getattr(config, s.name), f.name) for s, f in options() if f.name == name} == {value}


@pytest.mark.parametrize("name", [name for name, spec in SPECS.items() if spec.metadata["choices"]])
def test_every_choice_is_checked(name: str) -> None:
    choices = SPECS[name].metadata["choices"]
    for choice in choices:
        Config().update(**{name: choice})
    with pytest.raises(InputError) as raised:
        Config().update(**{name: "other"})
    assert str(raised.value) == f"{flag(name)} 'other' is unknown: choose one of {', '.join(choices)}."


@pytest.mark.parametrize(
    ("value", "says"),
    [
        ({"steps": True}, "--steps must be a whole number, not True."),
        ({"steps": 5.0}, "--steps must be a whole number, not 5.0."),
        ({"steps": "5"}, "--steps must be a whole number, not '5'."),
        ({"lr": True}, "--lr must be a number, not True."),
        ({"lr": "0.1"}, "--lr must be a number, not '0.1'."),
        ({"clip": None}, "--clip must be a number, not None."),
        ({"prompt": 5}, "--prompt must be a text, not 5."),
        ({"schedule": ("wsd",)}, "--schedule must be a text, not ('wsd',)."),
        ({"corpus": "cats.txt"}, "--corpus must be a list of texts, not 'cats.txt'."),
        ({"corpus": ("cats.txt", 5)}, "--corpus must be a list of texts, not ('cats.txt', 5)."),
    ],
)
def test_a_wrong_type_is_refused(value: dict[str, Any], says: str) -> None:
    with pytest.raises(InputError) as raised:
        Config().update(**value)
    assert str(raised.value) == says


def test_a_whole_number_is_a_number() -> None:
    assert Config().update(lr=1, clip=0).optimizer.lr == 1


@pytest.mark.parametrize(
    ("width", "heads", "advice"),
    [
        (100, 3, "choose --heads from 1, 2, 5, 10, 25, 50"),
        (128, 128, "choose --heads from 1, 2, 4, 8, 16, 32, 64"),
        (17, 1, "choose an even --width"),
        (6, 2, "choose --heads from 1, 3"),
    ],
)
def test_heads_divide_the_width_into_even_parts(width: int, heads: int, advice: str) -> None:
    with pytest.raises(InputError) as raised:
        Config().update(width=width, heads=heads)
    assert str(raised.value) == (
        f"--heads {heads} does not divide --width {width} into heads of an even width: {advice}."
    )
    for good in advice.removeprefix("choose --heads from ").split(", ") if "from" in advice else []:
        assert Config().update(width=width, heads=int(good)).model.heads == int(good)


@pytest.mark.parametrize("tokenizer", ["char", "byte"])
def test_a_vocabulary_size_is_for_bpe(tokenizer: str) -> None:
    with pytest.raises(InputError, match=f"--vocab-size does nothing to the {tokenizer} tokenizer"):
        Config().update(tokenizer=tokenizer, vocab_size=300)
    assert Config().update(tokenizer="bpe", vocab_size=300).data.vocab_size == 300


@pytest.mark.parametrize("tokenizer", ["char", "byte"])
def test_bpe_dropout_is_for_bpe(tokenizer: str) -> None:
    with pytest.raises(InputError, match=f"--bpe-dropout does nothing to the {tokenizer} tokenizer"):
        Config().update(tokenizer=tokenizer, bpe_dropout=0.1)
    assert Config().update(tokenizer=tokenizer, bpe_dropout=0.0).data.bpe_dropout == 0
    assert Config().update(tokenizer="bpe", bpe_dropout=0.1).data.bpe_dropout == 0.1


@pytest.mark.parametrize(("one", "other"), [("steps", "minutes"), ("steps", "epochs"), ("minutes", "epochs")])
def test_a_run_has_one_length(one: str, other: str) -> None:
    with pytest.raises(InputError) as raised:
        Config().update(**{one: 5, other: 5})
    assert str(raised.value) == f"--{one} and --{other} both set the length of the run: give one of them."


def test_update_sets_a_field_in_its_section() -> None:
    config = Config().update(steps=7, width=64, heads=2, prompt="The", seed=5, corpus=("a", "b"), lr=0.1)
    assert (config.schedule.steps, config.model.width, config.model.heads) == (7, 64, 2)
    assert (config.sampling.prompt, config.run.seed, config.data.corpus) == ("The", 5, ("a", "b"))
    assert config.optimizer.lr == 0.1
    untouched = [spec.name for spec in fields(Config) if getattr(Config().update(seed=5), spec.name) == spec.default]
    assert untouched == ["data", "model", "optimizer", "schedule", "sampling"]


# -- TOML ----------------------------------------------------------------------------------------------------------


def written(folder: Path, toml: str) -> Path:
    path = folder / "config.toml"
    path.write_text(toml, encoding="utf-8", errors="surrogateescape")
    return path


@pytest.mark.parametrize(
    "asked",
    [
        {},
        {"corpus": ("a.txt", "b c.txt", "caf\udce9.txt"), "prompt": 'The "end"\n\t\\ \u732b \x1b', "lr": 1e-5},
        {"schedule": SCHEDULES[2], "dropout": 0.3, "steps": 10**12, "name": "x", "temperature": 0.0},
    ],
)
def test_a_configuration_round_trips_through_toml(tmp_path: Path, asked: dict[str, Any]) -> None:
    config = Config().update(**asked)
    assert Config.from_toml(written(tmp_path, config.to_toml())) == config


def test_what_a_file_leaves_out_keeps_its_default(tmp_path: Path) -> None:
    assert Config.from_toml(written(tmp_path, "")) == Config()
    assert Config.from_toml(written(tmp_path, "[run]\nseed = 9")) == Config().update(seed=9)


def test_none_is_left_out_of_the_file(tmp_path: Path) -> None:
    assert "lr" not in Config().to_toml()
    earlier = "[optimizer]\nlr = -1\n[schedule]\nsteps = -1\n[run]\nseed = 9"
    assert Config.from_toml(written(tmp_path, earlier)) == Config().update(seed=9)


@pytest.mark.parametrize(
    ("toml", "says"),
    [
        ("seed = 9", "'seed' stands outside a section"),
        ("[run]\nsed = 9", "there is no setting 'sed' in [run]"),
        ("[walk]\nseed = 9", "there is no setting 'seed' in [walk]"),
        ("[model]\nseed = 9", "there is no setting 'seed' in [model]"),
        ("[[run]]\nseed = 9", "'run' stands outside a section"),
        ("[run]\nseed = true", "--seed must be a whole number, not True"),
        ("[run]\nseed = 2024-01-01", "--seed must be a whole number"),
        ("[run]\nseed = {}", "--seed must be a whole number"),
        ("[optimizer]\nlr = nan", "--lr nan is out of range"),
        ("[data]\ncorpus = 'cats.txt'", "--corpus must be a list of texts"),
        ("[data]\ncorpus = [[]]", "--corpus must be a list of texts"),
        ("[run", "Cannot read the configuration"),
        ("\x00", "Cannot read the configuration"),
    ],
)
def test_a_bad_file_is_refused(tmp_path: Path, toml: str, says: str) -> None:
    with pytest.raises(InputError) as raised:
        Config.from_toml(written(tmp_path, toml))
    assert says in str(raised.value)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="Cannot read the configuration"):
        Config.from_toml(tmp_path / "none.toml")


@pytest.mark.parametrize(
    ("toml", "reason"),
    [
        ("a." * 20 + "a = 1", "a key of too many parts"),
        ('"a". ' * 20 + "a = 1", "a key of too many parts"),
        ("[" + "a." * 20 + "a]", "a key of too many parts"),
        ("x = {" + "a." * 20 + "a = 1}", "a key of too many parts"),
        ("x = " + "[" * 100_000, "nested too deeply"),
        ("x = " + "9" * 5000, "Exceeds the limit"),
        ("#" * (MAX_BYTES + 1), "has more than 4,194,304 bytes"),
        ("[run]\nkeep = " + "9" * 400, "--keep is out of range: it must be at most 1,000,000,000,000,000"),
        ("[optimizer]\nclip = inf", "--clip is out of range: it must be at most"),
        ("[run]\nseed = [" + "1," * 100_000 + "]", "must be a whole number, not"),
    ],
    ids=range(10),
)
def test_a_hostile_configuration_is_refused_in_a_sentence(tmp_path: Path, toml: str, reason: str) -> None:
    with pytest.raises(InputError, match=re.escape(reason)) as refused:
        Config.from_toml(written(tmp_path, toml))
    assert len(str(refused.value)) < 500


def test_names_of_very_many_files_fit(tmp_path: Path) -> None:
    config = Config().update(corpus=tuple(f"/data/texts.of.1.2.3.4.5/part.{n:06}.v1.2.txt" for n in range(5_000)))
    assert Config.from_toml(written(tmp_path, config.to_toml())) == config
