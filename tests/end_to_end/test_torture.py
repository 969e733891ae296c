"""A run that is killed at random moments ends as one that was not killed."""

from pathlib import Path

import pytest

from benchmarks.torture.killing import Torture


@pytest.mark.parametrize(("precision", "rollbacks"), [("bf16", 0), ("fp32", 3)])
def test_a_killed_run_equals_one_that_was_not_killed(tmp_path: Path, precision: str, rollbacks: int) -> None:
    verdict = Torture(tmp_path, steps=160, precision=precision, planted_losses=rollbacks > 0).run(kills=3)
    assert (verdict.kills, verdict.rollbacks) == (3, rollbacks)
    assert verdict.at_the_end + verdict.after_the_end >= 1
    assert verdict.lost == []
    assert verdict.differences == []
