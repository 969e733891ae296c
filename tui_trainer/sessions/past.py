"""The past of a run, as its journal tells it: read from the last place that the index beside it knows."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from typing import BinaryIO, Final

from tui_trainer.history.history import History
from tui_trainer.history.journal_index import Index, Place, read_index, write_index
from tui_trainer.run import journal
from tui_trainer.run.events import BranchStarted, Event, RunStarted
from tui_trainer.run.folder import Folder
from tui_trainer.run.journal import JOURNAL, MEASUREMENTS, Line
from tui_trainer.run.lineage import FIRST_BRANCHES, Start, after, is_whole, last_steps, start_of
from tui_trainer.state.run_state import RunState
from tui_trainer.state.serialization import dump_state, load_state

SPACING: Final = 8192
"""Steps from place to place, some two million bytes of a journal: so many are read at least when a run is opened."""

READING: Final = "reading the journal"
"""What that is called while it lasts."""

LINES: Final = 256
"""Read at once: a hundredth of a second."""


class Past:
    """Events folded into a state and its history; can be read on as the journal grows. For one thread at a time.

    Now and then what has been found is kept as a place, to begin from the next time: in the index, or where a run was
    taken up from an older step, so that what came after that counts no longer.
    """

    def __init__(self, folder: Folder, spacing: int | None = None, state: RunState | None = None) -> None:
        """Of the run in a directory, with a place every `spacing` steps; `state` is that of a run that has no past."""
        self.state = RunState() if state is None else state
        self._folder, self._spacing = folder, spacing or SPACING
        self._position: int | None = None
        """Bytes that have been read; None before anything was."""
        self._reached = 0
        """The last step of which there is a measurement."""
        self._branches = FIRST_BRANCHES
        """Of the run at that position."""
        self._places: tuple[Place, ...] = ()
        self._states: dict[int, str] = {}
        """What the state was at some of the places, by their step."""
        self._indexed: Place | None = None
        """The last place in the index."""
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
            limits = last_steps([*journal.starts(file, self._begin, end), *later], self._branches)[0]
            if not is_whole(self._branches[-1], limits, self._reached):
                self._go_back(self.state.history, lambda place: is_whole(place.branches[-1], limits, place.step - 1))
            self._whole &= end - self._begin <= journal.MAX_BYTES
            lines = journal.valid_lines(file, self._begin, end, later, self._branches)
            for number, (line, event) in enumerate(lines, 1):
                self._take(line, event)
                if number % LINES == 0:
                    yield line.end, end
            self.state.history.flush()

    def write_index(self) -> None:
        """Keep what was found beside the journal, where that can be done and there is anything new.

        May be called by another thread than the others are.
        """
        places, states = self._places, dict(self._states)
        if not places or places[-1] == self._indexed:
            return
        with suppress(OSError, ValueError, MemoryError), self._folder.open_to_read(JOURNAL) as file:
            buckets = self.state.history.buckets_before(places[-1].step)
            known = {place.step for place in places}
            states = {step: state for step, state in states.items() if step in known}
            write_index(self._folder, file, Index(places, states, *buckets))
            self._indexed = places[-1]

    @property
    def branch(self) -> int:
        """That the run is on."""
        return self._branches[-1][-1].id

    @property
    def _begin(self) -> int:
        return self._position or 0

    def _open_index(self, file: BinaryIO, end: int) -> None:
        self._position = 0
        if (index := read_index(self._folder, file, journal.end_of(file))) is not None:
            # It may be younger than the part that is wanted.
            self._places = tuple(place for place in index.places if place.offset <= end)
            self._states, self._indexed = dict(index.states), index.places[-1]
            self._go_back(History.of(index.metrics, index.stride, index.cells))

    def _go_back(self, history: History, usable: Callable[[Place], bool] = lambda place: True) -> None:
        """To the newest place that is usable; to the beginning without one."""
        self._places = tuple(filter(usable, self._places))
        while self._places:
            place = self._places[-1]
            with suppress(ValueError, TypeError, KeyError, RecursionError):
                self.state = load_state(self._states[place.step], History.of(*history.buckets_before(place.step)))
                self._position, self._reached, self._branches = place.offset, place.step - 1, place.branches
                return
            self._places = self._places[:-1]
        self.state, self._position, self._reached, self._branches = RunState(), 0, 0, FIRST_BRANCHES

    def _take(self, line: Line, event: Event | None) -> None:
        if event is None:
            if line.text.endswith(b"\n") or not line.text:  # else it may be yet to be written
                self._position = line.end
                if (start := journal.start_in(line.text)) is not None:
                    self._branches = after(self._branches, start)
            return
        self.note(event, lambda: line.begin)
        self.state.apply(event)
        self._position = line.end

    def note(self, event: Event, offset: Callable[[], int | None]) -> None:
        """Before an event changes the state: where a measurement's line begins there may be a place.

        That is in the journal at `offset`, if it is known.
        """
        if isinstance(event, MEASUREMENTS):
            self._note_measurement(event.step, offset)
        elif isinstance(event, RunStarted | BranchStarted):
            self._branches = after(self._branches, start_of(event))
            if event.step < self._reached:
                self._places = tuple(place for place in self._places if place.step <= event.step + 1)
                self._reached = event.step

    def _note_measurement(self, step: int, offset: Callable[[], int | None]) -> None:
        spacing = max(self._spacing, self.state.history.stride)
        if (at := step // spacing * spacing) > self._reached and self._whole:
            self._note_place(at, offset())
        self._reached = max(self._reached, step)

    def _note_place(self, step: int, offset: int | None) -> None:
        if offset is None:
            return
        self._states[step] = dump_state(self.state)
        for other in [other for other in self._states if not self._is_kept(other, step)]:
            del self._states[other]
        # There is one of this step where a trainer took the run up there: what follows that counts no longer.
        self._places = (
            *(place for place in self._places if place.step < step),
            Place(step, offset, self._branches),
        )

    def _is_kept(self, step: int, last: int) -> bool:
        """Of the last places every state is kept, of those before some: a run is seldom taken up from far back."""
        number, age = step // self._spacing, (last - step) // self._spacing
        return age < 8 or number % 64 == 0 or (age < 64 and number % 8 == 0)
