"""What becomes of a run after its end: saved again, resumed otherwise configured, on a disk that is full."""

import shutil
from pathlib import Path
from typing import Any

import pytest
from safetensors.torch import load_file

from tests.unit.training.helpers import Resumed, only_run, run_to_end, small_config
from tui_trainer.run.commands import Command, SaveCheckpoint, Stop
from tui_trainer.run.directory import RunDirectory
from tui_trainer.run.events import Alert, CheckpointSaved, Evaluation, Event, StateChanged, Step
from tui_trainer.run.folder import Folder
from tui_trainer.training import local
from tui_trainer.training.checkpoints.store import CheckpointStore

WORSE: dict[str, Any] = {"lr": 3.0, "warmup": 11, "eval_every": 2, "dropout": 0.0}
"""A learning rate that grows until it spoils what was learned by step 4."""


def finished(event: Event) -> bool:
    return isinstance(event, StateChanged) and event.state == "finished"


def full_disk(*_: object, **__: object) -> Path:
    raise OSError(28, "No space left on device")


def test_what_is_saved_after_the_end_has_the_weights_of_the_last_step(corpus: Path, runs: Path) -> None:
    """Also where the checkpoint of that step was removed meanwhile, and the model has become the best one."""
    before: dict[str, Any] = {}

    def remove_and_save(event: Event) -> Command | None:
        path = only_run(runs).checkpoints / "step-00000012" if finished(event) else None
        if path is None:
            return None
        before.update(load_file(path / "model.safetensors"))
        shutil.rmtree(path)
        return SaveCheckpoint()

    session = run_to_end(small_config(corpus, **WORSE), remove_and_save)
    assert session.of(StateChanged)[-1].model == "best"
    saved = session.of(CheckpointSaved)[-1]
    assert (saved.step, saved.reason) == (12, "asked")
    after = load_file(Path(saved.path) / "model.safetensors")
    assert all((after[name] == before[name]).all() for name in before)


@pytest.mark.parametrize("save", [True, False])
def test_a_run_whose_last_step_is_saved_needs_no_room_to_end(
    corpus: Path, monkeypatch: pytest.MonkeyPatch, save: bool
) -> None:
    def fill_up(event: Event) -> Command | None:
        if not finished(event):
            return None
        monkeypatch.setattr(CheckpointStore, "save", full_disk)
        return Stop(value=save, source="SIGTERM")

    session = run_to_end(small_config(corpus), fill_up)
    assert session.outcome is not None
    assert (session.outcome.status, session.outcome.error) == (0, "")
    assert session.snapshot().state == "finished"


def test_a_finished_run_is_shown_though_nothing_can_be_saved(
    corpus: Path, runs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_to_end(small_config(corpus))
    monkeypatch.setattr(CheckpointStore, "save", full_disk)
    session = Resumed(only_run(runs))
    session.run()
    assert session.outcome is not None
    assert session.outcome.status == 0
    assert session.snapshot().state == "finished"


def test_a_longer_run_that_could_not_be_begun_is_no_longer(
    corpus: Path, runs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_to_end(small_config(corpus))
    with monkeypatch.context() as patches:
        patches.setattr(local.journal, "Journal", full_disk)
        refused = Resumed(only_run(runs), again=True)
        refused.run()
        assert refused.outcome is not None
        assert refused.outcome.status == 2
    session = Resumed(only_run(runs))
    session.run()
    assert session.of(Step) == []


def test_more_patience_lets_a_run_that_had_none_left_go_on(corpus: Path, runs: Path) -> None:
    assert run_to_end(small_config(corpus, **WORSE, patience=2)).snapshot().step == 8
    config = only_run(runs).config
    config.write_text(config.read_text(encoding="utf-8").replace("patience = 2", "patience = 0"), encoding="utf-8")
    session = Resumed(only_run(runs))
    session.run()
    assert [event.step for event in session.of(Step)] == [9, 10, 11, 12]
    assert session.of(Alert)[0].message == "Resumed at step 8, exactly as it would have gone on."


def test_the_best_checkpoint_is_found_again_after_a_kill_before_it_was_pointed_to(
    corpus: Path, runs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The process is killed when the checkpoint of step 4 is whole, and `best` still names another."""
    whole = run_to_end(small_config(corpus, **WORSE, name="whole", keep=1))
    replace_text = Folder.replace_text

    def copy_before_best(self: Folder, name: str, text: str) -> None:
        if name == "best" and text == "step-00000004":
            shutil.copytree(self.path.parent, runs / "cut", ignore=shutil.ignore_patterns("*.sock"))
        replace_text(self, name, text)

    with monkeypatch.context() as patches:
        patches.setattr(Folder, "replace_text", copy_before_best)
        run_to_end(small_config(corpus, **WORSE, name="killed", keep=1))
    resumed = Resumed(RunDirectory(runs / "cut"))
    resumed.run()
    assert resumed.snapshot().reason == whole.snapshot().reason
    assert [event.best for event in resumed.of(Evaluation)] == [event.best for event in whole.of(Evaluation)][2:]
