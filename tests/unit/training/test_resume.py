"""A run taken up again goes on as if it had never stopped."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from tests.folding import curve
from tests.unit.run import journals
from tests.unit.training.checkpoints.forging import forge
from tests.unit.training.helpers import (
    Resumed,
    ScriptedSession,
    journalled,
    only_run,
    run_to_end,
    small_config,
    stop_after,
)
from tui_trainer.config import Config, InputError
from tui_trainer.run.commands import Command, SetPrompt, SetTemperature, Stop
from tui_trainer.run.directory import RunDirectory
from tui_trainer.run.events import Alert, Evaluation, Event, RunStarted, Sample, StateChanged, Step
from tui_trainer.training.local import LocalSession


def resume(directory: RunDirectory, steps: int | None = None, again: bool = False) -> ScriptedSession:
    session = Resumed(directory, steps, again)
    session.run()
    return session


def learned(session: ScriptedSession) -> list[tuple[Any, ...]]:
    """All that depends on weights, optimizer, batches and dropout."""
    return [(event.step, event.loss, event.lr, event.grad_norm, event.weight_norm) for event in session.of(Step)]


def judged(session: ScriptedSession) -> list[tuple[Any, ...]]:
    return [(event.step, event.train_loss, event.val_loss, event.best) for event in session.of(Evaluation)]


@pytest.mark.parametrize("step", [5, 6])
@pytest.mark.parametrize(
    "changes",
    [
        {"optimizer": "adamw", "accumulate": 2},
        {"optimizer": "muon", "token_masking": 0.3},
        {"tokenizer": "bpe", "vocab_size": 270, "bpe_dropout": 0.3},
        {"optimizer": "muon", "precision": "bf16"},
    ],
    ids=["adamw", "muon", "bpe", "bf16"],
)
def test_what_follows_equals_an_uninterrupted_run_bit_for_bit(
    corpus: Path, runs: Path, step: int, changes: dict[str, Any]
) -> None:
    whole = run_to_end(small_config(corpus, dropout=0.2, **changes, name="whole"))
    first = run_to_end(small_config(corpus, dropout=0.2, **changes, name="parts"), stop_after(step))
    second = resume(RunDirectory(runs / "parts"))
    assert learned(first) + learned(second) == learned(whole)
    assert judged(first) + judged(second) == judged(whole)
    assert second.of(Sample)[-1].text == whole.of(Sample)[-1].text


def test_a_killed_run_goes_on_from_its_last_checkpoint(corpus: Path, runs: Path) -> None:
    """Killed at step 5, and once more at step 8; checkpoints are every 3 steps, and where validation was best."""
    whole = run_to_end(small_config(corpus, name="whole"))
    run_to_end(small_config(corpus, name="parts"), stop_after(5, save=False))
    directory = RunDirectory(runs / "parts")
    second = Resumed(directory, react=stop_after(7, save=False))
    second.run()
    third = resume(directory)
    assert learned(second)[0] == learned(whole)[4]
    assert learned(third) == learned(whole)[6:]


def test_the_journal_and_the_screen_go_on(corpus: Path, runs: Path) -> None:
    run_to_end(small_config(corpus), stop_after(5))
    session = resume(only_run(runs))
    events = journalled(session)
    assert [event.step for event in events if isinstance(event, Step)] == list(range(1, 13))
    assert [event.step for event in events if isinstance(event, RunStarted)] == [0, 5]
    states = [event.state for event in events if isinstance(event, StateChanged)]
    assert states == ["running", "stopped", "running", "finished"]
    snapshot = session.snapshot()
    assert curve(snapshot, "loss").steps.tolist() == list(range(1, 13))
    steps = [sample.step for sample in snapshot.samples]
    assert steps == [12, 6, 0], "those that an uninterrupted run has"


def test_steps_of_an_abandoned_tail_are_shown_once(corpus: Path, runs: Path) -> None:
    run_to_end(small_config(corpus, eval_every=100), stop_after(5, save=False))  # the last checkpoint is of step 3
    session = resume(only_run(runs))
    assert session.of(Step)[0].step == 4
    assert curve(session.snapshot(), "loss").steps.tolist() == list(range(1, 13))


def test_the_screen_shows_the_past_before_the_first_step(corpus: Path, runs: Path) -> None:
    run_to_end(small_config(corpus), stop_after(5))
    seen = []

    def look(event: Event) -> Command | None:
        seen.append(session.snapshot())
        return None

    session = Resumed(only_run(runs), react=look)
    session.run()
    assert {snapshot.state for snapshot in seen[:3]} == {"loading"}
    assert seen[1].step == 5
    assert len(curve(seen[1], "loss")) == 5


def test_an_evaluation_that_was_given_up_is_made_up_for(corpus: Path, runs: Path) -> None:
    straight = run_to_end(small_config(corpus, name="straight"))

    def stop_at_four(event: Event) -> Command | None:
        return Stop(value=True) if isinstance(event, Step) and event.step == 4 else None

    broken = run_to_end(small_config(corpus, name="broken"), stop_at_four)
    assert broken.of(Evaluation) == []
    resumed = resume(RunDirectory(runs / "broken"))
    assert judged(resumed) == judged(straight)


def test_temperature_and_prompt_are_remembered(corpus: Path, runs: Path) -> None:
    asked = {2: SetTemperature(value=0.3), 3: SetPrompt(value="dog")}
    stop = stop_after(5)
    run_to_end(
        small_config(corpus),
        lambda event: asked.get(event.step) if isinstance(event, Step) and event.step < 5 else stop(event),
    )
    session = resume(only_run(runs))
    assert (session.of(RunStarted)[0].sampling.temperature, session.of(RunStarted)[0].sampling.prompt) == (0.3, "dog")
    assert {(sample.temperature, sample.prompt) for sample in session.of(Sample)} == {(0.3, "dog")}


@pytest.mark.parametrize("steps", [None, 12])
def test_a_finished_run_takes_no_further_step(corpus: Path, runs: Path, steps: int | None) -> None:
    run_to_end(small_config(corpus))
    session = resume(only_run(runs), steps)
    assert session.of(Step) == []
    assert session.snapshot().state == "finished"
    assert "at step 12 of 12. To train on, resume it with --again" in session.of(Alert)[0].message
    assert Config.from_toml(only_run(runs).config).schedule.steps == 12


def test_a_finished_run_goes_on_for_as_many_steps_again(corpus: Path, runs: Path) -> None:
    run_to_end(small_config(corpus))
    session = resume(only_run(runs), again=True)
    assert [event.step for event in session.of(Step)] == list(range(13, 25))
    assert session.of(RunStarted)[0].plan.steps == 24
    assert Config.from_toml(only_run(runs).config).schedule.steps == 24


def test_a_longer_run_that_was_killed_at_once_goes_on(corpus: Path, runs: Path) -> None:
    """Before it had saved anything: the newest checkpoint is that of the end it had before."""
    run_to_end(small_config(corpus))
    killed = Resumed(only_run(runs), again=True, react=stop_after(13, save=False))
    killed.run()
    session = resume(only_run(runs))
    assert [event.step for event in session.of(Step)] == list(range(13, 25))


def test_a_run_amid_its_steps_has_no_end_to_go_on_from(corpus: Path, runs: Path) -> None:
    run_to_end(small_config(corpus), stop_after(5))
    session = resume(only_run(runs), again=True)
    assert session.outcome is not None
    assert session.outcome.status == 2
    assert session.outcome.error == "The run is at step 5 of 12: resume it without --again to go on to its end."


def test_a_run_can_be_made_longer(corpus: Path, runs: Path) -> None:
    run_to_end(small_config(corpus))
    assert resume(only_run(runs), steps=14).snapshot().step == 14


def test_a_run_can_be_ended_where_it_stands(corpus: Path, runs: Path) -> None:
    run_to_end(small_config(corpus), stop_after(5))
    session = resume(only_run(runs), steps=5)
    assert session.of(Step) == []
    assert [event.step for event in session.of(Evaluation)] == [5]
    assert session.snapshot().state == "finished"


def test_a_run_cannot_end_before_it_has_come_to(corpus: Path, runs: Path) -> None:
    run_to_end(small_config(corpus))
    before = only_run(runs).journal.read_bytes()
    session = resume(only_run(runs), steps=11)
    assert session.outcome is not None
    assert session.outcome.status == 2
    assert session.outcome.error == "The run has taken 12 steps already: give --steps a larger number."
    assert only_run(runs).journal.read_bytes() == before


@pytest.mark.parametrize("patience", [0, 2])
def test_a_finished_checkpoint_of_an_earlier_version_is_an_end(corpus: Path, runs: Path, patience: int) -> None:
    worse = {"lr": 3.0, "warmup": 11, "eval_every": 2, "dropout": 0.2}
    finished = run_to_end(small_config(corpus, **worse, patience=patience)).snapshot()
    assert finished.step == (6 if patience else 12)
    path = only_run(runs).checkpoints / f"step-{finished.step:08}"
    forge(path, planned_steps=None, evaluated_step=None, reason="finished")
    session = resume(only_run(runs))
    assert session.of(Step) == session.of(Evaluation) == []
    assert session.snapshot().reason == finished.reason


@pytest.mark.parametrize(("steps", "every", "evaluated"), [(13, 12, [13]), (13, 6, [6, 12, 13]), (12, 5, [5, 10, 12])])
def test_an_end_is_not_evaluated_twice(corpus: Path, steps: int, every: int, evaluated: list[int]) -> None:
    """Not a step before it either, by the measure of how far evaluations are apart."""
    session = run_to_end(small_config(corpus, steps=steps, eval_every=every))
    assert [event.step for event in session.of(Evaluation)] == evaluated


def test_a_run_stopped_by_patience_goes_on_with_new_patience(corpus: Path, runs: Path) -> None:
    first = run_to_end(small_config(corpus, lr=1e-9, weight_decay=0.0, steps=100, eval_every=1, patience=2))
    ended = first.snapshot().step
    session = resume(only_run(runs), steps=ended + 10)
    assert session.of(Step)[0].step == ended + 1
    assert session.snapshot().step >= ended + 2


def test_a_changed_corpus_is_refused(corpus: Path, runs: Path) -> None:
    run_to_end(small_config(corpus), stop_after(5))
    before = only_run(runs).journal.read_bytes()
    corpus.write_text(corpus.read_text(encoding="utf-8") + "And that was all.\n", encoding="utf-8")
    session = resume(only_run(runs))
    assert session.outcome is not None
    assert session.outcome.status == 2
    assert session.outcome.error.startswith("The corpus of cats has changed since the run began")
    assert only_run(runs).journal.read_bytes() == before


def test_a_configuration_that_lacks_what_a_run_needs_is_refused(corpus: Path, runs: Path) -> None:
    run_to_end(small_config(corpus), stop_after(5))
    directory = only_run(runs)
    directory.config.write_text(re.sub(r"(?m)^(lr|eval_every) = .*\n", "", directory.config.read_text()))
    session = resume(directory)
    assert session.outcome is not None
    assert session.outcome.error == f"The config.toml of {directory.name} lacks lr, eval_every: restore that file."


def test_a_missing_corpus_is_refused_at_once(corpus: Path, runs: Path) -> None:
    run_to_end(small_config(corpus), stop_after(5))
    corpus.unlink()
    with pytest.raises(InputError, match="There is no file"):
        LocalSession.resume(only_run(runs))


def test_a_run_without_a_checkpoint_is_refused(corpus: Path, runs: Path) -> None:
    run_to_end(small_config(corpus, eval_every=100), stop_after(2, save=False))
    session = resume(only_run(runs))
    assert session.outcome is not None
    assert session.outcome.status == 2
    assert "has no checkpoint that can be read" in session.outcome.error


def test_a_damaged_checkpoint_costs_no_more_than_its_steps(corpus: Path, runs: Path) -> None:
    whole = run_to_end(small_config(corpus, name="whole"))
    run_to_end(small_config(corpus, name="parts"), stop_after(7))
    directory = RunDirectory(runs / "parts")
    newest = directory.checkpoints / "step-00000007" / "model.safetensors"
    newest.write_bytes(newest.read_bytes()[:-100])
    session = resume(directory)
    assert learned(session) == learned(whole)[6:]
    assert session.snapshot().state == "finished"
    assert (directory.checkpoints / ".unreadable-step-00000007").is_dir()


def test_a_torn_journal_is_mended(corpus: Path, runs: Path) -> None:
    run_to_end(small_config(corpus), stop_after(5))
    path = only_run(runs).journal
    with path.open("ab") as file:
        file.write(b'{"event": "step", "step": 6, "lo')
    resume(only_run(runs))
    lines = path.read_text(encoding="utf-8").splitlines()
    assert all(json.loads(line)["event"] for line in lines)
    assert [event.step for event in journals.read(path) if isinstance(event, Step)] == list(range(1, 13))


def test_a_run_left_in_its_last_evaluation_has_no_more_steps_to_take(corpus: Path, runs: Path) -> None:
    run_to_end(small_config(corpus, eval_every=100), stop_after(12))
    session = resume(only_run(runs))
    assert session.of(Step) == []
    assert session.of(RunStarted)[0].plan.steps == 12
    assert session.of(Evaluation)[-1].step == 12
    assert session.snapshot().state == "finished"


def test_what_another_optimizer_remembers_is_refused(corpus: Path, runs: Path) -> None:
    run_to_end(small_config(corpus, optimizer="adamw"), stop_after(5))
    directory = only_run(runs)
    config = directory.config.read_text(encoding="utf-8")
    directory.config.write_text(config.replace('"adamw"', '"muon"'), encoding="utf-8")
    outcome = resume(directory).outcome
    assert outcome.status == 2
    assert "does not fit its config.toml" in outcome.error
