"""The step at which a metric is greatest."""

import numpy as np

from tui_trainer.history.history import History
from tui_trainer.history.peak import peak


def test_a_spike_in_many_steps_is_found() -> None:
    history = History()
    for step in range(1, 30_001):
        history.add(step, {"loss": 9.0 if step == 12_345 else 2.0})
    assert peak(history, "loss", 0, 30_000) == (12_345, 9.0)
    assert peak(history, "loss", 12_346, 30_000) == (12_346, 2.0)


def test_where_buckets_have_several_steps_the_first_of_them_is_told() -> None:
    history = History(buckets=64, batch=8)
    for step in range(1, 1_001):
        history.add(step, {"loss": 9.0 if step == 500 else 2.0})
    found = peak(history, "loss", 0, 1_000)
    assert found is not None and found[1] == 9.0
    assert found[0] <= 500 < found[0] + history.stride


def test_nothing_finite_has_no_peak() -> None:
    history = History()
    history.add(1, {"loss": np.nan})
    assert peak(history, "loss", 0, 10) is None
    assert peak(History(), "loss", 0, 10) is None
