"""Every step of a part of a run, read from its journal: the detail that the history in memory does not have."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import BinaryIO, Final

from tui_trainer.history.cells import Measured
from tui_trainer.history.curve import Curve
from tui_trainer.history.history import History
from tui_trainer.history.journal_index import IndexEntry, read_index
from tui_trainer.history.measurements import measured_in
from tui_trainer.run import journal
from tui_trainer.run.folder import Folder
from tui_trainer.run.journal import JOURNAL

_STEP: Final = re.compile(rb'"step": ?(\d{1,18})[,}]')


class Detail:
    """The history of some steps alone, with a bucket for each step up to `BUCKETS` of them."""

    def __init__(self, first: int, measured: Iterable[Measured]) -> None:
        """Of measurements in the order of a journal, of which none is before `first`."""
        self._first, self._history = first, History()
        for step, numbers in measured:
            self._history.add(step - first, numbers)

    def window(self, metric: str, start: float, end: float, columns: int) -> Curve:
        """As that of a history."""
        curve = self._history.window(metric, start - self._first, end - self._first, columns)
        return replace(curve, steps=curve.steps + self._first)


def read_detail(folder: Folder, first: int, last: int) -> Detail:
    """The steps from `first` to `last`, both included, and their evaluations; what was superseded is left out.

    The journal's index tells where they are; without one all before is read too. Takes up to a second for a hundred
    thousand steps: not for the thread of a screen, nor for one that trains. Raises OSError.
    """
    return Detail(first, _measured(folder, first, last))


def _measured(folder: Folder, first: int, last: int) -> Iterator[Measured]:
    with folder.open_to_read(JOURNAL) as file:
        begin, end = _part(folder, file, first, last)
        for line, last_step in journal.limited_lines(file, begin.offset, end, before=begin.branches):
            if not _may_be_within(line.text, first, min(last, last_step)):
                continue
            measured = measured_in(line.text)
            if measured is not None and first <= measured[0] <= min(last, last_step):
                yield measured


def _may_be_within(line: bytes, first: float, last: float) -> bool:
    """Whether the step at the beginning of a line may be in the range: saves decoding most lines."""
    step = _STEP.search(line, 0, 200)
    return step is None or first <= int(step[1]) <= last


def _part(folder: Folder, file: BinaryIO, first: int, last: int) -> tuple[IndexEntry, int]:
    """Between which bytes of a journal all measurements of some steps are."""
    end = journal.end_of(file)
    index = read_index(folder, file, end)
    entries = index.entries if index else ()
    before = [entry for entry in entries if entry.step <= first] or [IndexEntry(0, 0)]
    after = [entry for entry in entries if entry.step > last] or [IndexEntry(0, end)]
    return before[-1], after[0].offset
