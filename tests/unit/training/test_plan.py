"""From what was asked to what will be done."""

import math
import re
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

from tests.unit.training.helpers import load
from tui_trainer.config import AUTO, Config, InputError, options
from tui_trainer.corpus.batches import windows_in_epoch
from tui_trainer.corpus.corpus import Corpus
from tui_trainer.model.presets import PRESETS, choose_preset
from tui_trainer.training.plan import resolve


@pytest.fixture
def text(corpus: Path) -> Corpus:
    return load(corpus)


def plan(text: Corpus, device: str = "cpu", **asked: Any) -> Config:
    return resolve(Config().update(**asked), text, device)


def test_nothing_is_left_open(text: Corpus) -> None:
    config = plan(text)
    values = {spec.name: getattr(getattr(config, section.name), spec.name) for section, spec in options()}
    assert [name for name, value in values.items() if value in (AUTO, "auto")] == ["vocab_size", "epochs"]
    assert (config.data.tokenizer, config.model.preset, config.run.device) == ("char", "nano", "cpu")
    assert config.sampling.prompt == "The"


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_gives_its_sizes(name: str, tmp_path: Path) -> None:
    long = tmp_path / "long.txt"
    long.write_text("abc\n" * 1000, encoding="utf-8")
    config, preset = plan(load(long), preset=name), PRESETS[name]
    shape = (config.model.layers, config.model.width, config.model.heads, config.model.context, config.model.dropout)
    assert shape == (preset.layers, preset.width, preset.heads, preset.context, preset.dropout)
    assert (config.optimizer.batch_size, config.optimizer.lr) == (preset.batch_size, preset.lr)


def test_what_was_asked_overrides_the_preset(text: Corpus) -> None:
    asked = {"layers": 3, "width": 48, "heads": 6, "context": 10, "dropout": 0.3, "lr": 0.01, "batch_size": 5}
    config = plan(text, preset="base", **asked)
    assert {name: getattr(config.model, name, None) or getattr(config.optimizer, name) for name in asked} == asked
    assert config.sampling.prompt == "The"


def test_zero_is_an_answer_and_not_auto(text: Corpus) -> None:
    config = plan(text, preset="small", context=8, dropout=0.0, warmup=0, min_lr=0.0, schedule="cosine")
    assert (config.model.dropout, config.schedule.warmup, config.schedule.min_lr) == (0.0, 0, 0.0)


@pytest.mark.parametrize(
    ("characters", "device", "name"),
    [
        (1_000_000, "cpu", "nano"),
        (50_000_000, "cpu", "tiny"),
        (1_000_000, "cuda", "small"),
        (50_000_000, "cuda", "base"),
        (1_000_000, "mps", "small"),
    ],
)
def test_the_preset_suits_corpus_and_device(characters: int, device: str, name: str) -> None:
    assert choose_preset(characters, device) == name


def test_presets_are_valid_configurations() -> None:
    for preset in PRESETS.values():
        config = Config().update(**{spec.name: getattr(preset, spec.name) for spec in fields(preset)})
        assert config.schedule.steps == preset.steps


def test_the_schedule_is_filled(text: Corpus) -> None:
    config = plan(text, steps=1000)
    assert (config.schedule.warmup, config.schedule.min_lr) == (20, 0.0)
    config = plan(text, steps=5000, schedule="warmup-cosine", lr=1e-3)
    assert (config.schedule.warmup, config.schedule.min_lr) == (100, pytest.approx(1e-4))
    for schedule in ("constant", "linear", "cosine", "exponential"):
        assert plan(text, schedule=schedule).schedule.warmup == 0


def test_a_run_of_one_step_has_a_plan(text: Corpus) -> None:
    config = plan(text, steps=1)
    assert (config.schedule.warmup, config.run.eval_every, config.run.checkpoint_every) == (0, 1, 1)


def test_the_cadence_follows_the_steps(text: Corpus) -> None:
    config = plan(text, steps=5000)
    assert (config.run.eval_every, config.sampling.sample_every, config.run.checkpoint_every) == (500, 200, 500)
    config = plan(text, steps=5000, eval_every=7, sample_every=8, checkpoint_every=9)
    assert (config.run.eval_every, config.sampling.sample_every, config.run.checkpoint_every) == (7, 8, 9)


@pytest.mark.parametrize("epochs", [0.01, 1.0, 2.5])
def test_epochs_become_steps(text: Corpus, epochs: float) -> None:
    config = plan(text, epochs=epochs, context=8, batch_size=4, accumulate=2)
    assert config.schedule.steps == math.ceil(epochs * windows_in_epoch(len(text.train), 8) * 8 / 64)
    assert config.schedule.epochs == AUTO


def test_a_tiny_text_is_not_read_for_ever(text: Corpus) -> None:
    config = plan(text, context=1024, batch_size=64)
    assert (
        config.schedule.steps == math.ceil(1000 * windows_in_epoch(len(text.train), 1024) / 64) < PRESETS["nano"].steps
    )


def test_a_resolved_plan_resolves_to_itself(text: Corpus) -> None:
    config = plan(text, epochs=3.0)
    assert resolve(config, text, "cpu") == config


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        ({"steps": 10, "epochs": 1.0}, "--steps and --epochs both set the length of the run: give one of them."),
        ({"steps": 10, "warmup": 10}, "--warmup 10 leaves nothing of the run's 10 steps: make it smaller."),
        ({"lr": 1e-3, "min_lr": 2e-3}, "--min-lr 0.002 is above the peak --lr 0.001: lower it."),
        ({"width": 100}, "--heads 4 does not divide --width 100"),
        ({"heads": 3}, "--heads 3 does not divide --width 128"),
        ({"context": 4000}, "The corpus is too short: its 2,120 characters"),
    ],
)
def test_what_cannot_be_is_refused_with_its_flags(text: Corpus, asked: dict[str, Any], says: str) -> None:
    with pytest.raises(InputError) as refusal:
        plan(text, **asked)
    assert str(refusal.value).startswith(says)


def written(folder: Path, characters: int, line: str = "some words and more\n") -> Path:
    """A text of so many characters."""
    path = folder / f"{characters}.txt"
    path.write_text((line * characters)[:characters], encoding="utf-8")
    return path


def refused_length(text: Corpus, **asked: Any) -> int:
    """The number of characters that a refusal asks for."""
    with pytest.raises(InputError, match="too short") as refusal:
        plan(text, **asked)
    found = re.search(r"about ([\d,]+) characters or more", str(refusal.value))
    assert found
    return int(found[1].replace(",", ""))


@pytest.mark.parametrize("fraction", [0.01, 0.1, 0.3, 1 / 3, 0.5])
@pytest.mark.parametrize("context", [199, 230, 360, 1000])
def test_the_length_that_a_refusal_names_suffices(tmp_path: Path, fraction: float, context: int) -> None:
    def text_of(characters: int) -> Corpus:
        return load(written(tmp_path, characters), val_fraction=fraction)

    asked = {"context": context, "val_fraction": fraction}
    named = refused_length(text_of(110), **asked)
    assert plan(text_of(named), **asked).model.context == context
    assert refused_length(text_of(named - 2), **asked) == named


def test_the_length_is_in_characters_where_tokens_are_bytes(tmp_path: Path) -> None:
    def text_of(characters: int) -> Corpus:
        return load(written(tmp_path, characters, line="\u0436\u0438"), tokenizer="byte")

    named = refused_length(text_of(40), context=100)
    assert named == 58
    assert plan(text_of(named), context=100).data.tokenizer == "byte"
