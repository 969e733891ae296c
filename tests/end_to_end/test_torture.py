"""A run that is killed at random moments is, at its end, the run that was left alone."""

from pathlib import Path

from benchmarks.torture import Torture


def test_kills_cost_nothing(tmp_path: Path) -> None:
    verdict = Torture(tmp_path, steps=80).run(kills=3)
    assert verdict.kills == 3
    assert verdict.lost == []
    assert verdict.differences == []
