"""Samples and settings in the state of a run."""

from dataclasses import replace

from tests.unit.state.folded import BEGUN, fold, look, sample, started
from tui_trainer.run.commands import Command
from tui_trainer.run.events import Alert, CommandApplied, Event, PartialSample
from tui_trainer.sessions.base import Session
from tui_trainer.state.run_state import ALERTS_KEPT, SAMPLES_KEPT
from tui_trainer.state.samples import compared_samples


def test_what_was_chosen_at_first_is_still_told_after_a_resume() -> None:
    why = {"optimizer": "it adds little", "steps": "a step took 10 ms"}
    first = started(reasons=why)
    assert look(first, started(step=8)).run == started(step=8, reasons=why)
    longer = look(first, started(step=8, steps=200)).run
    assert longer is not None
    assert longer.reasons == {"optimizer": "it adds little"}


def test_a_sample_being_written_shows_until_it_is_done() -> None:
    partial = PartialSample(step=1, prompt="The", text="ca", temperature=0.8)
    assert look(*BEGUN, partial).partial_sample == partial
    assert look(*BEGUN, partial, sample(1, "cat")).partial_sample is None


def test_only_the_newest_samples_and_alerts_are_kept() -> None:
    events = [sample(number, str(number)) for number in range(60)]
    alerts = [Alert(step=number, kind="a", severity="info", message=str(number)) for number in range(60)]
    snapshot = look(*events, *alerts)
    assert [sample.step for sample in snapshot.samples] == list(range(59, 59 - SAMPLES_KEPT, -1))
    assert [alert.step for alert in snapshot.alerts] == list(range(59, 59 - ALERTS_KEPT, -1))


def test_the_first_sample_of_a_prompt_is_that_of_the_least_step() -> None:
    """As a finished run writes with its best model after its last, and is then resumed from a step between them."""
    folded = fold(started(), sample(100, "last"), sample(40, "best"), started(step=60))
    assert folded.first_samples == {"The": sample(40, "best")}
    assert compared_samples(folded.snapshot().samples, folded.first_samples) == ()


def test_settings_follow_the_commands() -> None:
    def told(name: str, value: float | str | bool | None) -> CommandApplied:
        return CommandApplied(name=name, value=value, source="keyboard")

    snapshot = look(*BEGUN, told("set_temperature", 1), told("set_prompt", "dog"), told("stop", True))
    assert (snapshot.temperature, snapshot.prompt) == (1, "dog")


class Idle(Session):
    def run(self) -> None: ...

    def send(self, command: Command) -> None: ...


def session(*events: Event) -> Session:
    idle = Idle()
    for event in events:
        idle.publish(event)
    return idle


def test_the_first_and_the_last_sample_are_of_the_same_prompt() -> None:
    first, last = sample(0, "xq"), sample(9, "cat")
    assert session(first).compared_samples() == ()
    assert session(first, sample(5, "ca"), last).compared_samples() == (first, last)
    assert session(first, last, sample(10, "dog", prompt="A")).compared_samples() == (first, last)
    other = sample(11, "goat", prompt="A")
    assert session(first, last, sample(10, "dog", prompt="A"), other).compared_samples() == (
        sample(10, "dog", prompt="A"),
        other,
    )


def test_at_the_end_the_last_sample_of_each_model_is_told() -> None:
    first, last = sample(0, "xq"), replace(sample(9, "cat"), model="last")
    best, again = (replace(sample(4, text), model="best") for text in ("dog", "dig"))
    assert session(first, last, best).compared_samples() == (first, last, best)
    assert session(first, last, best, again).compared_samples() == (first, last, again)
    assert session(first, best).compared_samples() == (first, best)
    longer = sample(12, "cow")
    assert session(first, last, best, longer).compared_samples() == (first, longer), "the run was trained on"


def test_a_sample_taken_again_is_not_its_own_after() -> None:
    again = replace(sample(9, "cat"), time=500.0, model="best")
    assert session(sample(9, "cat"), again).compared_samples() == ()
    assert session(sample(9, "cat"), again).snapshot().samples == (again,)


def test_the_first_sample_is_remembered_however_many_follow() -> None:
    first = sample(0, "xq")
    assert session(first, *(sample(number, "cat") for number in range(1, 200))).compared_samples() == (
        first,
        sample(199, "cat"),
    )
