"""However a run ends, its last model and the best it had are both shown at its end, and both can be used."""

import shutil
from pathlib import Path
from typing import Any

import pytest
from safetensors.torch import load_file

from tests.unit.training.faults import found_losses, poisoned
from tests.unit.training.helpers import (
    Resumed,
    ScriptedSession,
    journalled,
    only_run,
    run_to_end,
    small_config,
    watched,
)
from tui_trainer.config import Config
from tui_trainer.run.commands import Command, Generate, SaveCheckpoint, SetPrompt, SetTemperature, Stop, UseModel
from tui_trainer.run.events import Activity, CheckpointSaved, Evaluation, Event, Sample, StateChanged, Step
from tui_trainer.training.checkpoints.checkpoint import Contents
from tui_trainer.training.checkpoints.store import CheckpointStore
from tui_trainer.training.local import LocalSession

SENTENCE = "The cat sat on the mat, and the dog lay by the door, and both of them were still.\n"


@pytest.fixture
def short(tmp_path: Path) -> Path:
    """A text so short that it is soon known by heart, and what validates it is not."""
    text = tmp_path / "short.txt"
    text.write_text(SENTENCE * 8 + "Quick foxes jump over lazy wolves; vexed judges quit.\n", encoding="utf-8")
    return text


def overfitting(text: Path, **changes: Any) -> Config:
    settings = {"steps": 60, "eval_every": 5, "sample_every": 60, "patience": 0, "lr": 3e-2, "dropout": 0.1}
    return small_config(text, **settings | changes)


def best_step(session: ScriptedSession) -> int:
    best = min(session.of(Evaluation), key=lambda evaluation: evaluation.val_loss)
    assert best.step < 60, "not overfitted: nothing is tested"
    return int(best.step)


def refuse(*_: object) -> Path:
    raise OSError(28, "No space left on device")


def named(session: ScriptedSession) -> list[tuple[int, str]]:
    """Step and model of every sample."""
    return [(sample.step, sample.model) for sample in session.of(Sample)]


@pytest.mark.parametrize("due", [True, False])
def test_the_end_shows_the_last_model_and_the_best(short: Path, due: bool) -> None:
    session = run_to_end(overfitting(short, sample_every=60 if due else 59))
    best = best_step(session)
    assert named(session)[-2:] == [(best, "best"), (60, "last")], "what is newest stands on top of the screen"
    assert [event for event in journalled(session) if isinstance(event, Sample)] == session.of(Sample)
    assert session.of(Sample)[-1].text != session.of(Sample)[-2].text
    ended = session.of(StateChanged)[-1]
    assert (ended.reason, ended.model) == (f"all steps taken; best by validation at step {best}", "best")


def test_what_a_run_does_at_its_end_is_told(short: Path) -> None:
    session = run_to_end(overfitting(short))
    kinds = (Activity, Evaluation, CheckpointSaved, Sample, StateChanged)
    end = [event for event in session.events if event.step == 60 or isinstance(event, Sample)]
    told = [getattr(event, "doing", event.event) for event in end if isinstance(event, kinds)][-10:]
    assert [word for word in told if word != "checkpoint"] == [
        *("validating", "eval", "", "saving", "last samples", "sample", "sample", "state")
    ]


def test_the_best_model_shows_itself_though_a_sample_was_due_at_its_step(short: Path) -> None:
    session = run_to_end(overfitting(short, sample_every=5))
    assert named(session)[-2:] == [(best_step(session), "best"), (60, "last")]


def test_a_finished_run_writes_with_the_model_that_is_asked_for(short: Path) -> None:
    with watched(LocalSession(overfitting(short))) as run:
        best = run.wait_for_state("finished").model  # type: ignore[attr-defined]
        assert best == "best"
        by: dict[str, Sample] = {}
        for name in ("last", "best", "last"):
            run.ask(UseModel(value=name))
            assert run.wait_for_kind(StateChanged).model == name
            run.ask(SetTemperature(value=0.0))
            run.ask(Generate())
            written = run.wait_for_kind(Sample)
            assert written.model == name
            assert by.setdefault(name, written).text == written.text, "the same weights as before"
        assert by["last"].text != by["best"].text
        assert by["last"].step == 60 > by["best"].step
    assert [event.value for event in journalled(run.session) if getattr(event, "name", "") == "use_model"] == [
        *("last", "best", "last"),
    ]


def test_what_is_saved_is_the_last_step_whichever_model_writes(short: Path, runs: Path) -> None:
    with watched(LocalSession(overfitting(short))) as run:
        run.wait_for_state("finished")
        checkpoint = only_run(runs).checkpoints / "step-00000060"
        before = load_file(checkpoint / "model.safetensors")
        for name in ("last", "best"):
            run.ask(UseModel(value=name))
            shutil.rmtree(checkpoint)
            run.ask(SaveCheckpoint())
            assert run.wait_for_kind(CheckpointSaved).step == 60
            after = load_file(checkpoint / "model.safetensors")
            assert all((after[part] == before[part]).all() for part in before)


def test_there_is_no_choice_before_the_end_nor_where_the_last_model_is_the_best(corpus: Path) -> None:
    def choose(event: Event) -> Command | None:
        chosen = isinstance(event, Step) and event.step in (3, 12)
        return UseModel(value="best" if chosen and event.step == 3 else "last") if chosen else None

    session = run_to_end(small_config(corpus), choose)
    assert {event.model for event in [*session.of(StateChanged), *session.of(Sample)]} == {""}
    assert [sample.step for sample in session.of(Sample)] == [0, 6, 12]


def test_a_resumed_finished_run_opens_with_both_models(short: Path, runs: Path) -> None:
    whole = run_to_end(overfitting(short, sample_every=59))
    resumed = Resumed(only_run(runs))
    resumed.run()
    shown = [(sample.step, sample.model, sample.text) for sample in resumed.snapshot().samples[:2]]
    assert shown == [(sample.step, sample.model, sample.text) for sample in reversed(whole.of(Sample)[-2:])]
    assert resumed.snapshot().model == "best"


@pytest.mark.parametrize("full", [False, True], ids=["room", "disk full"])
def test_temperature_and_prompt_of_a_finished_run_outlive_a_quit_without_saving(
    corpus: Path, runs: Path, monkeypatch: pytest.MonkeyPatch, full: bool
) -> None:
    with watched(LocalSession(small_config(corpus))) as run:
        run.wait_for_state("finished")
        run.ask(SetTemperature(value=0.3))
        run.ask(SetPrompt(value="dog"))
        if full:
            monkeypatch.setattr(CheckpointStore, "save", refuse)
        run.ask(Stop(value=False))
        run.join()
    assert run.session.outcome is not None and run.session.outcome.status == int(full)
    resumed = Resumed(only_run(runs))
    resumed.run()
    now = resumed.snapshot()
    assert (now.temperature, now.prompt) == ((0.8, "The") if full else (0.3, "dog"))


def test_the_model_stays_that_of_the_last_step_where_the_best_could_not_be_saved(
    tmp_path: Path, corpus: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    save = CheckpointStore.save

    def refuse_best(self: CheckpointStore, contents: Contents, reason: str) -> Path:
        if contents.progress.step == 4:
            raise OSError(28, "No space left on device")
        return save(self, contents, reason)

    monkeypatch.setattr(CheckpointStore, "save", refuse_best)
    found_losses(monkeypatch, [3.0, 2.0, 4.0, 4.0, 4.0, 4.0])
    session = run_to_end(small_config(corpus, eval_every=2))
    assert (session.of(StateChanged)[-1].reason, session.of(StateChanged)[-1].model) == ("all steps taken", "")
    assert named(session)[-1] == (12, "last")


def test_an_end_without_a_finite_loss_is_evaluated_too(corpus: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    poisoned(monkeypatch, {8, 9})
    session = run_to_end(small_config(corpus, steps=10))
    assert [event.step for event in session.of(Evaluation)] == [4, 8, 10]


def test_the_newest_checkpoint_still_is_that_of_the_last_step(short: Path) -> None:
    checkpoints = run_to_end(overfitting(short)).directory_of_run.checkpoints
    assert (checkpoints / "latest").read_text(encoding="utf-8").strip() == "step-00000060"
    last, best = (
        load_file(checkpoints / (checkpoints / pointer).read_text(encoding="utf-8").strip() / "model.safetensors")
        for pointer in ("latest", "best")
    )
    assert any((last[name] != best[name]).any() for name in last)
