"""Every step of a part of a run, read from its journal."""

import weakref
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.folding import folded
from tests.unit.run.journals import write_journal
from tests.unit.sessions.test_journal_reader import SPACING, eventful, indexed
from tests.unit.state.folded import evaluation, started, step
from tui_trainer.history.detail import Detail, read_detail
from tui_trainer.history.history import BATCH
from tui_trainer.history.measurements import evaluation_numbers, measured_in
from tui_trainer.run import journal
from tui_trainer.run.codec import encode
from tui_trainer.run.events import Evaluation
from tui_trainer.run.folder import Folder


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Folder]:
    with Folder.open(tmp_path) as opened:
        yield opened


@pytest.mark.parametrize("index", [False, True])
@pytest.mark.parametrize("seed", range(200, 206))
def test_every_step_is_as_in_the_history(folder: Folder, seed: int, index: bool) -> None:
    """Whatever was resumed meanwhile, and whether or not there is an index."""
    write_journal(folder.path, *eventful(seed))
    if index:
        indexed(folder)
    state = folded(journal.without_superseded(folder))
    end = state.snapshot().step
    for first, last in ((0, end), (1, 5), (end // 2, end // 2), (SPACING - 1, 3 * SPACING + 1), (end - 1, end + 100)):
        detail = read_detail(folder, first, last)
        for metric in ("loss", "lr", "tokens"):
            ours, theirs = (each.window(metric, first, last, 10_000) for each in (detail, state.history))
            assert ours.steps.tolist() == theirs.steps.tolist()
            assert str(ours.mean.tolist()) == str(theirs.mean.tolist())


def test_far_into_a_run_single_steps_can_be_seen(folder: Folder) -> None:
    begin = 10_000_000
    numbers = range(begin, begin + 200)
    write_journal(folder.path, started(), *(step(number, loss=float(number)) for number in numbers))
    curve = read_detail(folder, begin + 50, begin + 99).window("loss", begin + 50, begin + 99, 80)
    assert curve.steps.tolist() == curve.mean.tolist() == [float(number) for number in range(begin + 50, begin + 100)]


def test_evaluations_are_among_the_detail(folder: Folder) -> None:
    write_journal(folder.path, started(), step(1), evaluation(1, 3.0, best=True), step(2))
    assert read_detail(folder, 1, 2).window("val_loss", 0, 2, 80).mean.tolist() == [3.0]


def test_however_many_steps_there_are_few_are_in_memory_apart() -> None:
    class Numbers(dict[str, float | None]):
        """Numbers that can be counted."""

    alive, most = weakref.WeakValueDictionary[int, Numbers](), 0

    def measured() -> Iterator[tuple[int, Numbers]]:
        nonlocal most
        for number in range(5000):
            numbers = Numbers(loss=1.0)
            alive[number] = numbers
            most = max(most, len(alive))
            yield number, numbers

    assert len(Detail(0, measured()).window("loss", 0, 5000, 10_000).steps) == 5000
    assert most <= BATCH + 2


def test_only_the_part_is_read(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    write_journal(folder.path, started(), *map(step, range(1, 2001)))
    indexed(folder)
    places = []
    lines = journal.lines
    monkeypatch.setattr(
        journal, "lines", lambda file, begin, end: places.append((begin, end)) or lines(file, begin, end)
    )
    read_detail(folder, 1000, 1001)
    size = len(encode(step(1000))) + 10
    assert all(end - begin < 2 * SPACING * size for begin, end in places)


@pytest.mark.parametrize(
    "line",
    [
        *(b"", b"{", b"[]", b"5", b"null", b"[" * 100_000, b"\xff", b'{"event": "step"}'),
        *(
            b'{"event": "step", "step": %s, "loss": 1}' % number
            for number in (b"-1", b"1.5", b'"1"', b"null", b"9" * 30)
        ),
        b'{"event": "alert", "step": 1, "loss": 1}',
        b'{"event": ["step"], "step": 1}',
    ],
)
def test_what_measures_nothing_is_left_out(line: bytes) -> None:
    assert measured_in(line) is None


def test_only_numbers_are_measured() -> None:
    line = b'{"event": "step", "step": 7, "time": 1, "loss": NaN, "lr": null, "a": "b", "c": true, "d": [], "x": 2.5}'
    measured = measured_in(line)
    assert measured is not None
    assert measured[0] == 7
    assert str(measured[1]) == "{'loss': nan, 'lr': None, 'x': 2.5}"


@pytest.mark.parametrize(("part", "metrics"), [("whole", "val_loss"), ("sample", "sampled_val_loss")])
def test_evaluations_of_a_sample_have_metrics_of_their_own(part: str, metrics: str) -> None:
    event = Evaluation(step=7, train_loss=None, val_loss=2.5, perplexity=None, bits_per_byte=3.5, best=False, part=part)
    measured = measured_in(encode(event).encode())
    assert measured == (7, evaluation_numbers(event))
    assert measured[1][metrics] == 2.5 and len({"val_loss", "sampled_val_loss"} & measured[1].keys()) == 1


def test_numbers_that_no_run_has_are_gaps(folder: Folder) -> None:
    (folder.path / "journal.jsonl").write_text(
        '{"event": "step", "step": 1, "loss": 1e308, "lr": -1e400, "x": 1e400}\n'
    )
    detail = read_detail(folder, 0, 9)
    assert [str(detail.window(name, 0, 9, 9).low.tolist()) for name in ("loss", "x")] == ["[nan]", "[nan]"]
