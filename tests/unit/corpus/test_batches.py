"""Token arrays to batches."""

import numpy as np
import pytest

from tui_trainer.corpus.batches import Batches, spread_windows, validation_windows


def starts(batches: Batches, epoch: int) -> list[int]:
    """Window starts of an epoch in their order, for tokens that count up and a batch size of one."""
    width = batches.windows_per_epoch
    return [int(batches.batch(index)[0][0, 0]) for index in range(epoch * width, (epoch + 1) * width)]


@pytest.mark.parametrize(("tokens", "context", "windows"), [(1000, 10, 99), (1009, 10, 99), (11, 10, 1), (25, 10, 1)])
def test_each_window_comes_once_an_epoch(tokens: int, context: int, windows: int) -> None:
    batches = Batches(np.arange(tokens, dtype=np.uint16), context, 1, seed=1)
    assert batches.windows_per_epoch == windows
    for epoch in range(20):
        found = sorted(starts(batches, epoch))
        assert found == list(range(found[0], found[0] + windows * context, context))
        assert found[0] < context
        assert found[-1] + context < tokens


def test_epochs_differ_in_order_and_phase() -> None:
    batches = Batches(np.arange(5000), 50, 1, seed=1)
    epochs = [starts(batches, epoch) for epoch in range(8)]
    assert len({min(epoch) for epoch in epochs}) > 4
    orders = {tuple(start // 50 for start in epoch) for epoch in epochs}
    assert len(orders) == 8


def test_targets_are_the_next_tokens() -> None:
    inputs, targets = Batches(np.arange(1000, dtype=np.uint16), 16, 4, seed=3).batch(5)
    assert inputs.shape == targets.shape == (4, 16)
    assert inputs.dtype == targets.dtype == np.int64
    assert (targets == inputs + 1).all()
    assert (np.diff(inputs, axis=1) == 1).all()


def test_a_batch_depends_on_seed_and_number_only() -> None:
    tokens = np.arange(1000)
    one, other = Batches(tokens, 16, 4, seed=7), Batches(tokens, 16, 4, seed=7)
    forwards = [one.batch(index)[0].tolist() for index in range(100)]
    backwards = [other.batch(index)[0].tolist() for index in reversed(range(100))]
    assert forwards == backwards[::-1]
    assert Batches(tokens, 16, 4, seed=8).batch(0)[0].tolist() != forwards[0]


def test_sequences_do_not_depend_on_the_batch_size() -> None:
    tokens = np.arange(500)
    small = [row for index in range(40) for row in Batches(tokens, 16, 3, seed=7).batch(index)[0].tolist()]
    large = [row for index in range(2) for row in Batches(tokens, 16, 60, seed=7).batch(index)[0].tolist()]
    assert small == large


@pytest.mark.parametrize(
    ("tokens", "context", "rows"), [(101, 10, 4), (104, 10, 4), (5, 10, 4), (2, 1, 1), (121, 10, 4)]
)
def test_validation_predicts_every_target_once(tokens: int, context: int, rows: int) -> None:
    windows = list(validation_windows(np.arange(tokens, dtype=np.uint16), context, rows))
    assert [int(token) for _, targets in windows for token in targets.flat] == list(range(1, tokens))
    for inputs, targets in windows:
        assert inputs.dtype == targets.dtype == np.int64
        assert (targets == inputs + 1).all()
        assert inputs.shape[0] <= rows
        assert inputs.shape[1] == context or inputs.shape[0] == 1


@pytest.mark.parametrize(
    ("tokens", "count", "first"),
    [(101, 3, [10, 50, 80]), (101, 10, list(range(0, 100, 10))), (109, 99, list(range(0, 100, 10))), (5, 3, [0])],
)
def test_some_windows_are_spread_evenly(tokens: int, count: int, first: list[int]) -> None:
    inputs, targets = spread_windows(np.arange(tokens, dtype=np.uint8), 10, count)
    assert inputs[:, 0].tolist() == first
    assert inputs.dtype == targets.dtype == np.int64
    assert inputs.shape[1] == min(10, tokens - 1)
    assert (targets == inputs + 1).all()


def test_validation_of_a_single_token_has_nothing_to_predict() -> None:
    assert list(validation_windows(np.arange(1), 10, 4)) == []


def test_batches_are_taken_from_a_mapped_file(tmp_path) -> None:  # type: ignore[no-untyped-def]
    np.arange(100, dtype=np.uint8).tofile(tmp_path / "tokens")
    tokens = np.memmap(tmp_path / "tokens", dtype=np.uint8, mode="r")
    inputs, _ = Batches(tokens, 10, 2, seed=1).batch(0)
    assert type(inputs) is np.ndarray
    [*_, (_, targets)] = validation_windows(tokens, 10, 4)
    assert targets[-1, -1] == 99
