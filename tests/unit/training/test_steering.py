"""A run that is steered: commands of a front end, and what they change."""

from pathlib import Path

import pytest

from tests.unit.training.helpers import (
    NEVER_ENDING,
    ScriptedSession,
    journalled,
    only_run,
    run_to_end,
    small_config,
    steps_of,
    stop_after,
    watched,
)
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
from tui_trainer.run.events import CheckpointSaved, CommandApplied, Evaluation, Event, Sample, StateChanged, Step
from tui_trainer.training.local import LocalSession
from tui_trainer.training.probes import evaluation


def endless(corpus: Path) -> LocalSession:
    return LocalSession(small_config(corpus, **NEVER_ENDING))


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
    assert [sample.seed for sample in samples] == [1, 2, 1, 3, 1]
    assert [sample.step for sample in samples if sample.seed == 1] == [0, 6, 12]
    asked = [sample.step for sample in samples if sample.seed != 1]  # begun when the one before it is finished
    assert 2 <= asked[0] <= 6 and 9 <= asked[1] <= 12


@pytest.mark.parametrize("save", [True, False])
def test_stop_with_and_without_a_checkpoint(corpus: Path, runs: Path, save: bool) -> None:
    session = run_to_end(small_config(corpus, **NEVER_ENDING), stop_after(5, save))
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


def test_what_is_shown_of_a_prompt_is_what_can_be_used(corpus: Path) -> None:
    """Of the one that the run begins with, and of one that is asked for, at once."""
    with watched(LocalSession(small_config(corpus, prompt="The \u20ac", **NEVER_ENDING))) as run:
        run.wait_for_state("running")
        assert run.session.snapshot().prompt == "The "
        run.ask(SetPrompt(value="\u65e5cat"))
        assert run.wait_for_kind(CommandApplied).value == "cat"
        shown = run.session.snapshot()
        assert shown.prompt == "cat"
        told = [alert.message for alert in shown.alerts if alert.kind == "prompt"]
    assert [message[-1] for message in told] == ["\u65e5", "\u20ac"]


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
