"""What is left out of the output to a terminal: the terminal shows the same."""

import random

import pyte
import pytest
from rich.cells import set_cell_size

from tui_trainer.ui.output.cell_diff import CellDiff
from tui_trainer.ui.output.styles import PLAIN, CellStyle, change, parsed

COLUMNS, ROWS = 30, 8

STYLES = ["0", "1", "31", "1;38;2;10;20;30;48;2;1;2;3", "38;5;17", "48;2;9;9;9", "7", "4;44", "97;100", "39;49"]
TEXTS = ["loss 1.62", " ", "   ", "⣀⠤⠒⠉", "│┈┈", "a", "▲9.31"]
LINES = ["漢字 of a sample", "a sample", "of 漢 a 字 sample", ""]
"""Of a row that is always written whole: what half a wide character becomes, terminals do not agree on."""


def frame(chance: random.Random) -> str:
    """Spans at random places, as Textual writes them."""
    parts = [f"\x1b[1;1H\x1b[{chance.choice(STYLES)}m{set_cell_size(chance.choice(LINES), COLUMNS - 2)}\x1b[0m"]
    for _ in range(chance.randint(1, 12)):
        row, column = chance.randint(2, ROWS), chance.randint(1, COLUMNS - 10)
        parts.append(f"\x1b[{row};{column}H")
        parts += [f"\x1b[{chance.choice(STYLES)}m{chance.choice(TEXTS)}\x1b[0m" for _ in range(chance.randint(1, 2))]
    return "".join(parts)


class Terminal:
    def __init__(self) -> None:
        self.screen = pyte.Screen(COLUMNS, ROWS)
        self._stream = pyte.Stream(self.screen)

    def feed(self, output: str) -> None:
        self._stream.feed(output)

    @property
    def cells(self) -> list[list[object]]:
        """Without the colour of what cannot be seen."""
        return [[_seen(self.screen.buffer[row][column]) for column in range(COLUMNS)] for row in range(ROWS)]


def _seen(cell: pyte.screens.Char) -> object:
    blank = cell.data == " " and not (cell.reverse or cell.underscore)
    return cell._replace(fg="default", bold=False) if blank else cell


@pytest.mark.parametrize("seed", range(20))
def test_a_terminal_shows_the_same(seed: int) -> None:
    chance, diff, all_sent, changes_sent = random.Random(seed), CellDiff(), Terminal(), Terminal()
    for _ in range(20):
        output = frame(chance)
        all_sent.feed(output)
        changes_sent.feed(diff.changes(output))
        if chance.random() < 0.1:
            diff.forget()
        assert changes_sent.cells == all_sent.cells


def test_what_is_there_already_is_not_sent() -> None:
    diff, output = CellDiff(), "\x1b[2;1H\x1b[1mstep 1,240\x1b[0m\x1b[3;1H\x1b[31mloss\x1b[0m"
    assert "step 1,240" in diff.changes(output)
    assert diff.changes(output) == ""
    assert diff.changes(output.replace("1,240", "1,241")) == "\x1b[2;10H\x1b[0;1m1"


def test_needless_synchronisation_is_left_out() -> None:
    diff, output = CellDiff(), "\x1b[?2026h\x1b[1;1Hx\x1b[?2026l"
    assert diff.changes(output).endswith("x\x1b[?2026l")
    assert diff.changes(output) == ""


@pytest.mark.parametrize("sequence", ["\x1b[?1003h", "\x1b[?25l", "\x1b]0;title\x07", "\x1b[>1u", "\x1b[?2026$p"])
def test_other_sequences_are_passed_on(sequence: str) -> None:
    assert CellDiff().changes(sequence) == sequence


@pytest.mark.parametrize("cleared", ["\x1b[2J", "\x1b[?1049h", "\x1bc"])
def test_what_was_cleared_is_sent_again(cleared: str) -> None:
    diff, output = CellDiff(), "\x1b[1;1Hx"
    diff.changes(output)
    assert diff.changes(output) == ""
    diff.changes(cleared)
    assert "x" in diff.changes(output)


def test_a_terminal_of_another_size_gets_everything() -> None:
    diff, output = CellDiff(), "\x1b[1;1Hx"
    first = diff.changes(output)
    diff.forget()
    assert diff.changes(output) == first


@pytest.mark.parametrize(
    ("before", "after", "sent"),
    [
        (None, PLAIN, "\x1b[0m"),
        (PLAIN, PLAIN, ""),
        (PLAIN, CellStyle("31"), "\x1b[31m"),
        (CellStyle("31", "44"), CellStyle("32", "44"), "\x1b[32m"),
        (CellStyle("31", "44", "1"), PLAIN, "\x1b[0m"),
        (CellStyle("31", "44"), PLAIN, "\x1b[0m"),
    ],
)
def test_the_shortest_change_of_style(before: CellStyle | None, after: CellStyle, sent: str) -> None:
    assert change(before, after) in (sent, sent.replace("\x1b[0m", "\x1b[m"))


@pytest.mark.parametrize(
    ("parameters", "style"),
    [
        ("", PLAIN),
        ("0", PLAIN),
        ("1;31", CellStyle("31", "", "1")),
        ("38;2;1;2;3;48;5;17", CellStyle("38;2;1;2;3", "48;5;17")),
        ("97;103", CellStyle("97", "103")),
        ("3;38;2;0;0;0;0", PLAIN),
    ],
)
def test_parameters_are_told_apart(parameters: str, style: CellStyle) -> None:
    assert parsed(parameters) == style


def test_on_leaving_the_cursor_is_where_the_application_left_it() -> None:
    diff = CellDiff()
    diff.changes("\x1b[1;1Hx\x1b[5;1H")
    assert diff.changes("\x1b[?1049l") == "\x1b[5;1H\x1b[?1049l"


def test_what_follows_a_mark_without_a_letter_goes_to_its_own_place() -> None:
    diff, terminal = CellDiff(), Terminal()
    for output in ("\x1b[1;1Hnext e here", "\x1b[3;1Habc", "\x1b[1;7H\u0301", "\x1b[3;4Hdef"):
        terminal.feed(diff.changes(output))
    assert terminal.screen.display[2].rstrip() == "abcdef"
