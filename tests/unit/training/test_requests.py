"""Requests through a session that trains, one that is attached to it, and a recording of it."""

import socket
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import pytest

from tests.unit.run.journals import write_journal
from tests.unit.sessions.watching import Watching
from tests.unit.state.folded import started
from tests.unit.training.helpers import (
    ENDLESS,
    ScriptedSession,
    journalled,
    only_run,
    run_to_end,
    small_config,
    stop_after,
    watched,
)
from tests.waiting import TIMEOUT, until
from tui_trainer.model.generation import Generation
from tui_trainer.run.commands import Pause, Resume, Stop
from tui_trainer.run.directory import RunDirectory
from tui_trainer.run.events import Activity, Evaluation, Event, Sample, StateChanged, Step
from tui_trainer.run.requests import Refused, Reply, SampleReply, SampleRequest
from tui_trainer.sessions.attached import OLDER, AttachedSession
from tui_trainer.sessions.base import Session
from tui_trainer.sessions.control.client import Connection
from tui_trainer.sessions.replay import ReplaySession
from tui_trainer.training import preparation
from tui_trainer.training.local import LOADING, OVER, LocalSession
from tui_trainer.training.probes import evaluation, scheduler
from tui_trainer.training.probes.requests import UNKNOWN_PROMPT
from tui_trainer.training.recorded import load_answerer

REQUEST = SampleRequest("1", "The", tokens=12, seed=5)


def ask(session: Session, request: SampleRequest = REQUEST) -> Reply:
    return session.request(request).result(TIMEOUT)


def recording(run: RunDirectory) -> ReplaySession:
    return ReplaySession(run, lambda directory, publish: load_answerer(directory, publish))


def pausing(event: Event) -> Any:
    return Pause() if isinstance(event, Step) and event.step == 6 else None


def test_sessions_of_every_kind_have_the_same_reply(corpus: Path, runs: Path) -> None:
    session = ScriptedSession(small_config(corpus, steps=ENDLESS), pausing)
    with watched(session) as run:
        run.wait_for_state("paused")
        local = ask(session)
        attached = AttachedSession(only_run(runs))
        watching = Watching(attached)
        until(lambda: attached.snapshot().step == 6, "the attached session's past")
        far = ask(attached)
        attached.leave()
        assert watching.ends()
        run.ask(Stop())
        run.join()
    assert isinstance(local, SampleReply)
    assert (local.id, local.prompt, local.step, len(local.text)) == ("1", "The", 6, 12)
    assert far == local
    assert ask(recording(only_run(runs))) == local
    assert [event for event in journalled(session) if getattr(event, "text", None) == local.text] == []


def test_a_recording_renames_and_removes_nothing(corpus: Path, runs: Path) -> None:
    """Its directory may be one that cannot be written, or in which a trainer is about to replace a checkpoint."""
    run_to_end(small_config(corpus))
    checkpoints = only_run(runs).checkpoints
    newest = checkpoints / (checkpoints / "latest").read_text(encoding="utf-8")
    newest.rename(newest.with_name(f".replaced-{newest.name}"))
    before = sorted(path.name for path in checkpoints.iterdir())
    checkpoints.chmod(0o500)
    try:
        reply = ask(recording(only_run(runs)))
    finally:
        checkpoints.chmod(0o700)
    assert isinstance(reply, SampleReply)
    assert f"step-{reply.step:08}" == newest.name
    assert sorted(path.name for path in checkpoints.iterdir()) == before


def test_a_request_changes_nothing_of_the_run(corpus: Path) -> None:
    calm = run_to_end(small_config(corpus, name="calm"))
    asked: list[Future[Reply]] = []

    class Asking(ScriptedSession):
        def publish(self, event: Event) -> None:
            super().publish(event)
            if isinstance(event, Step):
                asked.append(self.request(SampleRequest(str(event.step), "The", tokens=5, seed=event.step)))

    session = Asking(small_config(corpus))
    session.run()
    assert [event.loss for event in session.of(Step)] == [event.loss for event in calm.of(Step)]
    assert [(each.step, each.text) for each in session.of(Sample)] == [(s.step, s.text) for s in calm.of(Sample)]
    replies = [each.result(TIMEOUT) for each in asked]
    assert [reply.id for reply in replies] == [str(step) for step in range(1, 13)]
    assert any(isinstance(reply, SampleReply) for reply in replies)


def test_requests_are_answered_while_a_run_is_paused_and_after_an_evaluation(corpus: Path) -> None:
    asked: dict[str, Future[Reply]] = {}

    class Asking(ScriptedSession):
        def publish(self, event: Event) -> None:
            super().publish(event)
            name = getattr(event, "doing", "") if isinstance(event, Activity) else getattr(event, "state", "")
            if name in ("paused", "validating") and name not in asked:
                asked[name] = self.request(SampleRequest(name, "The", tokens=3))

    session = Asking(small_config(corpus, steps=8), pausing)
    with watched(session) as run:
        run.wait_for_state("paused")
        until(lambda: "paused" in asked)
        assert isinstance(asked["paused"].result(TIMEOUT), SampleReply)
        run.ask(Resume())
    assert isinstance(asked["validating"].result(TIMEOUT), SampleReply)


def test_a_request_is_answered_amid_an_evaluation_which_finds_the_same(
    corpus: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(evaluation, "TOKENS_PER_BATCH", 1)
    monkeypatch.setattr(scheduler, "SHARE", 100.0)
    calm = run_to_end(small_config(corpus, name="calm"))
    asked, answered = list[Future[Reply]](), list[bool]()

    class Asking(ScriptedSession):
        def publish(self, event: Event) -> None:
            super().publish(event)
            if isinstance(event, Activity) and event.doing == "validating":
                asked.append(self.request(SampleRequest(str(event.step), "The", tokens=3)))
            elif isinstance(event, Evaluation):
                answered.append(asked[-1].done())

    session = Asking(small_config(corpus))
    session.run()
    assert answered and all(answered)
    assert [each.val_loss for each in session.of(Evaluation)] == [each.val_loss for each in calm.of(Evaluation)]
    assert [each.loss for each in session.of(Step)] == [each.loss for each in calm.of(Step)]
    replies = [each.result(TIMEOUT) for each in asked]
    assert [reply.step for reply in replies if isinstance(reply, SampleReply)] == [4, 8, 12]


def test_what_cannot_be_answered_yet_or_any_more_is_refused(corpus: Path) -> None:
    session = ScriptedSession(small_config(corpus), stop_after(3))
    assert ask(session) == Refused("1", LOADING)
    session.run()
    assert ask(session) == Refused("1", OVER)


def test_what_waits_when_a_run_ends_is_refused(corpus: Path) -> None:
    asked: list[Future[Reply]] = []

    class Asking(ScriptedSession):
        def publish(self, event: Event) -> None:
            super().publish(event)
            if isinstance(event, StateChanged) and event.state == "stopped":
                asked.append(self.request(REQUEST))

    session = Asking(small_config(corpus), stop_after(3))
    session.run()
    assert asked[0].result(TIMEOUT) == Refused("1", OVER)


def test_what_is_asked_of_a_run_that_could_not_be_prepared_is_refused_for_good(
    corpus: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("there is no device")

    asked: list[Future[Reply]] = []
    monkeypatch.setattr(preparation, "choose_device", fail)
    session = ScriptedSession(small_config(corpus))
    session.react = lambda event: asked.append(session.request(REQUEST)) if isinstance(event, StateChanged) else None
    session.run()
    assert session.snapshot().state == "failed"
    assert [reply.result(TIMEOUT) for reply in asked] == [Refused("1", OVER)]


def test_a_prompt_that_the_model_does_not_know_is_refused(corpus: Path) -> None:
    session = ScriptedSession(small_config(corpus), pausing)
    with watched(session) as run:
        run.wait_for_state("paused")
        assert ask(session, SampleRequest("1", "\u20ac")) == Refused("1", UNKNOWN_PROMPT)
        reply = ask(session, SampleRequest("2", "T\u20ache"))
        assert isinstance(reply, SampleReply)
        assert reply.prompt == "The"


def test_a_request_that_fails_costs_the_run_nothing(corpus: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    session = ScriptedSession(small_config(corpus, sample_every=100), pausing)
    with watched(session) as run:
        run.wait_for_state("paused")
        with monkeypatch.context() as broken:
            broken.setattr(Generation, "advance", fail)
            refused = ask(session)
        assert isinstance(refused, Refused)
        assert refused.reason == "It could not be answered (RuntimeError: the device is gone)."
        assert isinstance(ask(session), SampleReply)
        run.ask(Resume())
        run.wait_for_state("finished")


def fail(self: Generation) -> None:
    raise RuntimeError("the device is gone")


def test_a_recording_without_a_checkpoint_refuses(corpus: Path, tmp_path: Path) -> None:
    run = RunDirectory(tmp_path / "bare")
    run.path.mkdir()
    write_journal(run.path, started())
    (run.path / "config.toml").write_text(small_config(corpus).to_toml())
    refused = ask(recording(run))
    assert isinstance(refused, Refused)
    assert refused.reason == "The run bare has no checkpoint that can be read, and so no model to ask."


def test_a_recording_says_which_model_answers_where_the_newest_is_damaged(corpus: Path, runs: Path) -> None:
    run_to_end(small_config(corpus), stop_after(7))
    (only_run(runs).checkpoints / "step-00000007" / "model.safetensors").write_bytes(b"")
    session = recording(only_run(runs))
    reply = ask(session)
    assert isinstance(reply, SampleReply) and reply.step == 6
    told = "Requests are answered by the model of step 6: step-00000007 cannot be read."
    assert [alert.message for alert in session.snapshot().alerts] == [told]


def test_a_reply_is_for_the_viewer_that_asked(corpus: Path, runs: Path) -> None:
    session = ScriptedSession(small_config(corpus, steps=ENDLESS), pausing)
    with watched(session) as run:
        run.wait_for_state("paused")
        folder = only_run(runs).open()
        with Connection(folder) as asking, Connection(folder) as other:
            replies: list[Reply] = []
            overheard: list[Reply] = []
            for each in (asking, other):
                each.greet()
            asking.send_request(REQUEST)
            events = asking.events(replies.append)
            while not replies:
                session.publish(Activity(step=6, doing="waiting"))  # what comes from the trainer wakes a reader
                next(events)
            for event in other.events(overheard.append):
                if isinstance(event, Activity):
                    break
            assert [reply.id for reply in replies] == ["1"]
            assert overheard == []


def test_a_viewer_that_goes_takes_its_requests_with_it(corpus: Path, runs: Path) -> None:
    session = LocalSession(small_config(corpus, steps=ENDLESS))
    with watched(session) as run:
        run.wait_for_kind(Step)
        with Connection(only_run(runs).open()) as viewer:
            viewer.greet()
            viewer.send_request(SampleRequest("long", "The", tokens=10_000))
            until(lambda: session._requests._open, "the request")
        until(lambda: not session._requests._open, "its end")


def test_a_trainer_of_an_older_version_is_not_asked(corpus: Path, runs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    session = ScriptedSession(small_config(corpus, steps=ENDLESS), pausing)
    monkeypatch.setattr("tui_trainer.training.journalling.REQUESTS", {})
    with watched(session) as run:
        run.wait_for_state("paused")
        attached = AttachedSession(only_run(runs))
        watching = Watching(attached)
        until(lambda: attached.snapshot().step == 6, "the attached session's past")
        assert ask(attached) == Refused("1", OLDER)
        attached.leave()
        assert watching.ends()


@pytest.mark.parametrize("message", [b'{"request": "sample", "id": "7"}', b'{"request": "dance", "id": "7"}'])
def test_a_wrong_request_is_replied_to(message: bytes, corpus: Path, runs: Path) -> None:
    session = ScriptedSession(small_config(corpus, steps=ENDLESS), pausing)
    with watched(session) as run:
        run.wait_for_state("paused")
        with Connection(only_run(runs).open()) as viewer:
            viewer.greet()
            raw: socket.socket = viewer._socket
            raw.sendall(message + b"\n")
            line = next(line for line in viewer._lines if b'"reply"' in line)
            assert b'"refused"' in line and b'"id": "7"' in line
