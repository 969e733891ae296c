"""The trainer's end of the socket: viewers get what happens, their commands arrive, and none of them can do harm."""

import contextlib
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.unit.run import journals
from tests.unit.sessions.control.peers import Asker, Trainer, Viewer
from tests.unit.state.folded import step
from tests.waiting import TIMEOUT, until
from tui_trainer.run.commands import ATTACHED, COMMAND_LINE, Attach, Detach, Pause, SetTemperature, Stop
from tui_trainer.run.formats import SOCKET_FORMAT
from tui_trainer.sessions.control import server
from tui_trainer.sessions.control.address import connect
from tui_trainer.sessions.control.protocol import MAX_MESSAGE, NO_ROOM, encode_command


@pytest.fixture
def trainer(tmp_path: Path) -> Iterator[Trainer]:
    trainer = Trainer(tmp_path)
    yield trainer
    trainer.control.close()


def test_the_journal_and_what_follows_make_the_whole_run(trainer: Trainer) -> None:
    """However the viewer comes in between, no event is lost and none is there twice."""
    publishing = threading.Thread(
        target=lambda: [trainer.publish(step(number)) for number in range(1, 501)], daemon=True
    )
    publishing.start()
    viewers = [Viewer(trainer) for _ in range(4)]
    publishing.join(TIMEOUT)
    assert not publishing.is_alive()
    for viewer in viewers:
        past = [event.step for event in journals.read(trainer.file, viewer.greeting["journal"])]
        if viewer.greeting["journal"] == 0:
            past = []
        future = [viewer.next()["step"] for _ in range(500 - len(past))]
        assert past + future == list(range(1, 501))


def test_the_greeting_tells_the_format(trainer: Trainer) -> None:
    assert Asker(trainer).greeting["format"] == SOCKET_FORMAT


def test_commands_arrive_in_order_and_from_whom(trainer: Trainer) -> None:
    viewer = Viewer(trainer)
    viewer.say(encode_command(Pause()) + encode_command(SetTemperature(value=0.5)))
    until(lambda: len(trainer.commands) == 2)
    assert trainer.commands == [Pause(ATTACHED), SetTemperature(ATTACHED, 0.5)]


def test_coming_and_going_is_told(trainer: Trainer) -> None:
    viewer = Viewer(trainer)
    until(lambda: trainer.asked == [Attach(ATTACHED)])
    viewer.connection.shutdown(socket.SHUT_RDWR)
    until(lambda: trainer.asked == [Attach(ATTACHED), Detach(ATTACHED)])
    assert trainer._subscribers == []


def test_who_is_gone_before_its_last_word_is_read_takes_no_room(trainer: Trainer) -> None:
    viewer = Viewer(trainer)
    until(lambda: trainer.asked == [Attach(ATTACHED)])
    (attached,) = trainer.control._viewers
    viewer.connection.shutdown(socket.SHUT_RDWR)
    until(lambda: trainer.asked == [Attach(ATTACHED), Detach(ATTACHED)])
    trainer.control.detach(attached)
    assert trainer.asked == [Attach(ATTACHED), Detach(ATTACHED)]
    assert not trainer.control._others


def test_who_only_asks_does_not_come_and_go(trainer: Trainer) -> None:
    asker = Asker(trainer)
    asker.say(encode_command(Pause()) + encode_command(Detach()))
    until(lambda: trainer.asked == [Pause(COMMAND_LINE)])
    asker.connection.shutdown(socket.SHUT_RDWR)
    until(lambda: trainer._subscribers == [])
    assert trainer.asked == [Pause(COMMAND_LINE)]


def test_who_says_twice_that_it_stays_is_one(trainer: Trainer) -> None:
    viewer = Viewer(trainer)
    viewer.say(encode_command(Attach()) + encode_command(Detach()) + encode_command(Pause()))
    until(lambda: trainer.asked == [Attach(ATTACHED), Detach(ATTACHED), Pause(COMMAND_LINE)])


@pytest.mark.parametrize(
    "line", [b"{}", b"\xff\xfe\x00", b"[" * 5_000, b'{"command": "self_destruct"}', b"GET / HTTP/1.1"]
)
def test_what_is_no_command_is_refused_and_the_viewer_stays(trainer: Trainer, line: bytes) -> None:
    viewer = Viewer(trainer)
    viewer.say(line + b"\n" + encode_command(Pause()))
    assert "refused" in viewer.next()
    until(lambda: trainer.commands == [Pause(ATTACHED)])


@pytest.mark.parametrize("end", [b"", b"\n"])
def test_a_line_without_end_is_refused_and_cut_off(trainer: Trainer, end: bytes) -> None:
    viewer, other = Viewer(trainer), Viewer(trainer)
    with contextlib.suppress(ConnectionError):  # the rest of it need not be taken
        viewer.say(b"x" * (MAX_MESSAGE * 4) + end)
    assert viewer.ended
    other.say(encode_command(Pause()))
    until(lambda: trainer.commands == [Pause(ATTACHED)])


def test_half_a_command_is_none(trainer: Trainer) -> None:
    viewer = Viewer(trainer)
    viewer.say(encode_command(Stop(value=True))[:-5])
    viewer.connection.close()
    viewer.lines.close()
    until(lambda: Detach(ATTACHED) in trainer.asked)
    assert trainer.commands == []


def test_a_flood_of_commands_waits_in_the_socket(trainer: Trainer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "COMMAND_SECONDS", 0.1)
    viewer = Viewer(trainer)
    begun = time.monotonic()
    viewer.say(encode_command(Pause()) * 1_000)
    until(lambda: len(trainer.commands) >= 5)
    assert len(trainer.commands) <= (time.monotonic() - begun) / 0.1 + 1


def test_a_viewer_that_takes_nothing_is_sent_away(trainer: Trainer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "STALLED_SECONDS", 0.2)
    sendall, senders = socket.socket.sendall, set[threading.Thread]()

    def recorded(connection: socket.socket, data: bytes) -> None:
        senders.add(threading.current_thread())
        sendall(connection, data)

    stalled = Viewer(trainer)
    monkeypatch.setattr(socket.socket, "sendall", recorded)
    for number in range(20_000):
        trainer.publish(step(number))
        if not trainer._subscribers:
            break
    until(lambda: not trainer._subscribers)
    assert stalled.ended
    assert senders and threading.current_thread() not in senders, "who publishes waits for no viewer"


def test_a_viewer_too_far_behind_is_sent_away(trainer: Trainer, monkeypatch: pytest.MonkeyPatch) -> None:
    all_published = threading.Event()
    monkeypatch.setattr(server._Viewer, "_send_waiting", lambda viewer: all_published.wait(TIMEOUT))
    viewer = Viewer(trainer)
    for number in range(server.MAX_BEHIND):
        trainer.publish(step(number))
    assert trainer._subscribers
    all_published.set()
    assert viewer.ended and not trainer._subscribers


def full_house(trainer: Trainer) -> list[Viewer]:
    viewers = [Viewer(trainer) for _ in range(server.MAX_VIEWERS)]
    until(lambda: trainer.asked == [Attach(ATTACHED)] * len(viewers), "all viewers")
    return viewers


def test_there_is_room_for_so_many_and_again_when_one_leaves(trainer: Trainer) -> None:
    viewers = full_house(trainer)
    late = Asker(trainer)
    assert not late.greeting["room"]
    late.say(encode_command(Attach()) + encode_command(Pause()))  # at once: the first makes the trainer hang up
    assert late.next() == {"refused": NO_ROOM}
    assert late.ended and trainer.commands == []
    viewers[0].connection.shutdown(socket.SHUT_RDWR)
    until(lambda: Detach(ATTACHED) in trainer.asked)
    assert Viewer(trainer).greeting["room"]


def test_as_many_viewers_as_there_may_be_leave_room_to_steer(trainer: Trainer) -> None:
    full_house(trainer)
    Asker(trainer).say(encode_command(Pause()))
    until(lambda: trainer.commands == [Pause(COMMAND_LINE)])


def test_connections_that_say_nothing_leave_room_for_viewers(trainer: Trainer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "MAX_OTHERS", 2)
    viewer = Viewer(trainer)
    until(lambda: trainer.asked == [Attach(ATTACHED)])
    silent = [Asker(trainer) for _ in range(2)]
    assert "2 others ask something" in Asker(trainer).greeting["refused"]
    viewer.say(encode_command(Pause()))
    until(lambda: trainer.commands == [Pause(ATTACHED)])
    silent[0].connection.shutdown(socket.SHUT_RDWR)
    until(lambda: "journal" in Asker(trainer).greeting)


def test_a_failure_to_accept_is_no_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    accept, failures = socket.socket.accept, [OSError(24, "Too many open files"), ConnectionAbortedError()]

    def fail_at_first(listener: socket.socket) -> Any:
        if failures:
            raise failures.pop()
        return accept(listener)

    monkeypatch.setattr(socket.socket, "accept", fail_at_first)
    trainer = Trainer(tmp_path)
    assert "journal" in Asker(trainer).greeting
    trainer.control.close()
    until(lambda: not any(thread.name == "control" for thread in threading.enumerate()), "the end")


@pytest.mark.parametrize("kind", ["viewer", "viewer's commands"])
def test_a_system_without_threads_costs_one_connection_and_no_more(
    trainer: Trainer, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    def fail(thread: threading.Thread) -> None:
        if thread.name == kind:
            raise RuntimeError("can't start new thread")
        start(thread)

    start = threading.Thread.start
    with monkeypatch.context() as context:
        context.setattr(threading.Thread, "start", fail)
        refused = Asker(trainer)
        assert refused.ended
        assert kind != "viewer" or "(can't start new thread)" in refused.greeting["refused"]
        until(lambda: not trainer._subscribers)
    assert "journal" in Asker(trainer).greeting


def test_who_connects_and_goes_at_once_takes_no_room(trainer: Trainer) -> None:
    for _ in range(3 * server.MAX_VIEWERS):
        connect(trainer.folder, 20).close()
    until(lambda: "journal" in Viewer(trainer).greeting)
    until(lambda: len(trainer._subscribers) <= 1)


def test_another_user_is_refused(trainer: Trainer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "_same_user", lambda connection: False)
    viewer = Viewer(trainer)
    assert viewer.greeting == {"refused": "This run belongs to another user."}
    assert viewer.ended and trainer.asked == []


def test_a_run_that_cannot_be_joined_refuses_a_viewer_and_no_more(trainer: Trainer) -> None:
    trainer.over = True
    assert Viewer(trainer).greeting == {"refused": "The trainer cannot take a viewer (the run is over)."}
    trainer.over = False
    assert "journal" in Viewer(trainer).greeting


def test_the_end_is_told_before_the_trainer_hangs_up(trainer: Trainer) -> None:
    viewer = Viewer(trainer)
    trainer.publish(step(7))
    trainer.control.close()
    assert viewer.next()["step"] == 7
    assert viewer.ended and not trainer.path.exists()
