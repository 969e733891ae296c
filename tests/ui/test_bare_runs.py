"""Every view of a run of another tool, which tells no more than its name and the losses of its steps."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import scripted
from tests.driving import driving
from tests.folding import folded
from tests.unit.sessions.test_overview import make
from tests.unit.test_headless import lines
from tui_trainer.run.codec import decode
from tui_trainer.run.events import Event
from tui_trainer.run.finding import find_run
from tui_trainer.run.folder import Folder
from tui_trainer.sessions.journal_reader import JournalReader
from tui_trainer.sessions.listing import overviews
from tui_trainer.sessions.overview import overview
from tui_trainer.state.absence_description import describe
from tui_trainer.state.summary import summary
from tui_trainer.ui.panes.vitals import detail_rows, progress_rows

LINES = [
    '{"event": "run", "run": "theirs", "format": 1}',
    *(json.dumps({"event": "step", "step": step, "loss": 5 - step / 20}) for step in range(1, 51)),
]


def told() -> Iterator[Event]:
    for line in LINES:
        event = decode(line)
        assert event is not None
        yield event


def test_the_state_is_that_of_a_run_that_goes_on() -> None:
    now = folded(told()).snapshot()
    assert (now.state, now.step, now.run and now.run.run) == ("running", 50, "theirs")
    assert (now.schedule, now.time_left, now.tokens_per_second, now.step_seconds) == (None, None, None, None)


def test_what_is_not_told_is_a_dash() -> None:
    rows = dict(progress_rows(now := folded(told()).snapshot()) + detail_rows(now))
    unknown = {"Tokens/s", "Step time", "Time left", "Tokens seen", "Epoch", "Model", "Memory", "Best val", "Clipped"}
    assert {name for name, value in rows.items() if value == "–"} >= unknown


@pytest.mark.parametrize("size", [(80, 24), (120, 40), (200, 60)])
async def test_the_screen(size: tuple[int, int]) -> None:
    async with driving(list(told()), size=size) as screen:
        for pane in "123456":
            await screen.press(pane)
            assert "theirs" in screen.text and "RUNNING" in screen.text
            assert "cannot draw" not in screen.text
        assert "step 50 " in screen.text and "50/" not in screen.text
        assert "None" not in screen.text and "nan" not in screen.text


async def test_rates_without_a_plan_are_drawn() -> None:
    events = [event for line in LINES if (event := decode(line.replace('"loss"', '"lr": 0.01, "loss"'))) is not None]
    async with driving(events) as screen:
        await screen.press("3")
        assert "1.0e-2" in screen.text
        assert "cannot draw" not in screen.text


def test_the_summary() -> None:
    text = summary(folded(told()).snapshot())
    assert text.startswith("theirs: running at step 50 after ")
    assert "Knowing only" not in text


def test_lines_without_a_screen() -> None:
    printed = lines(*told())
    assert printed[0] == "run theirs: from step 0"
    assert printed[1] == "step       1  loss 4.9500"


def test_what_happened_meanwhile() -> None:
    absence = folded(told()).snapshot().absence
    assert absence is not None
    assert ("Steps", "50 in 0s, now at 50") in describe(absence, 0, None, absence.until)


def test_an_overview_and_the_past_without_a_configuration(tmp_path: Path) -> None:
    run = make(tmp_path, "theirs")
    run.journal.write_text("\n".join(LINES) + "\n", encoding="utf-8")
    run.config.unlink()
    assert find_run(str(run.path), tmp_path / "runs") == run
    assert [each.path for each in overviews(tmp_path)] == [str(run.path)]
    found = overview(run)
    assert (found.step, found.loss, found.val_loss, found.time_left) == (50, 2.5, None, None)
    assert "theirs" in found.line()
    with Folder.open(run.path) as folder:
        reader = JournalReader(folder)
        for _ in reader.read():
            pass
    assert reader.state.snapshot().step == 50


def test_a_plan_without_a_schedule_has_a_length() -> None:
    run = scripted.run_started(run="theirs", steps=100)
    now = folded([run, *list(told())[1:]]).snapshot()
    assert now.run is not None and now.run.plan.steps == 100
    assert now.schedule is None
