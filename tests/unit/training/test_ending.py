"""However a run ends, the model shown at its end is the best it had."""

from pathlib import Path

import pytest
from safetensors.torch import load_file

from tests.unit.training.faults import poisoned
from tests.unit.training.helpers import ScriptedSession, run_to_end, small_config
from tui_trainer.run.events import Evaluation, Sample, StateChanged
from tui_trainer.training import validation
from tui_trainer.training.checkpoints import CheckpointStore, Contents

SENTENCE = "The cat sat on the mat, and the dog lay by the door, and both of them were still.\n"


@pytest.fixture
def overfitted(tmp_path: Path) -> ScriptedSession:
    """A run over a text so short that it is soon known by heart, and what validates it is not."""
    text = tmp_path / "short.txt"
    text.write_text(SENTENCE * 8 + "Quick foxes jump over lazy wolves; vexed judges quit.\n", encoding="utf-8")
    return run_to_end(small_config(text, steps=60, eval_every=5, sample_every=60, patience=0, lr=3e-2, dropout=0.1))


def test_the_last_sample_is_written_by_the_best_model(overfitted: ScriptedSession) -> None:
    evaluations = overfitted.of(Evaluation)
    best = min(evaluations, key=lambda evaluation: evaluation.val_loss)
    assert best.step < 60, "not overfitted: nothing is tested"
    assert overfitted.of(Sample)[-1].step == best.step
    assert f"the model is that of step {best.step}, the best" in overfitted.of(StateChanged)[-1].reason


def test_the_model_stays_that_of_the_last_step_where_the_best_could_not_be_saved(
    tmp_path: Path, corpus: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    save = CheckpointStore.save

    def refuse_best(self: CheckpointStore, contents: Contents, reason: str) -> Path:
        if contents.progress.step == 4:
            raise OSError(28, "No space left on device")
        return save(self, contents, reason)

    losses = iter([3.0, 2.0, 4.0, 4.0, 4.0, 4.0])
    monkeypatch.setattr(CheckpointStore, "save", refuse_best)
    monkeypatch.setattr(validation, "evaluate", lambda *_: next(losses))
    session = run_to_end(small_config(corpus, eval_every=2))
    assert session.of(StateChanged)[-1].reason == "all steps taken"
    assert session.of(Sample)[-1].step == 12


def test_an_end_without_a_finite_loss_is_evaluated_too(corpus: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    poisoned(monkeypatch, {8, 9})
    session = run_to_end(small_config(corpus, steps=10))
    assert [event.step for event in session.of(Evaluation)] == [4, 8, 10]


def test_the_newest_checkpoint_still_is_that_of_the_last_step(overfitted: ScriptedSession) -> None:
    checkpoints = overfitted.directory_of_run.checkpoints
    assert (checkpoints / "latest").read_text(encoding="utf-8").strip() == "step-00000060"
    last, best = (
        load_file(checkpoints / (checkpoints / pointer).read_text(encoding="utf-8").strip() / "model.safetensors")
        for pointer in ("latest", "best")
    )
    assert any((last[name] != best[name]).any() for name in last)
