"""Trouble that lasts: losses worse than guessing, and gradients that are always clipped."""

import math
import random
from collections.abc import Iterable
from pathlib import Path

import pytest

from tests.unit.training.faults import poisoned
from tests.unit.training.helpers import (
    Resumed,
    ScriptedSession,
    run_to_end,
    small_config,
    stop_after,
)
from tui_trainer.run.commands import Command, Resume
from tui_trainer.run.events import Alert, Event, StateChanged, Step
from tui_trainer.training.recovery import sustained
from tui_trainer.training.recovery.divergence import DivergenceDetector
from tui_trainer.training.recovery.sustained import (
    CLEAR,
    FAR,
    MAX_FAR,
    SHARE_STEPS,
    ClippingMonitor,
    UniformLossMonitor,
)
from tui_trainer.training.step.stepper import StepResult

VOCAB_SIZE = 57
GUESS = math.log(VOCAB_SIZE)
BAD, GOOD = GUESS + FAR + 0.1, GUESS - 1

QUIET = {"eval_every": 1000, "sample_every": 1000, "checkpoint_every": 1000, "schedule": "constant", "warmup": 0}
WILD = {**QUIET, "optimizer": "muon", "lr": 10.0, "steps": 400}
"""A rate at which any model is worse than guessing, from the first steps on."""


def result(step: int, loss: float, grad_norm: float = 1.0) -> StepResult:
    return StepResult(step, lr=1e-3, loss=loss, grad_norm=grad_norm, weight_norm=1.0, seconds=0.01)


def watched(losses: Iterable[float], clip: float = 0.0) -> tuple[DivergenceDetector, list[tuple[int, str]]]:
    """A detector that was shown these losses, and at which steps it found what."""
    detector, found = DivergenceDetector("fp32", VOCAB_SIZE, clip), list[tuple[int, str]]()
    for step, loss in enumerate(losses, 1):
        if trouble := detector.update(result(step, loss)):
            found.append((step, trouble))
    return detector, found


def test_a_loss_that_is_worse_than_guessing_from_the_first_steps_is_trouble() -> None:
    detector, ((step, trouble), *_) = watched([GUESS, *[BAD] * MAX_FAR])
    assert step == MAX_FAR + 1
    assert trouble == f"loss was far above 4.04, that of guessing, for {MAX_FAR} steps"
    assert detector.persistent


def test_it_is_trouble_with_better_steps_between() -> None:
    noise = random.Random(1)
    _, found = watched(BAD if noise.random() < 0.75 else GOOD for _ in range(400))
    assert found
    assert found[0][0] < 200


@pytest.mark.parametrize(
    "losses",
    [
        [GUESS + 0.05] * 500,  # a rate of almost nothing
        [GUESS + 0.4] * 500,  # noise that cannot be learned, at a high rate
        [GUESS, *[GUESS + 9.0] * 20, *[GUESS - 1.5] * 400],  # a high rate that works, without warmup
        [GUESS, *([BAD] * 3 + [GOOD] * 4) * 60],  # a hard text
    ],
    ids=["hardly learning", "noise", "high rate", "odd batches"],
)
def test_what_is_none(losses: list[float]) -> None:
    assert watched(losses)[1] == []


def test_nothing_is_kept_while_it_is_suspected() -> None:
    detector, _ = watched([GUESS, BAD])
    assert not detector.healthy
    detector.update(result(3, GOOD))
    assert detector.healthy


def test_what_was_counted_outlives_a_resume() -> None:
    first, _ = watched([BAD] * (MAX_FAR - 1), clip=1.0)
    second = DivergenceDetector("fp32", VOCAB_SIZE, 1.0)
    second.load(first.state())
    assert second.update(result(MAX_FAR, BAD)) == first.update(result(MAX_FAR, BAD)) != ""
    assert second.state() == first.state()


@pytest.mark.parametrize(
    ("losses", "bad"),
    [
        ([BAD] * 3, True),
        ([GUESS, BAD, BAD, BAD], True),
        ([GOOD] * 100 + [BAD] * 6, True),
        ([BAD] * 40 + [GOOD] * 6, False),
        ([GOOD] * 100 + [BAD], False),
        ([GUESS + CLEAR / 2] * 9, False),
        ([], False),
    ],
)
def test_whether_a_run_ends_worse_than_guessing(losses: list[float], bad: bool) -> None:
    guessing = UniformLossMonitor.of_vocabulary(VOCAB_SIZE)
    for loss in losses:
        guessing.update(loss)
    assert (
        guessing.final_warning
        == bad * "The run ends with a loss above 4.04, that of guessing: train again with a lower --lr."
    )


# -- clipping -------------------------------------------------------------------------------------------------------


def advice(clipping: ClippingMonitor, norms: Iterable[float]) -> list[tuple[int, str]]:
    return [(step, told) for step, norm in enumerate(norms, 1) if (told := clipping.update(norm))]


def test_nearly_every_gradient_clipped_is_told_once() -> None:
    norms = [0.5 if step % 25 == 0 else 3.0 for step in range(3 * SHARE_STEPS)]
    assert advice(ClippingMonitor(1.0), norms) == [
        (
            SHARE_STEPS,
            "480 of the last 500 gradients were longer than --clip 1, and clipped: "
            "another run may learn better with a lower --lr, or a larger --clip.",
        )
    ]


@pytest.mark.parametrize(
    ("most", "norms"),
    [
        (0.0, [1e9] * 3 * SHARE_STEPS),
        (1.0, [3.0] * 300 + [0.5] * 700),  # as the first hundreds of a large model's are
        (1.0, [0.9, 1.1] * 2 * SHARE_STEPS),
    ],
    ids=["off", "beginning", "half"],
)
def test_less_is_not(most: float, norms: list[float]) -> None:
    assert advice(ClippingMonitor(most), norms) == []


# -- in a run ------------------------------------------------------------------------------------------------------


def told(session: ScriptedSession) -> list[tuple[int, str, str]]:
    return [(alert.step, alert.kind, alert.message) for alert in session.of(Alert)]


def test_an_explosion_in_the_first_steps_is_undone_at_half_the_rate_until_it_is_no_use(corpus: Path) -> None:
    session = run_to_end(small_config(corpus, **WILD))
    alerts = told(session)
    assert [kind for _, kind, _ in alerts] == ["divergence"] * 4
    assert "that of guessing, for 50 steps. The weights are those of step 0 again" in alerts[0][2]
    assert f"0.5 of the planned for {400 - alerts[0][0]} steps (rollback 1 of at most 3)" in alerts[0][2]
    assert list(dict.fromkeys(step.lr for step in session.of(Step))) == [10, 5, 2.5, 1.25]
    assert session.outcome is not None
    assert session.outcome.status == 1
    assert "3 rollbacks did not help: train again with a lower --lr." in session.outcome.error
    assert session.of(StateChanged)[-1].state == "failed"


def test_a_run_at_half_the_rate_for_good_may_be_rescued(corpus: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sustained, "MAX_FAR", 10)
    session = run_to_end(small_config(corpus, **{**WILD, "lr": 0.5, "steps": 120}))
    assert 1 <= len(told(session)) <= 3
    assert session.snapshot().state == "finished"
    rates = [step.lr for step in session.of(Step)]
    assert rates[-1] < 0.5, "to the end"
    assert session.of(Step)[-1].loss < math.log(20)


def test_a_spike_later_on_does_not_bring_back_the_rate_that_was_too_high(
    corpus: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sustained, "MAX_FAR", 10)
    poisoned(monkeypatch, {80, 81, 82})
    update, rates = UniformLossMonitor.update, list[float]()
    # As if the first ten steps were worse than guessing.
    monkeypatch.setattr(UniformLossMonitor, "update", lambda self, loss: update(self, loss + 99.0 * (len(rates) <= 10)))

    def note(event: Event) -> Command | None:
        rates.extend([event.lr] if isinstance(event, Step) else [])
        return None

    run_to_end(small_config(corpus, **QUIET, steps=130), note)
    assert list(dict.fromkeys(rates)) == [1e-2, 5e-3, 2.5e-3]
    assert rates[-1] == 2.5e-3


def test_it_can_pause_instead(corpus: Path) -> None:
    def check_stop(event: Event) -> Command | None:
        return Resume() if isinstance(event, StateChanged) and event.state == "paused" else None

    session = run_to_end(small_config(corpus, **{**WILD, "steps": 80}, on_divergence="pause"), check_stop)
    (_, _, paused), (step, kind, ending) = told(session)
    assert "for 50 steps: paused" in paused
    assert (step, kind) == (80, "divergence")
    assert "The run ends with a loss above" in ending
    assert session.snapshot().state == "finished"


def test_it_can_stop_instead(corpus: Path) -> None:
    session = run_to_end(small_config(corpus, **WILD, on_divergence="stop"))
    assert session.outcome is not None
    assert session.outcome.status == 1
    assert "train again with a lower --lr." in session.outcome.error


def test_a_short_run_that_ends_worse_than_guessing_says_so(corpus: Path) -> None:
    session = run_to_end(small_config(corpus, **{**WILD, "steps": 12}))
    ((step, kind, message),) = told(session)
    assert (step, kind) == (12, "divergence")
    assert "train again with a lower --lr" in message
    assert session.of(Alert)[0].severity == "warning"
    assert session.snapshot().state == "finished"


def test_a_resumed_run_decides_as_one_that_was_not_cut(corpus: Path) -> None:
    whole = run_to_end(small_config(corpus, **{**WILD, "steps": 60}, name="whole"))
    cut = run_to_end(small_config(corpus, **{**WILD, "steps": 60}, name="cut"), stop_after(30))
    resumed = Resumed(cut.directory_of_run)
    resumed.run()
    divergences = [alert for alert in told(resumed) if alert[1] == "divergence"]
    assert [step for step, _, _ in divergences] == [step for step, _, _ in told(whole)]


def test_advice_on_clipping_ends_nothing(corpus: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sustained, "SHARE_STEPS", 10)
    session = run_to_end(small_config(corpus, **QUIET, clip=1e-3, steps=40))
    ((step, kind, message),) = told(session)
    assert (step, kind, session.of(Alert)[0].severity) == (10, "clipping", "warning")
    assert message.startswith("10 of the last 10 gradients were longer than --clip 0.001")
    assert session.snapshot().state == "finished"
