"""Text from outside is shown as text: it moves no cursor, sets no colour and is never read as markup."""

import pytest

from tests import scripted
from tests.driving import Driver, driving
from tests.runs import changed_run
from tui_trainer.run.events import Alert, CheckpointSaved, CommandApplied, PartialSample, Stage

HOSTILE = "\x1b[31m\x1b]0;owned\x07[bold]x[/][/nope]\x9b2J\u202e\u200b[@click=app.bell]y[/]"
SHORT_RUN = scripted.running(30)


def assert_harmless(screen: Driver) -> None:
    text = screen.text.replace("\n", "")
    assert text.isprintable(), [character for character in text if not character.isprintable()]
    assert "[/]" in text or "[bold]" in text or "␛[31m" in text
    assert "cannot draw" not in text


async def test_a_corpus_label() -> None:
    async with driving([], title=HOSTILE) as screen:
        assert_harmless(screen)


async def test_a_run() -> None:
    run = changed_run(scripted.RUN, corpus=HOSTILE, run=HOSTILE, device=HOSTILE, precision=HOSTILE, prompt=HOSTILE)
    async with driving([run, *SHORT_RUN[-30:]], size=(200, 60)) as screen:
        assert_harmless(screen)


@pytest.mark.parametrize("size", [(120, 40), (80, 24), (40, 12)])
async def test_samples_and_prompts(size: tuple[int, int]) -> None:
    sample = scripted.sample_event(30, HOSTILE, prompt=HOSTILE)
    partial = PartialSample(step=30, prompt=HOSTILE, text=HOSTILE, temperature=1.0)
    prompt = CommandApplied(name="set_prompt", value=HOSTILE, source="test")
    async with driving([*SHORT_RUN, sample, partial, prompt], size=size) as screen:
        await screen.press("5")
        assert_harmless(screen)
        await screen.press("p")
        assert_harmless(screen)


async def test_a_stage() -> None:
    async with driving([Stage(stage=HOSTILE, done=1, total=2), Stage(stage="[/]"), Stage(stage=HOSTILE)]) as screen:
        assert_harmless(screen)


@pytest.mark.parametrize("size", [(120, 40), (80, 24), (40, 12)])
async def test_a_reason(size: tuple[int, int]) -> None:
    async with driving(scripted.failed(HOSTILE), size=size) as screen:
        assert_harmless(screen)


async def test_an_alert_and_its_notification() -> None:
    async with driving(SHORT_RUN) as screen:
        await screen.publish(Alert(kind="x", severity="error", message=HOSTILE))
        assert len(screen.notified) == 1 and screen.notified[0].isprintable()
        await screen.press("6", "end")
        assert_harmless(screen)


async def test_an_unknown_severity_and_an_unknown_reason_for_saving() -> None:
    events = [
        *SHORT_RUN,
        CheckpointSaved(path=HOSTILE, reason=HOSTILE, step=30),
        Alert(kind=HOSTILE, severity=HOSTILE, message="[/]"),
    ]
    async with driving(events, size=(200, 60)) as screen:
        assert_harmless(screen)
