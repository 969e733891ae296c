"""The screen at every size: what is shown, and that nothing is cut."""

import re
import subprocess
import sys

import pytest
from textual.geometry import Size

from tests import scripted
from tests.driving import Driver, driving
from tests.waiting import TIMEOUT
from tui_trainer.ui.screens.main import arrangement
from tui_trainer.ui.text_fit import bar, fit, part, shorten

RUN = scripted.running(200)


def shown(screen: Driver) -> list[int]:
    return [number for number in range(1, 7) if screen.app.main_screen.shows(number)]


@pytest.mark.parametrize(
    ("size", "expected"),
    [
        ((200, 60), "full"),
        ((120, 40), "full"),
        ((100, 30), "full"),
        ((80, 42), "full"),
        ((99, 30), "small"),
        ((80, 24), "small"),
        ((60, 20), "small"),
        ((59, 40), "single"),
        ((40, 12), "single"),
        ((1, 1), "single"),
    ],
)
def test_arrangements(size: tuple[int, int], expected: str) -> None:
    assert arrangement(Size(*size)) == expected


@pytest.mark.parametrize(
    ("size", "expected"),
    [((200, 60), [1, 2, 3, 4, 5, 6]), ((120, 40), [1, 2, 3, 4, 5, 6]), ((80, 24), [1, 5, 6]), ((40, 12), [1])],
)
async def test_the_panes_shown(size: tuple[int, int], expected: list[int]) -> None:
    async with driving(RUN, size=size) as screen:
        assert shown(screen) == expected
        assert [len(line) for line in screen.lines] == [size[0]] * size[1]


@pytest.mark.parametrize("size", [(200, 60), (120, 40), (100, 30), (80, 42), (80, 24), (60, 20), (40, 12), (30, 8)])
async def test_titles_and_bars_are_not_truncated(size: tuple[int, int]) -> None:
    async with driving(RUN, size=size) as screen:
        for line in screen.lines[:2] + screen.lines[-1:] + [line for line in screen.lines if line.startswith("╭")]:
            assert "…" not in line
        for box in re.findall(r"╭.*?╮", screen.text):
            assert box.startswith("╭─ ") and box.endswith("─╮")


@pytest.mark.parametrize("size", [(1, 1), (20, 5), (300, 100)])
async def test_extreme_sizes_raise_nothing(size: tuple[int, int]) -> None:
    async with driving(RUN, size=size) as screen:
        await screen.press("2", "?", "escape", "q", "escape")
        assert screen.app.is_running


async def test_the_important_keys_are_there_at_80_columns() -> None:
    async with driving(RUN, size=(80, 24)) as screen:
        for item in ("space pause", "s save", "[ ] temp", "g gen", "p prompt", "? help", "d detach", "q quit"):
            assert item in screen.lines[-1]
        await screen.press("space")
        assert "space resume" in screen.lines[-1] and "d detach" in screen.lines[-1]


async def test_the_time_left_is_there_at_40_columns() -> None:
    async with driving(RUN, size=(40, 12)) as screen:
        assert screen.lines[0].split() == ["RUNNING", "step", "200/5,000", "3m22s", "left"]


async def test_the_tab_strip_marks_the_chart_shown_and_can_be_clicked() -> None:
    async with driving(RUN, size=(80, 24)) as screen:
        assert "[1 Loss]" in screen.text
        await screen.pilot.click("#tabs", offset=(screen.lines[2].index("Norms"), 0))
        await screen.settle()
        assert "[4 Norms]" in screen.text and shown(screen) == [4, 5, 6]


async def test_a_click_on_a_pane_focuses_it() -> None:
    async with driving(RUN) as screen:
        await screen.pilot.click("#samples")
        assert screen.app.focused is screen.app.main_screen.pane(5)


async def test_resizing_while_running() -> None:
    async with driving(RUN) as screen:
        for size in ((80, 24), (40, 12), (200, 60), (10, 4), (120, 40)):
            await screen.resize(*size)
            await screen.publish(scripted.step_event(screen.app.snapshot.step + 1))
            assert len(screen.lines) == size[1]
            assert "cannot draw" not in screen.text
        assert shown(screen) == [1, 2, 3, 4, 5, 6]


async def test_a_maximised_pane_stays_while_the_terminal_changes() -> None:
    async with driving(RUN) as screen:
        await screen.press("3", "enter")
        await screen.resize(80, 24)
        assert shown(screen) == [3]


@pytest.mark.parametrize("theme", ["textual-light", "nord", "ansi-dark"])
async def test_every_kind_of_theme_is_applied(theme: str) -> None:
    async with driving(RUN) as screen:
        before = screen.app.export_screenshot()
        screen.app.theme = theme
        await screen.settle()
        assert "cannot draw" not in screen.text
        assert screen.app.export_screenshot() != before


def test_rows_drop_their_least_important_parts_whole() -> None:
    parts = [part("aaaa", priority=2), part("bbbb", priority=1), part("cccc", priority=3)]
    assert [kept.content.plain for kept in fit(parts, 16)] == ["aaaa", "bbbb", "cccc"]
    assert [kept.content.plain for kept in fit(parts, 15)] == ["aaaa", "cccc"]
    assert [kept.content.plain for kept in fit(parts, 5)] == ["cccc"]
    assert fit(parts, 3) == []


@pytest.mark.parametrize(("fraction", "expected"), [(-1, "────"), (0.4, "━╸──"), (1, "━━━━"), (7, "━━━━")])
def test_a_bar_is_never_wider_than_its_width(fraction: float, expected: str) -> None:
    assert bar(fraction, 4).plain == expected


def test_a_long_name_is_shortened() -> None:
    assert shorten("a" * 30, 5) == "aaaa…"


def test_the_screen_needs_no_torch() -> None:
    code = "import sys, tui_trainer.ui.app; sys.exit(any(name in sys.modules for name in ('torch', 'plotext')))"
    assert subprocess.run([sys.executable, "-c", code], check=False, timeout=TIMEOUT).returncode == 0


async def test_another_size_shows_what_is_known_at_once() -> None:
    async with driving(scripted.paused(), size=(80, 24)) as screen:
        await screen.pilot.resize_terminal(40, 12)
        await screen.pilot.pause()
        assert "! alert ─" in screen.lines[-2] and "…" not in screen.lines[-2]
        await screen.pilot.resize_terminal(200, 60)
        await screen.pilot.pause()
        assert "first step" not in screen.text and "grad" in screen.text
