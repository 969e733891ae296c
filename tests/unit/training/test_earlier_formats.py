"""Runs that earlier versions have written are opened for ever: their directories lie in tests/data, by format.

In those of format 2 the trainer was stopped; in `muon-killed` it was killed twice and resumed from an older step each
time, in `rolled-back` three losses were infinite, `two-models` is finished with a best model before its last, and
`options` has none of the defaults that can be changed.
"""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from tests.folding import curve
from tests.unit.run.test_lock import held
from tests.unit.sessions.test_formats import greeting
from tests.unit.sessions.watching import Watching
from tests.unit.training.faults import poisoned
from tests.unit.training.helpers import TEXT, Resumed, ScriptedSession, run_to_end, stop_after
from tests.waiting import until
from tui_trainer.run import journal
from tui_trainer.run.directory import RunDirectory
from tui_trainer.run.events import Event, Step
from tui_trainer.run.lineage import FIRST_LINEAGE
from tui_trainer.sessions.attached import AttachedSession
from tui_trainer.sessions.listing import overviews
from tui_trainer.sessions.overview import overview
from tui_trainer.sessions.replay import ReplaySession
from tui_trainer.training.checkpoints.checkpoint import Checkpoint
from tui_trainer.training.checkpoints.store import CheckpointStore
from tui_trainer.training.device import setup

DATA = Path(__file__).parents[2] / "data"

SENTENCE = "The cat sat on the mat, and the dog lay by the door, and both of them were still.\n"
SHORT = SENTENCE * 8 + "Quick foxes jump over lazy wolves; vexed judges quit.\n"

REACHED = {"adamw-stopped": 7, "muon-killed": 10, "options": 7, "rolled-back": 32, "two-models": 60}
"""The step at which each run of format 2 is saved."""

RUNS = {"format-1": 5} | {f"format-2/{name}": step for name, step in REACHED.items()}


Opened = Callable[..., RunDirectory]


@pytest.fixture
def opened(tmp_path: Path) -> Opened:
    """A copy of a run, by format and name, with its corpus."""

    def copy(name: str, called: str = "") -> RunDirectory:
        corpus = tmp_path / "text.txt"
        corpus.write_text(SHORT if name.endswith("two-models") else TEXT, encoding="utf-8")
        run = RunDirectory(tmp_path / "runs" / (called or Path(name).name))
        shutil.copytree(DATA / name, run.path)
        for file in filter(Path.exists, (run.config, run.journal)):
            text = file.read_text(encoding="utf-8")
            file.write_text(text.replace("CORPUS", str(corpus)).replace("RUNS", str(tmp_path / "runs")), "utf-8")
        return run

    return copy


def steps_of(session: ScriptedSession) -> list[tuple[Any, ...]]:
    return [(event.step, event.loss, event.lr, event.grad_norm, event.weight_norm) for event in session.of(Step)]


def newest(run: RunDirectory) -> Checkpoint:
    with run.open() as folder:
        return CheckpointStore(folder, 3).newest()[0]


def last_weights(run: RunDirectory) -> dict[str, torch.Tensor]:
    checkpoint = newest(run)
    return checkpoint.weights | checkpoint.state


def steps_in(run: RunDirectory) -> list[Event]:
    with run.open() as folder:
        return [event for event in journal.without_superseded(folder) if isinstance(event, Step)]


def gone_on(run: RunDirectory, *until: int, steps: int | None = None) -> list[Resumed]:
    """Resume a run, stop it after each of these steps, and bring it to its end."""
    sessions = [Resumed(run, steps, react=stop_after(step)) for step in until]
    for session in sessions:
        session.run()
    sessions.append(Resumed(run, steps))
    sessions[-1].run()
    assert sessions[-1].snapshot().state == "finished"
    return sessions


def same(one: RunDirectory, other: RunDirectory) -> bool:
    ours, theirs = last_weights(one), last_weights(other)
    return ours.keys() == theirs.keys() and all(torch.equal(ours[name], theirs[name]) for name in ours)


@pytest.mark.parametrize("name", REACHED)
def test_it_is_resumed_to_the_bit(opened: Opened, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """As a run of this version that was never interrupted, where the machine computes as that which wrote it did.

    Anywhere, however often it is interrupted.
    """
    if name == "rolled-back":
        poisoned(monkeypatch, {26, 27, 28})
    length = 90 if name == "two-models" else None
    run, again = opened(f"format-2/{name}"), opened(f"format-2/{name}", "again")
    before = newest(run)
    (once,) = gone_on(run, steps=length)
    assert steps_of(once)[0][0] == REACHED[name] + 1
    assert [step for part in gone_on(again, REACHED[name] + 1, steps=length) for step in steps_of(part)] == steps_of(
        once
    )
    assert same(run, again)
    assert newest(run).lineage == before.lineage == FIRST_LINEAGE
    if before.progress.setup == setup() and not length:
        whole = run_to_end(run.read_config().update(name="whole"))
        assert steps_of(whole)[-len(steps_of(once)) :] == steps_of(once)
        assert same(run, whole.directory_of_run)


@pytest.mark.parametrize("name", RUNS)
def test_status_and_runs_show_it(opened: Opened, name: str) -> None:
    run = opened(name)
    found = overview(run)
    assert (found.step, found.live) == (RUNS[name], False)
    assert [each.step for each in overviews(run.path.parent)] == [RUNS[name]]


@pytest.mark.parametrize("name", REACHED)
def test_replay_tells_of_it_all_that_its_journal_has(opened: Opened, name: str) -> None:
    run = opened(f"format-2/{name}")
    watching = Watching(ReplaySession(run))
    until(lambda: watching.session.snapshot().step == REACHED[name], "the recording")
    now = watching.session.snapshot()
    watching.session.leave()
    assert watching.ends()
    assert now.step == REACHED[name] and now.run is not None
    assert (now.run.format, now.run.branch, now.run.run) == (1, 1, name)
    assert now.run.model.layers == 1 and now.run.plan.steps > 0 and now.run.source.train_tokens > 0
    assert now.run.machine.device and now.run.sampling.prompt and now.schedule is not None
    assert [event.step for event in steps_in(run)] == list(range(1, REACHED[name] + 1))
    assert len(curve(now, "loss")) == REACHED[name]


@pytest.mark.parametrize("name", REACHED)
def test_a_live_one_is_attached_to(opened: Opened, name: str) -> None:
    """Its trainer's greeting tells no format."""
    run = opened(f"format-2/{name}")
    with held(run), run.open() as folder:
        size = run.journal.stat().st_size
        greeting(folder, json.dumps({"journal": size, "waiting": 0, "pid": 1, "room": True, "state": "running"}))
        watching = Watching(AttachedSession(run))
        until(lambda: watching.session.snapshot().step == REACHED[name], "the past")
        watching.session.leave()
        assert watching.ends()
