"""A run seen from outside: a session in a thread, events out."""

import queue
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.unit.training.faults import found_losses
from tests.unit.training.helpers import (
    NEVER_ENDING,
    ScriptedSession,
    journalled,
    only_run,
    run_to_end,
    small_config,
    steps_of,
)
from tests.waiting import TIMEOUT, until
from tui_trainer.config import Config
from tui_trainer.run.commands import Stop
from tui_trainer.run.directory import RunDirectory
from tui_trainer.run.events import Alert, CheckpointSaved, Evaluation, Event, RunStarted, Sample, StateChanged, Step
from tui_trainer.training import journalling


def test_a_run_from_beginning_to_end(corpus: Path, runs: Path) -> None:
    session = run_to_end(small_config(corpus))
    assert session.outcome is not None
    assert (session.outcome.status, session.outcome.error) == (0, "")
    assert steps_of(session.events) == list(range(1, 13))
    assert [event.step for event in session.of(Evaluation)] == [4, 8, 12]
    assert [event.step for event in session.of(Sample)] == [0, 6, 12]
    assert [event.state for event in session.of(StateChanged)] == ["running", "finished"]
    assert only_run(runs).name == "cats"
    assert {path.name for path in only_run(runs).path.iterdir()} == {
        "config.toml",
        "journal.jsonl",
        "checkpoints",
        "trainer.lock",
    }


def test_the_journal_holds_what_was_seen(corpus: Path) -> None:
    session = run_to_end(small_config(corpus))
    assert journalled(session) == [event for event in session.events if event.journalled]


@pytest.mark.parametrize("answers", [True, False])
def test_the_disks_of_other_runs_hold_no_training_up(
    corpus: Path, monkeypatch: pytest.MonkeyPatch, answers: bool
) -> None:
    trained = threading.Event()
    told = Alert(kind="other_runs", severity="info", message="Another run trains on this machine: owls (pid 1).")

    def look(run: RunDirectory) -> Iterator[Alert]:
        if not answers:
            trained.wait(TIMEOUT)
        yield told

    monkeypatch.setattr(journalling, "look_for_others", look)
    session = ScriptedSession(small_config(corpus, **NEVER_ENDING))
    session.start()
    try:
        until(lambda: session.of(Step) and (not answers or session.of(Alert)), "a step, and what was told of others")
    finally:
        session.send(Stop(value=False))
        session.wait()
        trained.set()
    assert [alert.message for alert in session.of(Alert)] == [told.message] * answers


def test_the_model_learns(corpus: Path) -> None:
    session = run_to_end(small_config(corpus, steps=60, eval_every=30))
    first, last = session.of(Evaluation)
    assert last.val_loss < first.val_loss < session.of(Step)[0].loss
    assert last.val_loss < session.of(RunStarted)[0].source.unigram_entropy


def test_the_configuration_repeats_the_run(corpus: Path, runs: Path) -> None:
    first = run_to_end(small_config(corpus, dropout=0.2))
    again = run_to_end(Config.from_toml(only_run(runs).config).update(name="again"))
    assert [event.loss for event in first.of(Step)] == [event.loss for event in again.of(Step)]
    assert [event.text for event in first.of(Sample)] == [event.text for event in again.of(Sample)]
    assert Config.from_toml(runs / "again" / "config.toml").model.dropout == 0.2


def test_another_seed_is_another_run(corpus: Path) -> None:
    losses = [
        [event.loss for event in run_to_end(small_config(corpus, seed=seed, steps=3, warmup=0)).of(Step)]
        for seed in (1, 2)
    ]
    assert losses[0] != losses[1]


def test_the_last_sample_is_written_once_when_it_was_due_anyway(corpus: Path) -> None:
    session = run_to_end(small_config(corpus, sample_every=4))
    assert [sample.step for sample in session.of(Sample)] == [0, 4, 8, 12]


def test_a_sample_not_due_at_the_end_is_written_nevertheless(corpus: Path) -> None:
    session = run_to_end(small_config(corpus, sample_every=5))
    assert [sample.step for sample in session.of(Sample)] == [0, 5, 10, 12]


def test_patience_ends_a_run_that_no_longer_improves(corpus: Path) -> None:
    session = run_to_end(small_config(corpus, lr=1e-9, steps=1000, eval_every=1, patience=2, weight_decay=0.0))
    bests = [event.best for event in session.of(Evaluation)]
    assert bests[-2:] == [False, False]
    assert len(bests) == session.snapshot().step < 1000
    end = session.of(StateChanged)[-1]
    assert end.state == "finished"
    assert end.reason.startswith("validation loss has not improved for 2 evaluations")
    assert session.of(CheckpointSaved)[-1].reason == "finished"


def test_overfitting_is_told_once(corpus: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found_losses(monkeypatch, [2.0, 2.1, 2.2, 2.3, 2.4, 2.5, 2.6])
    session = run_to_end(small_config(corpus, steps=7, eval_every=1))
    (alert,) = session.of(Alert)
    assert (alert.kind, alert.severity, alert.step) == ("overfitting", "warning", 4)
    assert "since step 1" in alert.message


def test_two_runs_of_a_corpus_get_names_of_their_own(corpus: Path, runs: Path) -> None:
    for _ in range(2):
        run_to_end(small_config(corpus, steps=1, warmup=0))
    assert {path.name for path in runs.iterdir()} == {"cats", "cats-2"}


def test_a_corpus_with_a_name_that_is_no_text(tmp_path: Path, corpus: Path, runs: Path) -> None:
    odd = Path(str(tmp_path) + "/caf\udce9.txt")  # Latin-1 on disk, as Python shows it
    odd.write_bytes(corpus.read_bytes())
    session = run_to_end(small_config(odd))
    assert session.snapshot().state == "finished"
    assert Config.from_toml(only_run(runs).config).data.corpus == (str(odd),)


def test_listeners_hear_from_now_on(corpus: Path) -> None:
    session = ScriptedSession(small_config(corpus))
    heard: queue.SimpleQueue[Event] = session.subscribe()
    before = session.version
    session.run()
    assert [heard.get_nowait() for _ in range(heard.qsize())] == session.events
    assert session.version == before + len(session.events)


def test_the_session_runs_in_any_thread(corpus: Path) -> None:
    session = ScriptedSession(small_config(corpus))
    thread = threading.Thread(target=session.run, daemon=True)
    thread.start()
    thread.join(TIMEOUT)
    assert session.snapshot().state == "finished"


def test_a_run_of_so_many_minutes_ends_by_itself(corpus: Path) -> None:
    session = run_to_end(small_config(corpus, steps=None, minutes=0.01))
    run = session.of(RunStarted)[0]
    assert session.snapshot().state == "finished"
    assert session.of(Step)[-1].step == session.snapshot().run.plan.steps  # type: ignore[union-attr]
    assert "a step took 10 ms" in run.reasons["steps"]
