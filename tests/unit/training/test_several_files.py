"""Runs of several files: what validates, and that a run keeps to it."""

from pathlib import Path

import pytest

from tests.unit.training.helpers import run_to_end, small_config, stop_after
from tests.unit.training.test_resume import judged, learned, resume
from tui_trainer.config import Config
from tui_trainer.run.alerts import AlertKind
from tui_trainer.run.directory import RunDirectory
from tui_trainer.run.events import Alert, RunStarted


@pytest.fixture
def config(corpus: Path) -> Config:
    dogs = corpus.parent / "dogs.txt"
    dogs.write_text("A dog, and a dog again.\n" * 30)
    return small_config(corpus).update(corpus=(str(corpus), str(dogs)))


@pytest.mark.parametrize("way", ["each-file", "end"])
def test_a_run_of_several_files_keeps_its_split(config: Config, runs: Path, way: str) -> None:
    """Also one whose configuration does not tell, as it is from before there was a choice: of the end of the text."""
    config = config.update(val_from=way)
    whole = run_to_end(config.update(name="whole"))
    first = run_to_end(config.update(name="parts"), stop_after(5))
    if way == "end":
        path = RunDirectory(runs / "parts").config
        path.write_text(path.read_text().replace('val_from = "end"\n', ""))
        assert RunDirectory(runs / "parts").read_config().data.val_from is None
    second = resume(RunDirectory(runs / "parts"))
    assert learned(whole) == learned(first) + learned(second)
    assert judged(whole) == judged(first) + judged(second)


def test_a_new_run_of_several_files_validates_on_each_and_says_so(config: Config) -> None:
    session = run_to_end(config, stop_after(1))
    assert session.directory is not None
    assert session.directory.read_config().data.val_from == "each-file"
    (run,) = session.of(RunStarted)
    assert run.reasons["val_from"] == "each-file, as the end of each of 2 files validates"


def test_what_a_directory_has_that_is_no_text_is_told(config: Config, corpus: Path) -> None:
    books = corpus.parent / "books"
    books.mkdir()
    (books / "a.txt").write_bytes(corpus.read_bytes())
    (books / "b.txt").touch()
    for name in ("c.png", "d.png"):
        (books / name).write_bytes(b"\0\1\2")
    session = run_to_end(config.update(corpus=(str(books),)), stop_after(1))
    told = [alert.message for alert in session.of(Alert) if alert.kind == AlertKind.CORPUS]
    assert told == ["Files left out of the corpus: 2 binary, 1 empty."]


def test_where_nothing_is_left_out_nothing_is_said(config: Config) -> None:
    session = run_to_end(config, stop_after(1))
    assert not [alert for alert in session.of(Alert) if alert.kind == AlertKind.CORPUS]
