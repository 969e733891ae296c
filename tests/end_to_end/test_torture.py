"""A run that is killed at random moments is, at its end, the run that was left alone."""

from pathlib import Path

import pytest

from benchmarks.torture import Torture


@pytest.mark.parametrize(("precision", "rollbacks"), [("bf16", 0), ("fp32", 3)])
def test_kills_cost_nothing(tmp_path: Path, precision: str, rollbacks: int) -> None:
    verdict = Torture(tmp_path, steps=160, precision=precision, with_accidents=rollbacks > 0).run(kills=3)
    assert (verdict.kills, verdict.rollbacks) == (3, rollbacks)
    assert verdict.at_the_end + verdict.after_the_end >= 1
    assert verdict.lost == []
    assert verdict.differences == []
