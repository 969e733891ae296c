"""`journal.jsonl`: an event a line, append-only, whole even after a torn last line; and read within bounds."""

import errno
import os
from collections.abc import Iterator, Sequence
from contextlib import suppress
from typing import BinaryIO, Final, NamedTuple

from tui_trainer.run.codec import decode, encode_lines
from tui_trainer.run.events import (
    BranchStarted,
    CheckpointSaved,
    CommandApplied,
    Evaluation,
    Event,
    Layers,
    Resources,
    RunStarted,
    Sample,
    StateChanged,
    Step,
)
from tui_trainer.run.folder import Folder
from tui_trainer.run.lineage import FIRST, FIRST_BRANCHES, Branches, Start, last_steps, start_of

JOURNAL: Final = "journal.jsonl"

MAX_LINE: Final = 4 * 2**20
"""Bytes in a line; a longer one is damaged or malicious, and is never held in memory."""

MAX_BYTES: Final = 2**33
"""Of a journal that are read at once, some thirty million steps: of a longer part its beginning and its end."""

MAX_SKIP: Final = 2**28
"""Bytes beyond a line that is too long within which it is to end: else nothing after it is read."""

BEGINNING: Final = 2**20
"""Bytes read at the beginning of such a journal, which have the `run` event."""

SCANNED: Final = 16_384
"""Lines searched for a start at once: a hundredth of a second."""

BLOCK: Final = 65_536
"""Bytes read at once where a line's end is looked for."""

OF_A_STEP: Final = (Step, Evaluation, Sample, Layers, Resources, CheckpointSaved)
"""What counts no longer once its step is not part of the run any more."""

OF_THE_PROCESS: Final = (CommandApplied, StateChanged)
"""Events that count even if the branch that they happened on does not."""

_STEP: Final = f'{{"event": "{Step.event}"'.encode()

_RUN, _BRANCH = (f'"{kind.event}"'.encode() for kind in (RunStarted, BranchStarted))


def read(folder: Folder, size: int = 0) -> Iterator[Event]:
    """The events of the journal in a run's directory (of its first `size` bytes, if given), in order.

    Damaged lines are left out. Raises OSError, also where the journal is a link, or anything else that is no regular
    file.
    """
    with folder.open_to_read(JOURNAL) as file:
        for line in lines(file, 0, end_of(file, size)):
            if (event := _journalled(line.text)) is not None:
                yield event


def without_superseded(folder: Folder, size: int = 0, later: Sequence[Start] = ()) -> Iterator[Event]:
    """Events as `read` gives them, but for those that are not part of what the run is now.

    That are the events of branches that it does not descend from, and the measurements and checkpoints of steps which
    a trainer took again, or after which another branch began. `later` are starts that are not in the journal yet.
    """
    with folder.open_to_read(JOURNAL) as file:
        for _, event in valid_lines(file, 0, end_of(file, size), later):
            if event is not None:
                yield event


def beside_steps(folder: Folder) -> Iterator[Event | None]:
    """Events as `without_superseded` gives them, but for the steps, which are not decoded; None now and then."""
    with folder.open_to_read(JOURNAL) as file:
        for number, (line, last_step) in enumerate(limited_lines(file, 0, end_of(file))):
            event = None if line.text.startswith(_STEP) else _journalled(line.text)
            if event is not None and _counts(event, last_step):
                yield event
            elif number % SCANNED == 0:
                yield None


class Line(NamedTuple):
    """A line of a journal, with its line end, and where it begins; one that is too long is cut up, and has no text."""

    begin: int
    length: int
    text: bytes

    @property
    def end(self) -> int:
        return self.begin + self.length


def end_of(file: BinaryIO, size: int = 0) -> int:
    """Where to stop reading a journal of which the first `size` bytes are wanted, or all (0)."""
    end = file.seek(0, 2)
    return min(end, size) if size else end


def valid_lines(
    file: BinaryIO,
    begin: int,
    end: int,
    later: Sequence[Start] = (),
    before: Branches = FIRST_BRANCHES,
    found: Sequence[Start] | None = None,
) -> Iterator[tuple[Line, Event | None]]:
    """The lines between two offsets, with the events of those that have one that counts: see `without_superseded`.

    `before` are the branches of the run at the first offset, `found` the starts between the two, if they are known.
    """
    for line, last_step in limited_lines(file, begin, end, later, before, found):
        event = _journalled(line.text)
        yield line, event if event is not None and _counts(event, last_step) else None


def _counts(event: Event, last_step: float) -> bool:
    """Whether an event counts where measurements do up to `last_step`, which is -1 for those of no branch that does."""
    if last_step < 0:
        return isinstance(event, OF_THE_PROCESS)
    return event.step <= last_step or not isinstance(event, OF_A_STEP)


def limited_lines(
    file: BinaryIO,
    begin: int,
    end: int,
    later: Sequence[Start] = (),
    before: Branches = FIRST_BRANCHES,
    found: Sequence[Start] | None = None,
) -> Iterator[tuple[Line, float]]:
    """The lines between two offsets, each with the last step of which a measurement in it would count, or -1."""
    if found is None:
        found = [start for start in starts(file, begin, end) if start is not None]
    first, limits = last_steps([*found, *later], before)
    left, limit = len(found), first.get(before[-1][-1].id, -1)
    upcoming = iter(limits)
    for line in lines(file, begin, end):
        if left and start_in(line.text) is not None:
            left, limit = left - 1, next(upcoming)
        yield line, limit


def starts(file: BinaryIO, begin: int, end: int) -> Iterator[Start | None]:
    """Every start of a trainer or of a branch, between two offsets in a journal.

    None now and then, so that whoever asks can give up.
    """
    for number, line in enumerate(lines(file, begin, end), 1):
        if (start := start_in(line.text)) is not None:
            yield start
        if number % SCANNED == 0:
            yield None


def start_in(line: bytes) -> Start | None:
    """The start of a trainer or of a branch in a line; None if the line has none."""
    event = decode(line) if _RUN in line or _BRANCH in line else None
    return start_of(event) if isinstance(event, RunStarted | BranchStarted) else None


def lines(file: BinaryIO, begin: int, end: int) -> Iterator[Line]:
    """The lines between two offsets, but for the middle of a huge part; the first offset is where a line begins."""
    if end - begin > MAX_BYTES:
        yield from _lines(file, begin, begin + BEGINNING)
        begin = end - MAX_BYTES
        file.seek(begin)
        begin += _skip_line(file, min(MAX_BYTES, MAX_SKIP))
    yield from _lines(file, begin, end)


def _lines(file: BinaryIO, begin: int, end: int) -> Iterator[Line]:
    file.seek(begin)
    while text := file.readline(MAX_LINE):
        length = len(text)
        if begin + length > end:
            return
        if length == MAX_LINE and not text.endswith(b"\n"):
            text = b""
            skipped = _skip_line(file, min(end - begin - length, MAX_SKIP))
            if skipped > MAX_SKIP:
                return
            length += skipped
        yield Line(begin, length, text)
        begin += length


def _skip_line(file: BinaryIO, most: int) -> int:
    """Read on until a line has ended, or more than `most` bytes; how many bytes that were."""
    skipped = 0
    while skipped <= most and (part := file.readline(BLOCK)):
        skipped += len(part)
        if part.endswith(b"\n"):
            break
    return skipped


def _journalled(line: bytes) -> Event | None:
    event = decode(line)
    return event if event is not None and event.journalled else None


def tail(folder: Folder, size: int = 262_144, steps: int | None = None) -> list[Event]:
    """The last events of a journal, those in about its last `size` bytes; raises OSError.

    `steps` is how many of the last optimizer steps are wanted: decoding all of them takes most of the time.
    """
    with folder.open_to_read(JOURNAL) as file:
        end = file.seek(0, 2)
        file.seek(max(0, end - size))
        found = file.read(size).split(b"\n")[1 if end > size else 0 :]
    if steps is not None:
        taken = [number for number, line in enumerate(found) if line.startswith(_STEP)]
        unwanted = set(taken[: max(0, len(taken) - steps)])
        found = [line for number, line in enumerate(found) if number not in unwanted]
    return [event for line in found if (event := decode(line)) is not None]


def valid_events(events: Sequence[Event]) -> Iterator[Event]:
    """Of the last events of a journal those that count, as far as these tell: see `without_superseded`."""
    found = [start_of(event) for event in events if isinstance(event, RunStarted | BranchStarted)]
    first, limits = last_steps(found)
    upcoming = iter(limits)
    before = (found[0].parent or found[0].branch) if found else FIRST  # which branch it was is not told otherwise
    limit = first.get(before, -1)
    for event in events:
        if isinstance(event, RunStarted | BranchStarted):
            limit = next(upcoming)
        if _counts(event, limit):
            yield event


class Journal:
    """Appends events to the journal of a run; each is handed to the operating system as it happens."""

    def __init__(self, folder: Folder) -> None:
        """In a run's directory, after what is there; raises OSError where that is not a file of this user's alone."""
        self._file = folder.open_to_append(JOURNAL)
        self._torn_at: int | None = None
        """Where the file is to be cut, if a write failed amid a line and the file could not be cut at once."""
        try:
            _end_torn_line(self._file)
        except BaseException:
            self._file.close()
            raise

    def append(self, *events: Event) -> None:
        """Write all of them; raises OSError when that fails, and then none of them is in the file."""
        if self._torn_at is not None:
            self._cut(self._torn_at)
        end = self.size
        data = memoryview(encode_lines(events))
        try:
            while data:
                if not (written := self._file.write(data)):
                    raise OSError(errno.EIO, "nothing could be written")
                data = data[written:]
        except OSError:
            self._torn_at = end
            with suppress(OSError):
                self._cut(end)
            raise

    @property
    def size(self) -> int:
        """Bytes of whole lines."""
        return os.fstat(self._file.fileno()).st_size if self._torn_at is None else self._torn_at

    def close(self) -> None:
        self._file.close()

    def _cut(self, end: int) -> None:
        os.ftruncate(self._file.fileno(), end)
        self._torn_at = None


def _end_torn_line(file: BinaryIO) -> None:
    """Drop what follows the last line end: a write that was cut short. What is longer than any line stays, as one."""
    size = end = file.seek(0, 2)
    while end > 0:
        start = max(0, end - BLOCK)
        file.seek(start)
        newline = file.read(end - start).rfind(b"\n")
        if newline >= 0:
            end = start + newline + 1
            break
        end = start
        if size - end > MAX_LINE:
            file.write(b"\n")
            return
    if end < size:
        file.truncate(end)
