"""A run that is killed at random moments ends as one that was not killed."""

from pathlib import Path

from benchmarks.torture.killing import Torture


def test_a_killed_run_equals_one_that_was_not_killed(tmp_path: Path) -> None:
    """Once in a save, once at its end; in every precision unit tests do, and `python -m benchmarks.torture` more."""
    verdict = Torture(tmp_path, steps=40, planted_losses=True).run(kills=2)
    assert verdict.kills == 2 and verdict.rollbacks >= 1
    assert verdict.at_the_end + verdict.after_the_end >= 1
    assert verdict.lost == []
    assert verdict.differences == []
