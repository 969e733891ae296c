"""A random permutation computed at requested positions."""

import tracemalloc

import numpy as np
import pytest

from tui_trainer.corpus.shuffle import shuffled

COUNTS = [1, 2, 3, 5, 64, 1000, 4097]


def order(count: int, *seed: int) -> list[int]:
    return [int(place) for place in shuffled(np.arange(count), count, seed)]


@pytest.mark.parametrize("count", COUNTS)
@pytest.mark.parametrize("seed", [0, 1, 2**31 - 1])
def test_every_element_occurs_once(count: int, seed: int) -> None:
    assert sorted(order(count, seed, 3)) == list(range(count))


@pytest.mark.parametrize("count", [64, 1000, 4097])
def test_it_depends_on_the_seed(count: int) -> None:
    assert order(count, 1, 2) == order(count, 1, 2)
    assert len({tuple(order(count, *seed)) for seed in ((1, 2), (1, 3), (2, 2), (2, 1))}) == 4
    assert order(count, 1, 2) != list(range(count))


@pytest.mark.parametrize("count", COUNTS)
def test_positions_can_be_computed_separately(count: int) -> None:
    everything = order(count, 1)
    some = np.array([[count - 1, 0], [count // 2, count // 3]])
    assert shuffled(some, count, (1,)).tolist() == [[everything[place] for place in row] for row in some]


def test_memory_does_not_grow_with_the_length() -> None:
    count = 10**12
    tracemalloc.start()
    drawn = shuffled(np.array([0, 1, count // 2, count - 1]), count, (1,))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 1_000_000
    assert len(set(drawn.tolist())) == 4
    assert drawn.min() >= 0
    assert drawn.max() < count


@pytest.mark.parametrize("place", [0, 7, 9])
def test_each_element_is_equally_likely_at_a_position(place: int) -> None:
    """Chi-squared with 9 degrees of freedom is above 27.9 once in a thousand."""
    seeds = 2000
    drawn = [int(shuffled(np.array([place]), 10, (seed,))[0]) for seed in range(seeds)]
    counts = np.bincount(drawn, minlength=10)
    assert ((counts - seeds / 10) ** 2 / (seeds / 10)).sum() < 27.9


def test_neighbours_are_separated() -> None:
    distances = np.abs(np.diff(order(10_000, 1)))
    assert distances.mean() == pytest.approx(10_000 / 3, rel=0.05)
    assert (distances == 1).sum() < 10
