"""The trainer's end of the control socket: viewers connect and disconnect, and cannot make the trainer wait."""

import json
import os
import queue
import socket
import struct
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Final

from tui_trainer.run.codec import encode_lines
from tui_trainer.run.commands import ATTACHED, COMMAND_LINE, Attach, Command, Detach
from tui_trainer.run.folder import Folder
from tui_trainer.run.formats import SOCKET_FORMAT
from tui_trainer.sessions.base import EventQueue, Joined
from tui_trainer.sessions.control.address import bind, unbind
from tui_trainer.sessions.control.protocol import (
    MAX_MESSAGE,
    NO_ROOM,
    MessageTooLong,
    decode_command,
    decode_message,
    read_lines,
    refusal,
)
from tui_trainer.sessions.control.viewer_requests import Ask, ViewerRequests
from tui_trainer.sessions.requests import refuse

MAX_VIEWERS: Final = 16
"""Viewers that are attached at once."""

MAX_OTHERS: Final = 32
"""Other connections at once: of who asks something and goes, or has not yet said that it stays."""

MAX_BEHIND: Final = 5_000
"""Events that a viewer may be behind; beyond that it is disconnected, and can attach again from the journal."""

STALLED_SECONDS: Final = 5.0
"""A viewer that receives nothing for so long is disconnected."""

SEND_SECONDS: Final = 0.1
"""Events go out in bundles, so that the trainer's thread is seldom disturbed."""

ACCEPT_SECONDS: Final = 0.2
"""How long to wait when no connection can be taken: there may be no descriptor left."""

COMMAND_SECONDS: Final = 0.02
"""Least time between two commands of one viewer; what comes faster waits in the socket."""

Join = Callable[[], Joined]


class ControlServer:
    """Listens in a run's directory from when it is made, in threads of its own; raises OSError where it cannot."""

    def __init__(
        self,
        folder: Folder,
        join: Join,
        leave: Callable[[EventQueue], None],
        send: Callable[[Command], None],
        ask: Ask = lambda request, asker: refuse(request),
    ) -> None:
        self._folder, self._join, self._leave, self._send, self.ask = folder, join, leave, send, ask
        self._closed = threading.Event()
        self._connections = threading.Lock()
        """Guards the two sets."""
        self._viewers: set[_Viewer] = set()
        self._others: set[_Viewer] = set()
        self._listener = bind(folder)
        threading.Thread(target=self._accept, name="control", daemon=True).start()

    def close(self) -> None:
        """Send the events that wait, and close every connection."""
        self._closed.set()
        unbind(self._folder)
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        with self._connections:
            viewers = [*self._viewers, *self._others]
        for viewer in viewers:
            viewer.finish()
        for viewer in viewers:
            viewer.wait()

    def _accept(self) -> None:
        while not self._closed.is_set():
            try:
                connection, _ = self._listener.accept()
            except OSError:  # closed; or there is no descriptor left, or the client has disconnected already
                self._closed.wait(ACCEPT_SECONDS)
                continue
            try:
                self._admit(connection)
            except (OSError, RuntimeError) as error:  # the latter when the system has no thread left
                _refuse(connection, f"The trainer cannot take a viewer ({getattr(error, 'strerror', None) or error}).")

    def _admit(self, connection: socket.socket) -> None:
        if not _same_user(connection):
            _refuse(connection, "This run belongs to another user.")
            return
        with self._connections:
            full = len(self._others) >= MAX_OTHERS
            room = len(self._viewers) < MAX_VIEWERS
        if full:
            _refuse(connection, f"{MAX_OTHERS} others ask something of this run, which is the most: try again.")
            return
        viewer = _Viewer(connection, self, self._join(), room)
        with self._connections:  # so that it cannot be gone before it is there
            try:
                viewer.start()
            except RuntimeError:
                self._leave(viewer.events)
                raise
            self._others.add(viewer)

    # -- called by the threads of the connections -------------------------------------------------------------------

    def attach(self, viewer: "_Viewer") -> bool:
        """Whether there is room for a viewer that stays."""
        with self._connections:
            if len(self._viewers) >= MAX_VIEWERS or viewer not in self._others:  # full, or just gone
                return False
            self._others.discard(viewer)
            self._viewers.add(viewer)
        self.send(Attach(ATTACHED))
        return True

    def detach(self, viewer: "_Viewer") -> None:
        """It is no viewer any more, but may still send requests and commands, unless it is just gone."""
        with self._connections:
            if viewer not in self._viewers:
                return
            self._viewers.discard(viewer)
            self._others.add(viewer)
        self.send(Detach(ATTACHED))

    def on_close(self, viewer: "_Viewer") -> None:
        self._leave(viewer.events)
        with self._connections:
            attached = viewer in self._viewers
            self._viewers.discard(viewer)
            self._others.discard(viewer)
        if attached:
            self.send(Detach(ATTACHED))

    def send(self, command: Command) -> None:
        """Hand a command to the trainer."""
        self._send(command)


class _Viewer:
    """One connection: a thread that sends events, and one that takes commands."""

    def __init__(self, connection: socket.socket, server: ControlServer, joined: Joined, room: bool) -> None:
        self._connection, self._server = connection, server
        self._connection.settimeout(STALLED_SECONDS)
        self._writing = threading.Lock()
        self._over = threading.Event()
        self._attached = False
        self._requests = ViewerRequests(server.ask)
        self.events, self._past = joined.events, joined.waiting
        greeting = {"format": SOCKET_FORMAT, "journal": joined.size, "waiting": len(joined.waiting)}
        greeting |= {"pid": os.getpid(), "room": room}
        greeting |= joined.about
        self._greeting = json.dumps(greeting).encode() + b"\n"
        self._sender = threading.Thread(target=self._send_events, name="viewer", daemon=True)
        self._receiver = threading.Thread(target=self._receive_commands, name="viewer's commands", daemon=True)

    def start(self) -> None:
        """Raises RuntimeError when the system has no thread left."""
        self._sender.start()

    def finish(self) -> None:
        """Send what waits, then hang up; returns at once."""
        self._over.set()

    def wait(self) -> None:
        self._sender.join(STALLED_SECONDS)

    def _send_events(self) -> None:
        try:
            self._write(self._greeting + encode_lines(self._past))
            self._past = []
            self._receiver.start()
            while not self._over.wait(SEND_SECONDS) and self.events.qsize() < MAX_BEHIND:
                self._send_waiting()
            if self._over.is_set():
                self._send_waiting()
        except (OSError, RuntimeError):  # it has gone, or takes nothing; or the system has no thread left
            pass
        finally:
            self._requests.give_up()
            self._server.on_close(self)
            with suppress(OSError):
                self._connection.shutdown(socket.SHUT_RDWR)
            self._connection.close()

    def _send_waiting(self) -> None:
        waiting = []
        with suppress(queue.Empty):
            while True:
                waiting.append(self.events.get_nowait())
        if data := encode_lines(waiting) + self._requests.replies():
            self._write(data)

    def _write(self, data: bytes) -> None:
        with self._writing:
            self._connection.sendall(data)

    def _receive_commands(self) -> None:
        try:
            for line in read_lines(self._connection, MAX_MESSAGE):
                if line:
                    self._handle(line)
                    time.sleep(COMMAND_SECONDS)
        except MessageTooLong:
            with suppress(OSError):
                self._write(refusal(f"A message has at most {MAX_MESSAGE:,} bytes."))
        except OSError:
            pass
        finally:
            self._over.set()

    def _handle(self, line: bytes) -> None:
        try:
            message = decode_message(line)
            if "request" in message:
                self._requests.take(message)
                return
            command = decode_command(message, ATTACHED if self._attached else COMMAND_LINE)
        except ValueError as error:
            self._write(refusal(str(error)))
            return
        if isinstance(command, Attach | Detach):
            self._set_attached(isinstance(command, Attach))
        else:
            self._server.send(command)

    def _set_attached(self, attached: bool) -> None:
        """Attach or detach this connection as a viewer; raises ConnectionAbortedError when there is no room."""
        if attached and not self._attached:
            if not self._server.attach(self):
                self._write(refusal(NO_ROOM))
                raise ConnectionAbortedError(NO_ROOM)
        elif self._attached and not attached:
            self._server.detach(self)
        self._attached = attached


def _same_user(connection: socket.socket) -> bool:
    """Whether the other end is this user's, or root's; where the system does not tell, the file's mode has to do."""
    if not hasattr(socket, "SO_PEERCRED"):
        return True
    credentials = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
    _, user, _ = struct.unpack("3i", credentials)
    return user in (os.getuid(), 0)


def _refuse(connection: socket.socket, reason: str) -> None:
    with suppress(OSError):
        connection.settimeout(STALLED_SECONDS)
        connection.sendall(refusal(reason))
    connection.close()
