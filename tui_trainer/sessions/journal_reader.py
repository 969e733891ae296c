"""Reads a journal, from the last entry of the index beside it on, into the state of the run and its history."""

from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import suppress
from typing import BinaryIO, Final

from tui_trainer.history.history import History
from tui_trainer.history.journal_index import Index, IndexEntry, read_index, write_index
from tui_trainer.run import journal
from tui_trainer.run.events import BranchStarted, Event, RunStarted
from tui_trainer.run.folder import Folder
from tui_trainer.run.journal import JOURNAL, OF_A_STEP, Line
from tui_trainer.run.lineage import FIRST_BRANCHES, Start, after, is_whole, last_steps, start_of
from tui_trainer.state.run_state import RunState
from tui_trainer.state.serialization import dump_state, load_state

SPACING: Final = 8192
"""Steps between entries of the index, some two million bytes of a journal: so much is read when a run is opened."""

READING: Final = "reading the journal"
"""The stage that is shown meanwhile."""

LINES: Final = 256
"""Read at once: a hundredth of a second."""


class JournalReader:
    """Events folded into a state and its history; can be read on as the journal grows. For one thread at a time.

    Every `spacing` steps an entry with the state is added, to read on from: the next time that the run is opened, or
    when it was resumed at an earlier step, so that the steps after that do not count.
    """

    def __init__(self, folder: Folder, spacing: int | None = None, state: RunState | None = None) -> None:
        """With an entry every `spacing` steps; `state` is that of a run which has no journal yet."""
        self.state = RunState() if state is None else state
        self._folder, self._spacing = folder, spacing or SPACING
        self._position: int | None = None
        """Bytes that have been read; None before anything was."""
        self._reached = 0
        """The last step of which there is a measurement."""
        self._branches = FIRST_BRANCHES
        """Of the run at that position."""
        self._entries: tuple[IndexEntry, ...] = ()
        self._states: dict[int, str] = {}
        """The state at some of the entries, by step; in JSON."""
        self._indexed: IndexEntry | None = None
        """The last entry in the index."""
        self._whole = True
        """Whether nothing was left out, as it is of a huge journal."""

    def read(self, size: int | None = None, later: Sequence[Start] = ()) -> Iterator[tuple[int, int]]:
        """Read the journal, or its first `size` bytes, on to its end; to be run through, and may be given up.

        `later` are starts that are not in the journal yet. Yields now and then how many bytes have been
        read, and of how many. Raises OSError.
        """
        with self._folder.open_to_read(JOURNAL) as file:
            end = journal.end_of(file, size or 0)
            if self._position is None:
                self._open_index(file, end)
            starts = yield from self._starts(file, end)
            limits, _ = last_steps([*starts, *later], self._branches)
            if not is_whole(self._branches[-1], limits, self._reached):
                self._restore(self.state.history, lambda entry: is_whole(entry.branches[-1], limits, entry.step - 1))
                starts = yield from self._starts(file, end)
            self._whole &= end - self._begin <= journal.MAX_BYTES
            lines = journal.valid_lines(file, self._begin, end, later, self._branches, starts)
            for number, (line, event) in enumerate(lines, 1):
                self._apply_line(line, event)
                if number % LINES == 0:
                    yield line.end, end
            self.state.history.flush()

    def _starts(self, file: BinaryIO, end: int) -> Generator[tuple[int, int], None, list[Start]]:
        """The starts that are yet to be read; yields as `read` does."""
        starts: list[Start] = []
        for start in journal.starts(file, self._begin, end):
            if start is not None:
                starts.append(start)
            if start is None or len(starts) % LINES == 0:
                yield self._begin, end
        return starts

    def write_index(self) -> None:
        """Write the index, if there is a new entry and it can be written.

        May be called by another thread than the other methods.
        """
        entries, states = self._entries, dict(self._states)
        if not entries or entries[-1] == self._indexed:
            return
        with suppress(OSError, ValueError, MemoryError), self._folder.open_to_read(JOURNAL) as file:
            buckets = self.state.history.buckets_before(entries[-1].step)
            known = {entry.step for entry in entries}
            states = {step: state for step, state in states.items() if step in known}
            write_index(self._folder, file, Index(entries, states, *buckets))
            self._indexed = entries[-1]

    @property
    def branch(self) -> int:
        """The branch that the run is on."""
        return self._branches[-1][-1].id

    @property
    def _begin(self) -> int:
        return self._position or 0

    def _open_index(self, file: BinaryIO, end: int) -> None:
        self._position = 0
        if (index := read_index(self._folder, file, journal.end_of(file))) is not None:
            # It may be younger than the part that is wanted.
            self._entries = tuple(entry for entry in index.entries if entry.offset <= end)
            self._states, self._indexed = dict(index.states), index.entries[-1]
            self._restore(History.of(index.metrics, index.stride, index.cells))

    def _restore(self, history: History, usable: Callable[[IndexEntry], bool] = lambda entry: True) -> None:
        """Restore the state of the newest usable entry, or that of the beginning.

        Of so few steps that a new history has a bucket for each, one of longer buckets is not worth what it saves.
        """
        self._entries = tuple(filter(usable, self._entries))
        while self._entries:
            entry = self._entries[-1]
            if history.stride > 1 and entry.step + self._spacing <= history.buckets:
                self._entries = ()
                break
            with suppress(ValueError, TypeError, KeyError, RecursionError):
                self.state = load_state(self._states[entry.step], History.of(*history.buckets_before(entry.step)))
                self._position, self._reached, self._branches = entry.offset, entry.step - 1, entry.branches
                return
            self._entries = self._entries[:-1]
            self._indexed = None  # what is in the index cannot be used: it is to be written anew
        self.state, self._position, self._reached, self._branches = RunState(), 0, 0, FIRST_BRANCHES

    def _apply_line(self, line: Line, event: Event | None) -> None:
        if event is None or not self.state.is_possible(event):
            if line.text.endswith(b"\n") or not line.text:  # else it may be yet to be written
                self._position = line.end
                if (start := journal.start_in(line.text)) is not None:
                    self._branches = after(self._branches, start)
            return
        self.before_event(event, lambda: line.begin)
        self.state.apply(event)
        self._position = line.end

    def before_event(self, event: Event, offset: Callable[[], int | None]) -> None:
        """To be called before an event is applied to the state: adds an entry at a measurement if one is due.

        `offset` returns where the line of the event begins in the journal; None if that is not known.
        """
        if isinstance(event, OF_A_STEP):
            self._before_measurement(event.step, offset)
        elif isinstance(event, RunStarted | BranchStarted):
            self._branches = after(self._branches, start_of(event))
            if event.step < self._reached:
                self._entries = tuple(entry for entry in self._entries if entry.step <= event.step + 1)
                self._reached = event.step

    def _before_measurement(self, step: int, offset: Callable[[], int | None]) -> None:
        spacing = max(self._spacing, self.state.history.stride)
        if (at := step // spacing * spacing) > self._reached and self._whole:
            self._add_entry(at, offset())
        self._reached = max(self._reached, step)

    def _add_entry(self, step: int, offset: int | None) -> None:
        if offset is None:
            return
        self._states[step] = dump_state(self.state)
        for other in [other for other in self._states if not self._is_kept(other, step)]:
            del self._states[other]
        # There is one of this step if the run was resumed there: what followed it does not count.
        self._entries = (
            *(entry for entry in self._entries if entry.step < step),
            IndexEntry(step, offset, self._branches),
        )

    def _is_kept(self, step: int, last: int) -> bool:
        """Of the last entries every state is kept, of earlier ones some: a run is seldom resumed from far back."""
        number, age = step // self._spacing, (last - step) // self._spacing
        return age < 8 or number % 64 == 0 or (age < 64 and number % 8 == 0)
