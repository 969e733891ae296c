"""From what was asked to what will be done."""

import math
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import pytest

from tests.unit.training.helpers import TIMINGS, load
from tui_trainer.config import Config, InputError, options
from tui_trainer.corpus.batches import windows_in_epoch
from tui_trainer.corpus.corpus import Corpus
from tui_trainer.model.presets import PRESETS, choose_preset
from tui_trainer.training.planning import compilation
from tui_trainer.training.planning.plan import (
    EVALUATIONS,
    SAMPLES,
    Plan,
    Timings,
    epochs,
    replan,
    resolve_length,
    resolve_sizes,
)
from tui_trainer.training.planning.regularisation import LEVELS


@pytest.fixture
def text(corpus: Path) -> Corpus:
    return load(corpus)


def planned(text: Corpus, device: str = "cpu", timings: Timings = TIMINGS, **asked: Any) -> Plan:
    return resolve_length(resolve_sizes(Plan(Config().update(**asked)), text, device), text, timings)


def plan(text: Corpus, device: str = "cpu", timings: Timings = TIMINGS, **asked: Any) -> Config:
    return planned(text, device, timings, **asked).config


def values_of(config: Config) -> dict[str, Any]:
    return {spec.name: getattr(getattr(config, section.name), spec.name) for section, spec in options()}


def test_nothing_is_left_open(text: Corpus) -> None:
    config = plan(text, precision="fp32", threads=1, val_from="each-file")
    left = [name for name, value in values_of(config).items() if value in (None, "auto")]
    assert left == ["vocab_size", "minutes", "epochs"]
    assert (config.data.tokenizer, config.model.preset, config.run.device) == ("char", "nano", "cpu")
    assert config.sampling.prompt == "The"


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_gives_its_sizes(name: str, tmp_path: Path) -> None:
    long = tmp_path / "long.txt"
    long.write_text("abc\n" * 1000, encoding="utf-8")
    config, preset = plan(load(long), preset=name), PRESETS[name]
    shape = (config.model.layers, config.model.width, config.model.heads, config.model.context)
    assert shape == (preset.layers, preset.width, preset.heads, preset.context)
    assert config.optimizer.batch_size == preset.batch_size


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


def test_the_cadence_is_as_asked(text: Corpus) -> None:
    config = plan(text, steps=5000, eval_every=7, sample_every=8, checkpoint_every=9)
    assert (config.run.eval_every, config.sampling.sample_every, config.run.checkpoint_every) == (7, 8, 9)


@pytest.mark.parametrize(
    ("timings", "evaluations", "samples"),
    [
        (Timings(step=1, evaluation=0.01, token=0.0001), EVALUATIONS[1], SAMPLES[1]),
        (Timings(step=0.01, evaluation=100, token=10), EVALUATIONS[0], SAMPLES[0]),
        (Timings(step=0.1, evaluation=10, token=0.01), 10, 20),
    ],
    ids=["quick looks", "slow looks", "between"],
)
def test_a_slow_look_is_a_rare_one(text: Corpus, timings: Timings, evaluations: int, samples: int) -> None:
    config = plan(text, timings=timings, steps=10_000, sample_tokens=250)
    assert config.run.eval_every == 10_000 // evaluations
    assert config.sampling.sample_every == 10_000 // samples


@pytest.mark.parametrize("minutes", [0.5, 5, 600])
@pytest.mark.parametrize(
    "timings",
    [
        Timings(step=0.002, evaluation=0.02, token=0.0005),
        Timings(step=0.1, evaluation=0.5, token=0.002),
        Timings(step=0.3, evaluation=1.0, token=0.001),
    ],
)
def test_minutes_are_filled_with_steps_and_looks(text: Corpus, timings: Timings, minutes: float) -> None:
    config = plan(text, timings=timings, minutes=minutes, compile="off")
    steps, samples = config.schedule.steps, config.sampling
    seconds = steps * timings.step
    seconds += steps // config.run.eval_every * timings.evaluation
    seconds += steps // samples.sample_every * samples.sample_tokens * timings.token
    assert seconds == pytest.approx(60 * minutes, rel=0.1)
    assert config.schedule.minutes is None


@pytest.mark.parametrize(
    "timings",
    [
        Timings(step=0.29, evaluation=12.0, token=0.02),
        Timings(step=0.29, evaluation=0.5, token=0.1),
        Timings(step=0.29, evaluation=200.0, token=0.1),
    ],
    ids=["both slow", "slow samples", "an evaluation longer than the run"],
)
def test_training_has_half_of_its_minutes_however_slow_a_look_is(text: Corpus, timings: Timings) -> None:
    plan = planned(text, timings=timings, minutes=1, compile="off")
    config = plan.config
    assert config.schedule.steps >= int(30 / timings.step)
    counts = (config.schedule.steps // config.run.eval_every, config.schedule.steps // config.sampling.sample_every)
    sample = timings.token * config.sampling.sample_tokens
    assert (
        counts == (1, 1) or counts[0] * timings.evaluation + counts[1] * sample <= config.schedule.steps * timings.step
    )
    assert ", as a step took 290 ms when measured, and evaluations and samples take about " in plan.reasons["steps"]


def test_minutes_too_few_for_a_step_are_one_step(text: Corpus) -> None:
    assert plan(text, timings=Timings(step=100, evaluation=100, token=1), minutes=0.1).schedule.steps == 1


def test_a_compiled_run_takes_more_steps_in_its_minutes(text: Corpus, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compilation, "_lacking", lambda device: "")
    compiled, plain = (plan(text, minutes=600, compile=choice) for choice in ("auto", "off"))
    assert (compiled.run.compile, plain.run.compile) == ("on", "off")
    assert compiled.schedule.steps > plain.schedule.steps


def test_minutes_go_by_the_very_step_of_the_run_once_that_is_known(text: Corpus) -> None:
    """What was chosen for the first length stays, as the step was timed with it."""
    sized = resolve_sizes(Plan(Config().update(minutes=0.1, context=8, batch_size=4)), text, "cpu")
    plan = resolve_length(sized, text, TIMINGS)
    replanned = replan(sized, plan, text, replace(TIMINGS, step=4 * TIMINGS.step, as_planned=True))
    assert 0.7 * 6 < replanned.config.schedule.steps * 4 * TIMINGS.step < 6
    assert epochs(replanned.config, text) < LEVELS[0][0] < epochs(plan.config, text)
    assert replanned.config.model.dropout == plan.config.model.dropout > 0
    assert replanned.config.run.compile == plan.config.run.compile
    assert replanned.reasons.keys() == plan.reasons.keys()


def test_reasons_are_given_for_what_was_left_open_alone(text: Corpus) -> None:
    left_open = planned(text, minutes=5)
    assert {"steps", "optimizer", "compile"} <= left_open.reasons.keys()
    asked = {name: value for name, value in values_of(left_open.config).items() if value is not None}
    assert planned(text, **asked).reasons == {}
    assert planned(text, **{**asked, "steps": None, "minutes": 5}).reasons.keys() == {"steps"}


@pytest.mark.parametrize(("width", "kind"), [(16, "muon"), (16384, "adamw")])
def test_muon_is_taken_where_it_costs_little(text: Corpus, width: int, kind: str) -> None:
    assert plan(text, width=width, heads=2).optimizer.optimizer == kind
    for asked in ("adamw", "muon"):
        assert plan(text, width=width, heads=2, optimizer=asked).optimizer.optimizer == asked


@pytest.mark.parametrize("passes", [0.01, 1.0, 2.5])
def test_epochs_become_steps(text: Corpus, passes: float) -> None:
    config = plan(text, epochs=passes, context=8, batch_size=4, accumulate=2)
    assert config.schedule.steps == math.ceil(passes * windows_in_epoch(len(text.train), 8) * 8 / 64)
    assert config.schedule.epochs is None


def test_a_tiny_text_is_not_read_for_ever(text: Corpus) -> None:
    config = plan(text, context=1024, batch_size=64)
    assert (
        config.schedule.steps == math.ceil(1000 * windows_in_epoch(len(text.train), 1024) / 64) < PRESETS["nano"].steps
    )


def test_a_resolved_plan_resolves_to_itself(text: Corpus) -> None:
    config = plan(text, epochs=3.0)
    assert plan(text, **values_of(config)) == config


@pytest.mark.parametrize(
    ("asked", "says"),
    [
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
