"""Models that no memory holds are refused before they are made."""

from pathlib import Path

import pytest

from tests.unit.training.helpers import CPU, Resumed, only_run, run_to_end, small_config, small_model, small_shape
from tui_trainer.config import InputError
from tui_trainer.training.planning import capacity
from tui_trainer.training.planning.capacity import check_capacity


def test_a_model_that_is_certainly_too_large_is_refused_with_the_estimate(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(capacity, "memory_of", lambda device: 16 * 2**30)
    huge = small_shape(vocab_size=65536, layers=256, heads=256, width=16384)
    with pytest.raises(InputError, match=r"needs [\d.]+ GiB of memory or more, and this machine has 16.0 GiB: use"):
        check_capacity(huge, "adamw", CPU)


@pytest.mark.parametrize(("optimizer", "numbers"), [("adamw", 4), ("muon", 3)])
def test_what_might_just_fit_is_not_refused(monkeypatch: pytest.MonkeyPatch, optimizer: str, numbers: int) -> None:
    parameters = small_model().parameter_count
    needed = parameters * 4 * numbers
    monkeypatch.setattr(capacity, "memory_of", lambda device: needed)
    check_capacity(small_shape(), optimizer, CPU)
    monkeypatch.setattr(capacity, "memory_of", lambda device: needed - 1)
    with pytest.raises(InputError):
        check_capacity(small_shape(), optimizer, CPU)


def test_a_new_run_that_does_not_fit_leaves_nothing_behind(
    corpus: Path, runs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(capacity, "memory_of", lambda device: 1000)
    session = run_to_end(small_config(corpus))
    assert session.outcome is not None and session.outcome.status == 2
    assert "this machine has 1000 B" in session.outcome.error
    assert not runs.exists() or not list(runs.iterdir())


def test_a_configuration_that_asks_for_more_than_the_checkpoint_has_is_refused_before_a_model_is_made(
    corpus: Path, runs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_to_end(small_config(corpus))
    run = only_run(runs)
    config = run.config.read_text().replace("layers = 2", "layers = 256").replace("width = 16\n", "width = 16384\n")
    run.config.write_text(config)
    monkeypatch.setattr("tui_trainer.training.preparation.build_model", lambda *_: pytest.fail("a model was made"))
    session = Resumed(run, steps=14)
    session.run()
    assert session.outcome is not None and session.outcome.status == 2
    assert "does not fit its config.toml: restore that file" in session.outcome.error
