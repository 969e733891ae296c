"""Notifications: which changes between two snapshots the user is notified of."""

import pytest

from tests import scripted
from tests.driving import driving
from tests.folding import folded
from tui_trainer.run.events import Alert
from tui_trainer.state.snapshot import Snapshot
from tui_trainer.ui.notifications import notifications
from tui_trainer.ui.screens.log import Entry, LogScreen, entries
from tui_trainer.ui.screens.main import MainScreen

RUN = scripted.running()


def test_alerts_and_the_end_are_notified_once() -> None:
    before = folded(RUN).snapshot()
    alert = Alert(kind="loss", severity="error", message="The loss is not finite.")
    now = folded([*RUN, alert, scripted.StateChanged(state="finished", step=1_240)]).snapshot()
    assert [item.message for item in notifications(before, now, saving=False)] == [
        "The loss is not finite.",
        "Finished after 1,240 steps. g writes samples, s saves, q leaves.",
    ]
    assert list(notifications(now, now, saving=False)) == []


def test_no_keys_are_named_that_a_recording_refuses() -> None:
    before, now = folded(RUN).snapshot(), folded([*RUN, scripted.StateChanged(state="finished", step=1_240)]).snapshot()
    (finished,) = notifications(before, now, saving=False, takes_commands=False)
    assert finished.message == "Finished after 1,240 steps. q leaves."


def test_other_runs_are_notified_although_the_severity_is_info() -> None:
    others = Alert(kind="other_runs", severity="info", message="Another run trains on this machine: owls (pid 1).")
    resumed = Alert(kind="resume", severity="info", message="Resumed at step 3, exactly as it was saved.")
    before, now = folded(scripted.loading()).snapshot(), folded([*scripted.loading(), others, resumed]).snapshot()
    assert [(item.message, item.severity) for item in notifications(before, now, saving=False)] == [
        (others.message, "information")
    ]


def test_the_first_snapshot_notifies_of_nothing() -> None:
    assert list(notifications(Snapshot(), folded(scripted.finished()).snapshot(), saving=False)) == []


@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
async def test_one_notification_is_shown_at_a_time_above_the_key_bar(size: tuple[int, int]) -> None:
    async with driving(RUN, size=size) as screen:
        screen.app.say("The first.")
        screen.app.say("The second, which is longer than a line. " * 5)
        await screen.pilot.pause()
        await screen.settle()
        assert "The first." not in screen.text
        assert "The second" in screen.lines[-2] and "…" in screen.lines[-2] and "q quit" in screen.lines[-1]
        assert sum("longer than" in line for line in screen.lines) == 1


async def test_l_lists_all_notifications_and_alerts() -> None:
    async with driving(RUN) as screen:
        screen.app.say("The first [b]one.")
        await screen.press("l")
        assert isinstance(screen.app.screen, LogScreen)
        first, gradient = (screen.text.index(text) for text in ("step   1,240  The first [b]one.", "The gradient was"))
        assert first < gradient
        await screen.press("l")
        assert isinstance(screen.app.screen, MainScreen)


def test_an_alert_that_was_a_notification_is_listed_once() -> None:
    alerts = [Alert(step=9, time=90.0, kind="a", severity="error", message="late")]
    said = [Entry(5.0, 1, "early"), Entry(91.0, 9, "late"), Entry(92.0, 9, "last")]
    assert [entry.message for entry in entries(said, alerts)] == ["last", "late", "early"]
