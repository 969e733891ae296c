"""A run seen from outside: a session in a thread, commands in, events out."""

import queue
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.unit.training.faults import found_losses
from tests.unit.training.helpers import (
    ENDLESS,
    ScriptedSession,
    journalled,
    only_run,
    run_to_end,
    small_config,
    stop_after,
    watched,
)
from tests.waiting import TIMEOUT, until
from tui_trainer.config import Config, InputError
from tui_trainer.model.transformer import Transformer
from tui_trainer.run.commands import (
    Command,
    Generate,
    Pause,
    Resume,
    SaveCheckpoint,
    SetPrompt,
    SetTemperature,
    StepOnce,
    Stop,
)
from tui_trainer.run.directory import RunDirectory
from tui_trainer.run.events import (
    Alert,
    CheckpointSaved,
    CommandApplied,
    Evaluation,
    Event,
    RunStarted,
    Sample,
    Stage,
    StateChanged,
    Step,
)
from tui_trainer.run.folder import Folder
from tui_trainer.sessions.base import Outcome
from tui_trainer.training import journalling
from tui_trainer.training.local import TRACEBACK, LocalSession
from tui_trainer.training.probes import evaluation, validation
from tui_trainer.training.step.stepper import Stepper

CPU_ENDLESS = {"steps": ENDLESS, "eval_every": ENDLESS, "sample_every": ENDLESS, "checkpoint_every": ENDLESS}


def endless(corpus: Path) -> LocalSession:
    return LocalSession(small_config(corpus, **CPU_ENDLESS))


def steps_of(events: list[Event]) -> list[int]:
    return [event.step for event in events if isinstance(event, Step)]


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
    session = ScriptedSession(small_config(corpus, **CPU_ENDLESS))
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


def test_watching_and_asking_changes_nothing_learned(corpus: Path) -> None:
    def restless(event: Event) -> Command | None:
        match event:
            case Step(step=3):
                return Pause()
            case StateChanged(state="paused"):
                return StepOnce()
            case Step(step=4):
                return Generate()
            case Step(step=5) | Sample(step=4):
                return Resume()
            case Step(step=7):
                return SaveCheckpoint()
        return None

    calm = run_to_end(small_config(corpus, dropout=0.2))
    steered = run_to_end(small_config(corpus, dropout=0.2), restless)
    assert [event.loss for event in calm.of(Step)] == [event.loss for event in steered.of(Step)]


def test_a_paused_run_takes_no_steps_until_told(corpus: Path) -> None:
    with watched(endless(corpus)) as run:
        run.wait_for_kind(Step)
        run.ask(Pause())
        at = run.wait_for_state("paused").step
        run.ask(Generate())
        run.wait_for(lambda event: isinstance(event, Sample) and event.step == at)
        assert steps_of(run.events)[-1] == at

        run.ask(StepOnce())
        assert run.wait_for_kind(Step).step == at + 1
        run.ask(Generate())
        run.wait_for(lambda event: isinstance(event, Sample) and event.step == at + 1)
        assert steps_of(run.events)[-1] == at + 1
        assert run.session.snapshot().state == "paused"

        run.ask(Resume())
        assert run.wait_for_state("running").step == at + 1
        run.wait_for(lambda event: isinstance(event, Step) and event.step == at + 5)


def test_pause_and_resume_twice_are_once(corpus: Path) -> None:
    with watched(endless(corpus)) as run:
        run.wait_for_kind(Step)
        for command in (Resume(), StepOnce(), Pause(), Pause(), Resume(), Resume(), SaveCheckpoint()):
            run.ask(command)
        run.wait_for_kind(CheckpointSaved)
        states = [event.state for event in run.events if isinstance(event, StateChanged)]
        assert states == ["running", "paused", "running"]


def test_commands_are_events_and_journalled(corpus: Path) -> None:
    with watched(endless(corpus)) as run:
        run.wait_for_kind(Sample)
        run.ask(Pause())
        at = run.wait_for_state("paused").step
        run.ask(SetTemperature(value=0.25))
        run.ask(SetPrompt(value="The dog"))
        run.ask(Generate(source="test"))
        sample = run.wait_for_kind(Sample)
        assert (sample.prompt, sample.temperature, sample.step) == ("The dog", 0.25, at)
        snapshot = run.session.snapshot()
        assert (snapshot.temperature, snapshot.prompt) == (0.25, "The dog")
        run.ask(SaveCheckpoint())
        saved = run.wait_for_kind(CheckpointSaved)
        assert (saved.step, saved.reason) == (at, "asked")
        assert Path(saved.path).is_dir()
    told = [
        (event.name, event.value, event.source)
        for event in journalled(run.session)
        if isinstance(event, CommandApplied)
    ]
    assert told == [
        ("pause", None, "keyboard"),
        ("set_temperature", 0.25, "keyboard"),
        ("set_prompt", "The dog", "keyboard"),
        ("generate", None, "test"),
        ("save_checkpoint", None, "keyboard"),
        ("stop", False, "test"),
    ]


def test_samples_asked_for_differ_and_regular_ones_compare(corpus: Path) -> None:
    session = run_to_end(
        small_config(corpus), lambda event: Generate() if isinstance(event, Step) and event.step in (2, 9) else None
    )
    samples = session.of(Sample)
    assert [(sample.step, sample.seed) for sample in samples] == [(0, 1), (2, 2), (6, 1), (9, 3), (12, 1)]


def test_the_last_sample_is_written_once_when_it_was_due_anyway(corpus: Path) -> None:
    session = run_to_end(small_config(corpus, sample_every=4))
    assert [sample.step for sample in session.of(Sample)] == [0, 4, 8, 12]


def test_a_sample_not_due_at_the_end_is_written_nevertheless(corpus: Path) -> None:
    session = run_to_end(small_config(corpus, sample_every=5))
    assert [sample.step for sample in session.of(Sample)] == [0, 5, 10, 12]


@pytest.mark.parametrize("save", [True, False])
def test_stop_with_and_without_a_checkpoint(corpus: Path, runs: Path, save: bool) -> None:
    session = run_to_end(small_config(corpus, **CPU_ENDLESS), stop_after(5, save))
    assert session.outcome is not None
    assert session.outcome.status == 0
    assert steps_of(session.events)[-1] == 5
    assert session.snapshot().state == "stopped"
    saved = {path.name for path in only_run(runs).checkpoints.glob("step-*")}
    assert saved == ({"step-00000005"} if save else set())


def test_a_stop_gives_up_a_long_evaluation(corpus: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(evaluation, "TOKENS_PER_BATCH", 1)
    session = ScriptedSession(small_config(corpus))
    loss, calls = Transformer.loss, []

    def counted(*arguments: object) -> object:
        calls.append(arguments)
        if len(calls) == 6:  # four steps, then two windows of the evaluation
            session.send(Stop())
        return loss(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(Transformer, "loss", counted)
    session.run()
    assert len(calls) == 6
    assert session.of(Evaluation) == []
    assert session.snapshot().state == "stopped"


def test_a_finished_run_still_answers(corpus: Path) -> None:
    with watched(LocalSession(small_config(corpus))) as run:
        run.wait_for_state("finished")
        run.ask(Resume())
        run.ask(SetPrompt(value="cat"))
        run.ask(Generate())
        sample = run.wait_for_kind(Sample)
        assert (sample.step, sample.prompt) == (12, "cat")
        assert run.session.outcome is None
    assert steps_of(run.events)[-1] == 12
    assert run.session.snapshot().state == "finished"


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


# -- what goes wrong ----------------------------------------------------------------------------------------------


def raising(error: Exception) -> Callable[..., None]:
    def raise_it(*_: object) -> None:
        raise error

    return raise_it


def test_a_run_that_is_over_has_no_log_to_open(corpus: Path, tmp_path: Path) -> None:
    session = run_to_end(small_config(corpus))
    assert session.outcome == Outcome()
    others = [Folder.open(tmp_path) for _ in range(50)]  # one of them has the number that the run's directory had
    with pytest.raises(FileNotFoundError):
        session.open_log()
    for other in others:
        other.close()
    assert not (tmp_path / "output.log").exists()


def test_a_failure_is_told_and_kept(corpus: Path, runs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Stepper, "take", raising(RuntimeError("the device is gone")))
    session = run_to_end(small_config(corpus))
    assert session.outcome is not None
    assert session.outcome.status == 1
    assert session.snapshot().state == "failed"
    assert session.snapshot().reason.startswith("RuntimeError: the device is gone.")
    assert str(only_run(runs).path / TRACEBACK) in session.outcome.error
    assert "Traceback (most recent call last)" in (only_run(runs).path / TRACEBACK).read_text(encoding="utf-8")
    assert journalled(session)[-1] == session.of(StateChanged)[-1]


def test_a_failure_without_room_for_a_traceback_is_told_too(
    corpus: Path, runs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Stepper, "take", raising(RuntimeError("the device is gone")))
    # A folder in the way, as a stand-in for a full disk.
    session = run_to_end(
        small_config(corpus), lambda event: (only_run(runs).path / TRACEBACK).mkdir() if event.event == "run" else None
    )
    assert session.outcome is not None
    assert session.outcome.status == 1
    assert session.snapshot().state == "failed"


def test_out_of_memory_says_what_helps(corpus: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import torch

    monkeypatch.setattr(Stepper, "take", raising(torch.OutOfMemoryError("CUDA out of memory. Tried to allocate ...")))
    session = run_to_end(small_config(corpus))
    assert session.snapshot().reason.startswith("The device ran out of memory: use a smaller --context or --width.")


@pytest.mark.parametrize(
    "changes",
    [{"context": 4096}, {"heads": 3, "width": None}, {"warmup": 12}],
)
def test_bad_input_leaves_no_run(corpus: Path, runs: Path, changes: dict[str, float]) -> None:
    session = run_to_end(small_config(corpus, **changes))
    assert session.outcome is not None
    assert session.outcome.status == 2
    assert session.outcome.error
    assert not runs.exists()


def test_what_is_wrong_at_once_is_refused_before_a_screen_opens(corpus: Path, runs: Path) -> None:
    with pytest.raises(InputError, match="There is no file"):
        LocalSession(small_config(corpus.with_name("dogs.txt")))
    with pytest.raises(InputError, match="cannot name a run"):
        LocalSession(small_config(corpus, name="a/b"))
    with pytest.raises(InputError, match="is not a directory"):
        LocalSession(small_config(corpus, runs_dir=str(corpus / "runs")))


@pytest.mark.parametrize(
    "stage", ["loading torch", "reading", "tokenizing", "measuring this machine", "building the model"]
)
def test_a_stop_during_preparation_leaves_nothing(corpus: Path, runs: Path, stage: str) -> None:
    session = run_to_end(
        small_config(corpus), lambda event: Stop() if isinstance(event, Stage) and event.stage == stage else None
    )
    assert session.outcome is not None
    assert session.outcome.status == 0
    assert session.of(RunStarted) == []
    assert not runs.exists()


def test_a_failure_between_steps_keeps_the_steps(corpus: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(validation, "evaluation", raising(RuntimeError("the cat got it")))
    session = run_to_end(small_config(corpus))
    assert session.snapshot().state == "failed"
    assert [(event.step, event.reason) for event in session.of(CheckpointSaved)][-1] == (4, "failed")


def test_a_run_has_one_trainer(corpus: Path, runs: Path) -> None:
    second: list[LocalSession] = []

    def resume_meanwhile(event: Event) -> Command | None:
        if isinstance(event, CheckpointSaved) and not second:
            second.append(LocalSession.resume(only_run(runs)))
            second[0].run()
        return None

    first = run_to_end(small_config(corpus), resume_meanwhile)
    assert second[0].outcome == Outcome(2, "The run cats is being trained by another process: attach shows it.")
    assert first.outcome == Outcome()
    assert steps_of(journalled(first)) == list(range(1, 13))


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
