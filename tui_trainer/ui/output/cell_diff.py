"""Leaves out of the output to a terminal whatever would write a cell as it is already.

It reads what an application writes as a terminal would: positions, styles and characters; other sequences are passed
on. So however much an application draws anew, no more than its changes are sent. For one thread.

A character that terminals draw in different widths cannot move what stands behind it: what follows is sent to its
place, and sent again where a wider drawing may have covered it.
"""

import re
from typing import Final

from tui_trainer.ui.graphemes import graphemes, is_disputed
from tui_trainer.ui.output.styles import PLAIN, CellStyle, change, parsed

TOKEN: Final = re.compile(
    r"\x1b\[(?P<row>\d+);(?P<column>\d+)H"
    r"|\x1b\[(?P<style>[\d;:]*)m"
    r"|(?P<line>\r?\n)"
    r"|(?P<text>[^\x00-\x1f\x7f]+)"
    r"|(?P<other>\x1b\[[0-?]*[ -/]*[@-~]|\x1b[\]P_][^\x07\x1b]*(?:\x07|\x1b\\)?|\x1b.|[\x00-\x1f\x7f])",
    re.DOTALL,
)

SYNCHRONISED: Final = ("\x1b[?2026h", "\x1b[?2026l")
"""Around what is to be shown at once; needless where there is nothing."""

LEAVING: Final = "\x1b[?1049l"
"""Goes back from the alternate screen."""

CLEARING: Final = re.compile(r"\x1b\[\d*[JKLMPST@X]|\x1b\[\?(?:47|1047|1049)[hl]|\x1b\[!p|\x1bc|\x1b#8|\x1b\[\d*;?\d*r")
"""Sequences after which the screen shows something else."""

MOVING: Final = re.compile(r"\x1b\[[\d;]*[A-Gdfsu`]|\x1b[78DEM]|[\b\t\n\v\f\r]")
"""Sequences that move the cursor otherwise than by a row and a column."""

Cell = tuple[str, CellStyle]

COVERED: Final = 2
"""Cells behind a character that a terminal may cover which draws it wider."""


class CellDiff:
    def __init__(self) -> None:
        self._rows: dict[int, dict[int, Cell]] = {}
        """The cells that are known, by row and column, from 1; the second cell of a wide character is empty."""
        self._row = self._column = 1
        """Where the application would write next."""
        self._style = PLAIN
        self._sent_place: tuple[int, int] | None = None
        """Where the terminal would write next; None where that is not known."""
        self._sent_style: CellStyle | None = None

    def forget(self) -> None:
        """To be called when the terminal may show something else, as after it was resized."""
        self._rows.clear()
        self._sent_place = self._sent_style = None

    def changes(self, output: str) -> str:
        """What has to be sent for an application's output to have its effect."""
        sent: list[str] = []
        for token in TOKEN.finditer(output):
            match token.lastgroup:
                case "column":
                    self._row, self._column = int(token["row"]), int(token["column"])
                case "style":
                    self._style = parsed(_joined(self._style, token["style"]))
                case "line":
                    self._row, self._column = self._row + 1, 1
                case "text":
                    self._write(token["text"], sent)
                case _:
                    self._pass_on(token[0], sent)
        return "" if all(part in SYNCHRONISED for part in sent) else "".join(sent)

    def _pass_on(self, sequence: str, sent: list[str]) -> None:
        if sequence == LEAVING and self._sent_place != (self._row, self._column):
            sent.append(f"\x1b[{self._row};{self._column}H")  # a terminal without a second screen goes on writing there
        sent.append(sequence)
        if CLEARING.fullmatch(sequence):
            self.forget()
        elif MOVING.fullmatch(sequence):
            self._sent_place = None

    def _write(self, text: str, sent: list[str]) -> None:
        row = self._rows.setdefault(self._row, {})
        style, blank = self._style, self._style.of_blank
        for character, width in graphemes(text):
            cell = character, blank if character == " " else style
            if not width:  # it changes the character before it, which may not be known
                self._send(sent, self._column, character, style)
                row.pop(self._column - 1, None)
                self._sent_place = None
                continue
            if row.get(self._column) != cell:
                disputed = is_disputed(character)
                if disputed:
                    self._blank(sent, self._column, width, style)
                self._send(sent, self._column, *cell)
                if row.get(self._column, cell)[0] == "":  # the second cell of a wide character, which is gone with it
                    row.pop(self._column - 1, None)
                row[self._column] = cell
                for column in range(self._column + 1, self._column + width):
                    row[column] = "", style
                if row.get(self._column + width, ("x",))[0] == "":  # likewise
                    del row[self._column + width]
                self._sent_place = self._row, self._column + width
                if disputed:
                    self._send_covered(sent, self._column + width)
            self._column += width

    def _blank(self, sent: list[str], column: int, width: int, style: CellStyle) -> None:
        """In case the terminal draws what comes there narrower."""
        self._send(sent, column, " " * width, style)
        self._sent_place = None

    def _send_covered(self, sent: list[str], column: int) -> None:
        """Send what is known to be there again."""
        self._sent_place = None
        for covered in range(column, column + COVERED):
            character, style = self._rows[self._row].get(covered, ("", PLAIN))
            if not character or is_disputed(character):
                return
            self._send(sent, covered, character, style)
            self._sent_place = None

    def _send(self, sent: list[str], column: int, character: str, style: CellStyle) -> None:
        if self._sent_place != (self._row, column):
            sent.append(f"\x1b[{self._row};{column}H")
        sent.append(change(self._sent_style, style))
        sent.append(character)
        self._sent_style = style


def _joined(style: CellStyle, parameters: str) -> str:
    """The parameters of a style and of what is added to it."""
    return ";".join(part for part in (style.other, style.foreground, style.background, parameters or "0") if part)
