"""A run that is killed at random moments is, at its end, the run that was left alone."""

from pathlib import Path

import pytest

from benchmarks.torture import Torture


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_kills_cost_nothing(tmp_path: Path, precision: str) -> None:
    verdict = Torture(tmp_path, steps=200, precision=precision).run(kills=3)
    assert verdict.kills == 3
    assert verdict.at_the_end + verdict.after_the_end >= 1
    assert verdict.lost == []
    assert verdict.differences == []


def test_kills_cost_nothing_around_rollbacks_either(tmp_path: Path) -> None:
    verdict = Torture(tmp_path, steps=160, with_accidents=True).run(kills=1)
    assert verdict.rollbacks == 3
    assert verdict.lost == []
    assert verdict.differences == []
