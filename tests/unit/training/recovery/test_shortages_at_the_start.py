"""Too little memory before the first step: to measure the machine, to build the model, to compile it."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch

from tests.unit.training.faults import crowded
from tests.unit.training.helpers import CPU, TIMINGS, Resumed, load, only_run, run_to_end, small_config, stop_after
from tests.unit.training.recovery.scarcity import SHORT, Scarce, failure, told
from tui_trainer.config import Config
from tui_trainer.model.generation import Generation
from tui_trainer.model.transformer import Transformer
from tui_trainer.run.events import RunStarted
from tui_trainer.training import preparation
from tui_trainer.training.checkpoints.store import CheckpointStore
from tui_trainer.training.errors import NOT_ENOUGH_MEMORY
from tui_trainer.training.planning import calibration, compilation
from tui_trainer.training.planning.calibration import measure, planned_timings
from tui_trainer.training.planning.plan import Plan, resolve_sizes

# -- measuring ------------------------------------------------------------------------------------------------------


@pytest.fixture
def measuring(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The machine is measured, but nothing for long."""
    monkeypatch.setattr(calibration, "SECONDS", 0.0)
    monkeypatch.setattr(calibration, "PLANNED_SECONDS", 0.0)
    monkeypatch.setattr(preparation, "measure", measure)
    monkeypatch.setattr(preparation, "planned_timings", planned_timings)
    return


@pytest.mark.parametrize(("most", "sizes"), [(4, (4, 1)), (3, (2, 2)), (1, (1, 4))])
def test_a_step_is_measured_in_pieces_that_fit(
    measuring: None, most: int, sizes: tuple[int, int], corpus: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    crowded(monkeypatch, most)
    text = load(corpus)
    config = resolve_sizes(Plan(small_config(corpus)), text, "cpu").config
    pace, _ = measure(config, text, CPU, lambda: None)
    assert pace.sizes == sizes
    config = config.update(dropout=0.0, weight_decay=0.1, token_masking=0.0, bpe_dropout=0.0)
    assert planned_timings(config, text, CPU, lambda: None, TIMINGS).sizes == sizes


@pytest.mark.parametrize("length", [{}, {"steps": None, "minutes": 0.005, "warmup": 0}])
def test_a_run_begins_with_the_pieces_that_fit(
    measuring: None, length: dict[str, Any], corpus: Path, runs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    crowded(monkeypatch, most=2)
    session = run_to_end(small_config(corpus, accumulate=3, **length), stop_after(2))
    (first, *_) = told(session)
    assert first == (
        0,
        "memory",
        "The device ran out of memory: a step is now 6 micro-batches of 2, with the same sequences as before.",
    )
    assert [kind for _, kind, _ in told(session) if kind != "pace"] == ["memory"]  # steps may take another time
    assert session.of(RunStarted)[0].plan.tokens_per_step == 4 * 3 * 8
    settings = Config.from_toml(only_run(runs).config).optimizer
    assert (settings.batch_size, settings.accumulate) == (2, 6)
    resumed = Resumed(only_run(runs))
    resumed.run()
    assert [kind for _, kind, _ in told(resumed)] == ["resume"]
    assert resumed.of(RunStarted)[0].plan.tokens_per_step == 4 * 3 * 8


def test_a_run_for_which_nothing_is_small_enough_ends_before_it_has_a_directory(
    measuring: None, corpus: Path, runs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    crowded(monkeypatch, most=0)
    assert failure(run_to_end(small_config(corpus))) == NOT_ENOUGH_MEMORY
    assert not runs.exists()


def test_a_model_without_room_is_told_in_a_sentence(
    measuring: None, corpus: Path, runs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Scarce(monkeypatch, Transformer, "__init__")
    assert failure(run_to_end(small_config(corpus))) == NOT_ENOUGH_MEMORY
    assert not runs.exists()


def test_a_sample_without_room_is_only_not_timed(
    measuring: None, corpus: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Scarce(monkeypatch, Generation, "advance", last=1)
    text = load(corpus)
    config = resolve_sizes(Plan(small_config(corpus)), text, "cpu").config
    pace, _ = measure(config, text, CPU, lambda: None)
    assert 0 < pace.token < 10


def test_a_corpus_without_room_is_no_matter_of_the_model(
    corpus: Path, runs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise MemoryError("Unable to allocate 14.9 GiB")

    monkeypatch.setattr(preparation, "load_corpus", fail)
    message = "There is not enough memory for a corpus of this size: use a part of it."
    assert failure(run_to_end(small_config(corpus))) == message
    assert not runs.exists()


# -- compiling ------------------------------------------------------------------------------------------------------


def compiling(monkeypatch: pytest.MonkeyPatch, most: int) -> list[int]:
    """A device on which the call that compiles has room for so many sequences; how many it was made with."""
    made = list[int]()

    def call(model: Transformer, batch_size: int, precision: str) -> None:
        made.append(batch_size)
        if batch_size > most:
            raise SHORT

    monkeypatch.setattr(compilation, "_call", call)
    monkeypatch.setattr(torch.nn.Module, "compile", lambda *_, **__: None)
    return made


def test_it_compiles_for_the_pieces_that_fit(corpus: Path, runs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = compiling(monkeypatch, most=2)
    session = run_to_end(small_config(corpus, compile="on", batch_size=8), stop_after(2))
    assert made == [8, 4, 2]
    ((step, kind, message),) = told(session)
    assert (step, kind) == (0, "memory")
    assert "a step is now 4 micro-batches of 2" in message
    resumed = Resumed(only_run(runs))
    made.clear()
    resumed.run()
    assert made == [2]
    assert [kind for _, kind, _ in told(resumed)] == ["resume"]


def test_a_resumed_run_that_fits_no_longer_is_split_too(
    corpus: Path, runs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    compiling(monkeypatch, most=4)
    run_to_end(small_config(corpus, compile="on"), stop_after(5))
    compiling(monkeypatch, most=1)
    resumed = Resumed(only_run(runs))
    resumed.run()
    assert "a step is now 4 micro-batches of 1" in told(resumed)[0][2]
    assert resumed.snapshot().state == "finished"
    checkpoint, _ = CheckpointStore(only_run(runs).open(), 3).newest()
    assert (checkpoint.progress.batch_size, checkpoint.progress.accumulate) == (1, 4)


def test_compiling_without_room_for_one_sequence_ends_in_a_sentence(
    corpus: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    compiling(monkeypatch, most=0)
    assert failure(run_to_end(small_config(corpus, compile="on"))) == NOT_ENOUGH_MEMORY
