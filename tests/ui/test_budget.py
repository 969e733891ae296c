"""How often the screen may be drawn, by the bytes that it has sent."""

from tui_trainer.ui.output.budget import DEBT_BYTES, RATE_SECONDS, SAVED_SECONDS, RefreshBudget


class Clock:
    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


def drawn(bytes_per_frame: int, allowed: float = 1_000.0, focused: bool = True) -> int:
    """Bytes sent within a hundred seconds, four looks a second."""
    clock, sent = Clock(), 0
    budget = RefreshBudget(allowed, clock)
    budget.focused = focused
    for _ in range(400):
        clock.seconds += 0.25
        sent += bytes_per_frame * budget.may_draw(sent)
    return sent


def test_small_frames_are_always_drawn() -> None:
    assert drawn(100) == 400 * 100


def test_large_frames_are_drawn_as_often_as_their_bytes_allow() -> None:
    assert 0.95 * 100_000 < drawn(700) < 100_000 * (1 + SAVED_SECONDS / 100) + 700
    assert drawn(50_000) > 0


def test_without_the_focus_it_is_a_part() -> None:
    assert drawn(700, focused=False) < 0.3 * 100_000


def test_a_picture_after_a_key_holds_nothing_up_for_long() -> None:
    clock = Clock()
    budget = RefreshBudget(1_000.0, clock)
    budget.may_draw(100_000)
    clock.seconds = DEBT_BYTES / 1_000 + 0.1
    assert budget.may_draw(100_000)


def test_the_rate_is_told_once_it_is_known() -> None:
    clock = Clock()
    budget = RefreshBudget(1_000.0, clock)
    budget.may_draw(0)
    assert budget.rate is None
    clock.seconds = RATE_SECONDS
    budget.may_draw(8_000)
    assert budget.rate == 8_000 / RATE_SECONDS
