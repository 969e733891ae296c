"""A rollback after a resume goes back to what the uninterrupted run would have gone back to."""

import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.unit.training.checkpoints.forging import forge, told
from tests.unit.training.faults import damaged_weights, poisoned
from tests.unit.training.helpers import TEXT, Resumed, ScriptedSession, run_to_end, small_config, stop_after
from tui_trainer.run.directory import RunDirectory
from tui_trainer.run.events import Alert, Step

FORMAT_1 = Path(__file__).parents[3] / "data" / "format-1"
"""A run of an earlier version, stopped at step 5 of 12."""

QUIET: dict[str, Any] = {"eval_every": 1000, "sample_every": 1000, "checkpoint_every": 1000, "dropout": 0.2}
LOST = "without the interruption it would have been another step"


def learned(*sessions: ScriptedSession) -> list[tuple[Any, ...]]:
    return [(e.step, e.loss, e.lr, e.grad_norm, e.weight_norm) for session in sessions for e in session.of(Step)]


def rollbacks(*sessions: ScriptedSession) -> list[str]:
    return [e.message for session in sessions for e in session.of(Alert) if "weights" in e.message]


def resume(directory: RunDirectory, steps: int | None = None) -> ScriptedSession:
    session = Resumed(directory, steps)
    session.run()
    return session


def stopped(directory: RunDirectory, step: int) -> Path:
    return directory.checkpoints / f"step-{step:08}"


# States are kept at steps 10, 20 and 30; a rollback goes to one at least five steps before the trouble.
@pytest.mark.parametrize("optimizer", ["adamw", "muon"])
@pytest.mark.parametrize(
    ("bad", "stop"),
    [
        pytest.param({26, 27, 28}, 24, id="calm"),
        pytest.param({26, 27, 28}, 20, id="at a step that is kept"),
        pytest.param({21, 22, 23}, 20, id="at a step that is kept, shortly before the trouble"),
        pytest.param({22, 23, 24}, 21, id="with two states that may be needed"),
        pytest.param({26, 27, 28}, 28, id="amid the trouble"),
        pytest.param({26, 27, 28}, 35, id="after the rollback"),
        pytest.param({6, 7, 8}, 5, id="with the first state only"),
    ],
)
def test_a_rollback_is_that_of_an_uninterrupted_run_to_the_bit(
    corpus: Path, runs: Path, monkeypatch: pytest.MonkeyPatch, optimizer: str, bad: set[int], stop: int
) -> None:
    poisoned(monkeypatch, bad)
    settings = {**QUIET, "steps": 40, "optimizer": optimizer}
    whole = run_to_end(small_config(corpus, **settings, name="whole"))
    first = run_to_end(small_config(corpus, **settings, name="parts"), stop_after(stop))
    second = resume(RunDirectory(runs / "parts"))
    assert len(rollbacks(whole)) == 1
    assert rollbacks(first, second) == rollbacks(whole)
    assert learned(first, second) == learned(whole)


def test_it_is_so_however_often_a_run_is_interrupted(corpus: Path, runs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    poisoned(monkeypatch, {26, 27, 28})
    whole = run_to_end(small_config(corpus, **QUIET, steps=40, name="whole"))
    parts = [run_to_end(small_config(corpus, **QUIET, steps=40, name="parts"), stop_after(13))]
    for step in (22, 27, 28, 30, 40):
        parts.append(Resumed(RunDirectory(runs / "parts"), react=stop_after(step)))
        parts[-1].run()
    assert rollbacks(*parts) == rollbacks(whole)
    assert learned(*parts) == learned(whole)


def test_without_the_kept_states_the_alert_says_that_it_is_another_step(
    corpus: Path, runs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    poisoned(monkeypatch, {26, 27, 28})
    run_to_end(small_config(corpus, **QUIET, steps=40), stop_after(24))
    directory = RunDirectory(runs / "cats")
    (stopped(directory, 24) / "rollback.safetensors").unlink()
    (message,) = rollbacks(resume(directory))
    assert f"those of step 24 again ({LOST}" in message


def test_without_the_kept_states_a_run_does_not_claim_to_go_on_exactly(corpus: Path, runs: Path) -> None:
    directory = RunDirectory(runs / "cats")
    run_to_end(small_config(corpus, **QUIET, steps=40), stop_after(24))
    (stopped(directory, 24) / "rollback.safetensors").unlink()
    (alert,) = [alert for alert in resume(directory).of(Alert) if alert.kind == "resume"]
    assert alert.severity == "warning"
    assert alert.message == (
        "Resumed at step 24, approximately: the states that it could have rolled back to are missing."
    )


def test_states_kept_since_the_resume_are_those_of_an_uninterrupted_run(
    corpus: Path, runs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    poisoned(monkeypatch, {36, 37, 38})
    run_to_end(small_config(corpus, **QUIET, steps=40), stop_after(24))
    directory = RunDirectory(runs / "cats")
    (stopped(directory, 24) / "rollback.safetensors").unlink()
    (message,) = rollbacks(resume(directory))
    assert "those of step 30 again, the text since" in message


def test_no_state_is_taken_amid_trouble(corpus: Path, runs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Weights that were damaged before the stop do not come back; an older checkpoint has better ones."""
    damaged_weights(monkeypatch, {26}, factor=float("nan"))
    run_to_end(small_config(corpus, **{**QUIET, "checkpoint_every": 12}, steps=40), stop_after(28))
    directory = RunDirectory(runs / "cats")
    (stopped(directory, 28) / "rollback.safetensors").unlink()
    session = resume(directory)
    (message,) = rollbacks(session)
    assert f"not finite for 3 steps. The weights are those of step 12 again ({LOST}" in message
    assert all(step.weight_norm is not None for step in session.of(Step)[1:])
    assert session.snapshot().state == "finished"


def test_with_nothing_to_go_back_to_a_run_fails(corpus: Path, runs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    damaged_weights(monkeypatch, {26}, factor=float("nan"))
    run_to_end(small_config(corpus, **QUIET, steps=40), stop_after(28))
    directory = RunDirectory(runs / "cats")
    (stopped(directory, 28) / "rollback.safetensors").unlink()
    session = resume(directory)
    assert session.outcome is not None and session.outcome.status == 1
    assert "not finite for 3 steps, and there are no weights to go back to" in session.outcome.error


def test_only_the_two_newest_checkpoints_have_states_to_roll_back_to(corpus: Path, runs: Path) -> None:
    run_to_end(small_config(corpus, **{**QUIET, "checkpoint_every": 6}, steps=40, keep=4), stop_after(31))
    checkpoints = RunDirectory(runs / "cats").checkpoints
    assert sorted(path.name for path in checkpoints.glob("step-*")) == [f"step-{n:08}" for n in (18, 24, 30, 31)]
    assert sorted(path.parent.name for path in checkpoints.glob("*/rollback.safetensors")) == [
        "step-00000030",
        "step-00000031",
    ]
    assert told(checkpoints / "step-00000024")["rollback_steps"] == [20]
    shutil.rmtree(checkpoints / "step-00000030")
    shutil.rmtree(checkpoints / "step-00000031")
    assert resume(RunDirectory(runs / "cats")).of(Step)[0].step == 25


@pytest.mark.parametrize("policy", ["stop", "rollback"])
def test_a_run_given_up_at_its_last_step_is_not_finished_by_a_resume(
    corpus: Path, runs: Path, monkeypatch: pytest.MonkeyPatch, policy: str
) -> None:
    poisoned(monkeypatch, {37, 38, 39})
    monkeypatch.setattr("tui_trainer.training.recovery.rollback.MAX_ROLLBACKS", 0)
    failed = run_to_end(small_config(corpus, **QUIET, steps=40, on_divergence=policy))
    assert failed.outcome is not None and failed.outcome.status == 1
    directory = RunDirectory(runs / "cats")
    refused = resume(directory)
    assert refused.outcome is not None and refused.outcome.status == 2
    assert refused.outcome.error == (
        "The run was given up at step 40 of 40, as it had diverged: train again with a lower --lr, "
        "or resume with a larger --steps to go on from its last good weights."
    )
    longer = resume(directory, steps=44)
    assert [step.step for step in longer.of(Step)] == [41, 42, 43, 44]
    assert longer.snapshot().state == "finished"
    assert resume(directory).of(Step) == []


@pytest.fixture
def format_1(tmp_path: Path, runs: Path) -> RunDirectory:
    corpus = tmp_path / "cats.txt"
    corpus.write_text(TEXT, encoding="utf-8")
    shutil.copytree(FORMAT_1, runs / "format-1")
    directory = RunDirectory(runs / "format-1")
    config = directory.config.read_text(encoding="utf-8")
    directory.config.write_text(config.replace("CORPUS", str(corpus)).replace("RUNS", str(runs)), encoding="utf-8")
    return directory


def test_a_checkpoint_of_format_1_is_gone_on_from(format_1: RunDirectory) -> None:
    session = resume(format_1)
    assert [step.step for step in session.of(Step)] == list(range(6, 13))
    assert session.snapshot().state == "finished"


def test_a_rollback_of_format_1_is_told_to_be_another(format_1: RunDirectory, monkeypatch: pytest.MonkeyPatch) -> None:
    poisoned(monkeypatch, {6, 7, 8})
    (message,) = rollbacks(resume(format_1))
    assert f"those of step 5 again ({LOST}" in message


def test_a_stop_amid_trouble_in_format_1_leaves_nothing_to_go_back_to(
    format_1: RunDirectory, monkeypatch: pytest.MonkeyPatch
) -> None:
    poisoned(monkeypatch, {5})
    path = stopped(format_1, 5)
    forge(path, guard={**told(path)["guard"], "skipped": 2})
    outcome = resume(format_1).outcome
    assert outcome is not None and outcome.status == 1
    assert "there are no weights to go back to" in outcome.error
