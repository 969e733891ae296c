"""Notifications: which changes between two snapshots the user is notified of."""

from tests import scripted
from tests.folding import folded
from tui_trainer.run.events import Alert
from tui_trainer.state.snapshot import Snapshot
from tui_trainer.ui.notifications import notifications

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
