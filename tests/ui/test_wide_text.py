"""Emoji and joined characters: whatever width a terminal draws them in, what stands behind them stays in its place."""

import pyte
import pytest
from rich.cells import cell_len

from tests import scripted
from tests.driving import driving
from tui_trainer.run.text import visible
from tui_trainer.ui.ascii import ascii_text
from tui_trainer.ui.graphemes import graphemes, is_disputed
from tui_trainer.ui.output.cell_diff import CellDiff
from tui_trainer.ui.text_fit import shorten

TEXTS = ["☀️", "1️⃣", "🇩🇪", "👍🏽", "👩‍👩‍👧", "🕵️‍♂️", "▶️", "⚡", "नि", "ก็", "e\u0301", "🏽", "\u0301", "한국", "漢字"]


@pytest.mark.parametrize("text", TEXTS)
def test_the_widths_are_those_that_the_screen_is_laid_out_with(text: str) -> None:
    shown = f"a{visible(text)}b"
    assert sum(width for _, width in graphemes(shown)) == cell_len(shown)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("🇩🇪", "DE"),
        ("👩‍👩‍👧", "👩👩👧"),
        ("👍🏽", "👍"),
        ("🕵️‍♂️", "🕵♂"),
        ("☀️", "☀"),
        ("1️⃣", "1"),
        ("\u0301", "◌\u0301"),
        ("a\n\u0301 \u0301", "a\n◌\u0301 ◌\u0301"),
        ("e\u0301\u0302", "e\u0301\u0302"),
    ],
)
def test_sequences_are_shown_as_characters_that_terminals_know(text: str, shown: str) -> None:
    assert visible(text) == shown


def test_what_joins_nothing_is_shown() -> None:
    assert visible("a\u200db") == "a<U+200D>b"


@pytest.mark.parametrize("disputed", ["☀️", "⚡", "👍🏽", "नि", "e\u0301"])
def test_widths_that_terminals_do_not_agree_on(disputed: str) -> None:
    assert is_disputed(disputed)


@pytest.mark.parametrize("undisputed", ["a", "é", "│", "⣀", "漢", "한", "▲", "…"])
def test_widths_that_all_agree_on(undisputed: str) -> None:
    assert not is_disputed(undisputed)


class Terminal(pyte.Screen):
    """Draws every disputed character in another width than the application reckons with."""

    def __init__(self, wider: bool) -> None:
        super().__init__(20, 3)
        self._wider = wider

    def draw(self, data: str) -> None:
        for character in data:
            disputed = is_disputed(character) and cell_len(character)
            super().draw("#" * (2 * cell_len(character) if self._wider else 1) if disputed else character)

    def columns_from(self, column: int) -> str:
        return "".join(self.buffer[0][place].data for place in range(column, self.columns)).rstrip()


@pytest.mark.parametrize("wider", [True, False])
@pytest.mark.parametrize("text", [text for text in TEXTS if cell_len(visible(text))])
def test_a_border_stays_where_it_is(text: str, wider: bool) -> None:
    terminal, diff = Terminal(wider), CellDiff()
    stream = pyte.Stream(terminal)
    shown = visible(text)
    space = " " * (8 - cell_len(shown))
    stream.feed(diff.changes("\x1b[1;1H          │ next"))
    stream.feed(diff.changes(f"\x1b[1;1Hab{shown}{space}"))
    assert terminal.columns_from(10) == "│ next"
    stream.feed(diff.changes(f"\x1b[1;1H{space}ab{shown}"))  # right at the border
    assert terminal.columns_from(10) == "│ next"


@pytest.mark.parametrize("joint", [" ", ""])
@pytest.mark.parametrize("text", [*TEXTS, "".join(TEXTS)])
async def test_the_frame_of_a_sample_of_emoji(text: str, joint: str) -> None:
    sample = scripted.sample_event(30, joint.join([text] * 80))
    async with driving([*scripted.running(30), sample], size=(120, 40), title=text) as screen:
        screen.app.pull()
        rows = [line for line in screen.lines if visible(text).strip()[:1] in line]
        assert rows and {cell_len(line) for line in rows} == {120}
        assert {line[-1] for line in rows if line.startswith("│")} == {"│"}


@pytest.mark.parametrize("text", TEXTS)
def test_in_ascii_the_width_is_kept(text: str) -> None:
    assert len(ascii_text(visible(text))) == cell_len(visible(text))


@pytest.mark.parametrize(
    ("name", "shown"),
    [("fables", "fables"), ("漢字漢", "漢字漢"), ("漢字漢字", "漢字…"), ("e\u0301" * 7, "e\u0301" * 5 + "…")],
)
def test_a_name_is_shortened_to_so_many_cells(name: str, shown: str) -> None:
    assert shorten(name, 6) == shown
