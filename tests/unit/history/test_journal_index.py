"""The index beside a journal: where a stranger, an accident or another journal made it, it is as if there were none."""

import hashlib
import json
import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import pytest

from tui_trainer.history.cells import Cells, cells_of, empty_cells
from tui_trainer.history.history import BUCKETS
from tui_trainer.history.journal_index import DIGEST, FORMAT, INDEX, ROOM, Index, IndexEntry, read_index, write_index
from tui_trainer.run.folder import Folder

JOURNAL = b"".join(b"line %d\n" % number for number in range(2000))

GOOD = Index(
    entries=(IndexEntry(8, 500), IndexEntry(16, 12_000)),
    states={16: '{"step": 15, "text": "ü"}'},
    metrics=("loss", "lr"),
    stride=4,
    cells=cells_of([(step, {"loss": 1.0, "lr": None}) for step in range(4)], ("loss", "lr")),
)


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Folder]:
    (tmp_path / "journal.jsonl").write_bytes(JOURNAL)
    with Folder.open(tmp_path) as opened:
        yield opened


@pytest.fixture
def journal(folder: Folder) -> Iterator[BinaryIO]:
    with folder.open_to_read("journal.jsonl") as file:
        yield file


def there(folder: Folder, journal: BinaryIO, size: int = len(JOURNAL)) -> bool:
    return read_index(folder, journal, size) is not None


def test_what_was_written_is_read(folder: Folder, journal: BinaryIO) -> None:
    write_index(folder, journal, GOOD)
    index = read_index(folder, journal, len(JOURNAL))
    assert index is not None
    np.testing.assert_array_equal(index.cells, GOOD.cells)
    assert replace(index, cells=GOOD.cells) == GOOD


def test_on_a_disk_that_is_nearly_full_there_is_none(
    folder: Folder, journal: BinaryIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It must not be what fills it."""
    monkeypatch.setattr(Folder, "free_bytes", ROOM + 100)
    with pytest.raises(OSError, match="nearly full"):
        write_index(folder, journal, GOOD)
    assert folder.names() == ["journal.jsonl"]


def test_a_directory_of_its_name_is_left_alone(
    folder: Folder, journal: BinaryIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is written for it, again and again."""
    written = []
    monkeypatch.setattr(Folder, "replace", lambda self, name, data: written.append(name))
    (folder.path / INDEX).mkdir()
    with pytest.raises(IsADirectoryError):
        write_index(folder, journal, GOOD)
    assert not written


def test_without_one_there_is_none(folder: Folder, journal: BinaryIO) -> None:
    assert not there(folder, journal)


def test_an_index_is_of_the_part_of_the_journal_that_is_asked_for(folder: Folder, journal: BinaryIO) -> None:
    write_index(folder, journal, GOOD)
    assert there(folder, journal, 12_000)
    assert not there(folder, journal, 11_999)


@pytest.mark.parametrize("at", [0, 10, 11_999])
def test_of_another_journal_it_is_none(folder: Folder, journal: BinaryIO, at: int) -> None:
    write_index(folder, journal, GOOD)
    other = bytearray(JOURNAL)
    other[at] ^= 1
    folder.replace("journal.jsonl", bytes(other))
    with folder.open_to_read("journal.jsonl") as file:
        assert not there(folder, file)


def test_whatever_byte_is_damaged_it_is_none(folder: Folder, journal: BinaryIO) -> None:
    write_index(folder, journal, GOOD)
    whole = folder.read(INDEX, 2**20)
    for at in range(0, len(whole), 7):
        damaged = bytearray(whole)
        damaged[at] ^= 0x55
        folder.replace(INDEX, bytes(damaged))
        assert not there(folder, journal)
    for length in range(0, len(whole), 11):
        folder.replace(INDEX, whole[:length])
        assert not there(folder, journal)


@pytest.mark.parametrize("kind", ["link", "pipe", "directory", "huge", "device"])
def test_what_is_no_file_of_a_fit_size_is_none(folder: Folder, journal: BinaryIO, kind: str, tmp_path: Path) -> None:
    write_index(folder, journal, GOOD)
    place = tmp_path / INDEX
    place.rename(tmp_path / "elsewhere")
    match kind:
        case "link":
            place.symlink_to(tmp_path / "elsewhere")
        case "pipe":
            os.mkfifo(place)
        case "directory":
            place.mkdir()
        case "device":
            place.symlink_to("/dev/zero")
        case "huge":
            place.touch()
            os.truncate(place, 2**40)
    assert not there(folder, journal)


def forged(folder: Folder, journal: BinaryIO, changes: dict[str, Any], cells: Cells = GOOD.cells) -> bool:
    """Whether an index is believed that was changed and signed again; what is changed to `...` is left out."""
    write_index(folder, journal, GOOD)
    header = json.loads(folder.read(INDEX, 2**20)[DIGEST:].partition(b"\n")[0]) | changes
    text = json.dumps({name: value for name, value in header.items() if value is not ...})
    sign(folder, text.encode() + b"\n" + cells.tobytes())
    return there(folder, journal)


def sign(folder: Folder, data: bytes) -> None:
    folder.replace(INDEX, hashlib.sha256(data).hexdigest().encode() + b"\n" + data)


BRANCHES = [[[1, 0]]]

HEADERS: list[dict[str, Any]] = [
    *({name: ...} for name in ("format", "journal", "metrics", "stride", "places", "states")),
    *({name: None} for name in ("format", "journal", "metrics", "stride", "places", "states")),
    {"format": FORMAT + 1},
    {"journal": "of another"},
    {"stride": 2**70, "places": [[2**72, 12_000, BRANCHES]], "states": [[2**72, ""]]},
    *({"stride": stride} for stride in (0, -4, 3, 8, "x", [], 1e400, 10**30)),
    *({"metrics": metrics} for metrics in ([], ["loss"], ["loss", "loss"], ["loss", "lr", "new"], 5, ["x"] * 41)),
    {"places": []},
    {"places": [[8, 500, BRANCHES], [16, 12_000, BRANCHES], [16, 12_001, BRANCHES]]},
    {"places": [[8, 12_000, BRANCHES], [16, 500, BRANCHES]]},
    {"places": [[-8, 500, BRANCHES], [16, 12_000, BRANCHES]]},
    {"places": [[8, -500, BRANCHES], [16, 12_000, BRANCHES]]},
    {"places": [[8, 500, BRANCHES], [16, 2**62, BRANCHES]]},
    {"places": [[8, 500, BRANCHES], [10**40, 12_000, BRANCHES]]},
    {"places": [8, 16]},
    *(
        {"places": [[8, 500, told], [16, 12_000, BRANCHES]]}
        for told in (
            [],
            1,
            [1],
            [[]],
            [[1]],
            [[[1]]],
            [[[1, 0, 0]]],
            [[["x", 0]]],
            [[[10**30, 0]]],
            [[[1, 10**30]]],
            [[[1, 0]]] * 1001,
        )
    ),
    {"places": [[8, 500, BRANCHES], [16, float("nan"), BRANCHES]]},
    {"states": []},
    {"states": [[8, ""]]},
    {"states": [[16, ""], [17, ""]]},
    {"states": {"16": ""}},
    {"states": [[[], ""]]},
]


@pytest.mark.parametrize("changes", HEADERS, ids=range(len(HEADERS)))
def test_what_no_index_says_is_not_believed(folder: Folder, journal: BinaryIO, changes: dict[str, Any]) -> None:
    assert forged(folder, journal, {})
    assert not forged(folder, journal, changes)


@pytest.mark.parametrize("number", range(4))
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_a_number_that_is_none_is_not_believed(folder: Folder, journal: BinaryIO, number: int, value: float) -> None:
    cells = GOOD.cells.copy()
    cells[0, number, 1] = value
    assert not forged(folder, journal, {}, cells)


@pytest.mark.parametrize(
    "cell",
    [(1e308, 1e308, 1e308, 1), (1, 1, 1e308, 1), (1, 2, 5, 2), (1, 1, -1, -1), (1, 1, 1e300, 1e300), (1, 2, 0, 0)],
)
def test_numbers_that_no_measurements_amount_to_are_not_believed(
    folder: Folder, journal: BinaryIO, cell: tuple[float, ...]
) -> None:
    cells = GOOD.cells.copy()
    cells[0, :, 1] = cell
    assert not forged(folder, journal, {}, cells)


def test_a_least_above_the_greatest_is_not_believed(folder: Folder, journal: BinaryIO) -> None:
    cells = GOOD.cells.copy()
    cells[0, :2, 1] = 2.0, 1.0
    assert not forged(folder, journal, {}, cells)


@pytest.mark.parametrize("buckets", [0, 3, 5])
def test_there_are_as_many_buckets_as_steps_call_for(folder: Folder, journal: BinaryIO, buckets: int) -> None:
    assert not forged(folder, journal, {}, empty_cells(2, buckets))
    places = [[BUCKETS * 2, 12_000]]
    changes = {"places": places, "states": [[BUCKETS * 2, ""]], "stride": 1}
    assert not forged(folder, journal, changes, empty_cells(2, BUCKETS * 2))


@pytest.mark.parametrize("data", [b"", b"\n", b"[]\n", b"5\n", b"[" * 100_000 + b"\n", b"{}\n", b"\xff\n", b"{"])
def test_what_is_not_even_json_is_none(folder: Folder, journal: BinaryIO, data: bytes) -> None:
    sign(folder, data)
    assert not there(folder, journal)
