"""Since when nobody looks at a run."""

from tui_trainer.run.commands import ATTACHED, Attach, Detach, Pause
from tui_trainer.sessions.attendance import Attendance


def test_a_run_is_alone_from_its_beginning() -> None:
    assert Attendance().unattended_since is not None


def test_it_is_alone_again_when_the_last_one_has_left() -> None:
    attendance = Attendance()
    begin = attendance.unattended_since
    for command in (Attach(), Attach(ATTACHED), Attach(ATTACHED)):
        attendance.apply(command)
        assert attendance.unattended_since is None
    for command in (Detach("terminal"), Detach(ATTACHED), Pause()):
        attendance.apply(command)
        assert attendance.unattended_since is None
    attendance.apply(Detach(ATTACHED))
    assert begin is not None and attendance.unattended_since is not None
    assert attendance.unattended_since >= begin


def test_a_terminal_that_is_lost_twice_counts_once() -> None:
    attendance = Attendance()
    attendance.apply(Attach(ATTACHED))
    for _ in range(2):
        attendance.apply(Detach("terminal"))
    assert attendance.unattended_since is None
