"""The trainer's end of the control socket: viewers come and go, and none of them can hold the trainer up."""

import json
import os
import queue
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Final

from tui_trainer.run.commands import Attach, Command, Detach
from tui_trainer.run.control.address import bind, unbind
from tui_trainer.run.control.protocol import MAX_LINE, decode_command, refusal
from tui_trainer.run.events import Event
from tui_trainer.run.folder import Folder
from tui_trainer.run.lines import encode
from tui_trainer.run.session import Joined, Listener

MAX_VIEWERS: Final = 16

MAX_BEHIND: Final = 5_000
"""Events that a viewer may be behind; beyond that it is sent away, and can join anew from the journal."""

STALLED_SECONDS: Final = 5.0
"""A viewer that takes nothing for so long is sent away."""

SEND_SECONDS: Final = 0.1
"""Events go out in bundles, so that the trainer's thread is seldom disturbed."""

COMMAND_SECONDS: Final = 0.02
"""Least time between two commands of one viewer; what comes faster waits in the socket."""

SOURCE: Final = "attached"
"""Of the commands of a viewer, who says that it is one by sending attach."""

COMMAND_LINE: Final = "command line"
"""Of the commands of anybody else, who comes to ask something and goes."""

Join = Callable[[], Joined]


class ControlServer:
    """Listens in a run's directory from when it is made, in threads of its own; raises OSError where it cannot."""

    def __init__(
        self,
        folder: Folder,
        join: Join,
        leave: Callable[[Listener], None],
        send: Callable[[Command], None],
    ) -> None:
        self._folder, self._join, self._leave, self._send = folder, join, leave, send
        self._viewers: set[_Viewer] = set()
        self._listener = bind(folder)
        threading.Thread(target=self._accept, name="control", daemon=True).start()

    def close(self) -> None:
        """Send what there is still to tell, and end every connection."""
        unbind(self._folder)
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        viewers = list(self._viewers)
        for viewer in viewers:
            viewer.finish()
        for viewer in viewers:
            viewer.wait()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            try:
                self._admit(connection)
            except OSError as error:
                _refuse(connection, f"The trainer cannot take a viewer ({error.strerror or error}).")

    def _admit(self, connection: socket.socket) -> None:
        if not _same_user(connection):
            _refuse(connection, "This run belongs to another user.")
        elif len(self._viewers) >= MAX_VIEWERS:
            _refuse(connection, f"{MAX_VIEWERS} viewers are attached, which is the most: close one of them.")
        else:
            viewer = _Viewer(connection, self._join, self._gone, self._send)
            self._viewers.add(viewer)
            viewer.start()

    def _gone(self, viewer: "_Viewer") -> None:
        self._leave(viewer.events)
        self._viewers.discard(viewer)


class _Viewer:
    """One connection: a thread that sends events, and one that takes commands."""

    def __init__(
        self,
        connection: socket.socket,
        join: Join,
        gone: "Callable[[_Viewer], None]",
        send: Callable[[Command], None],
    ) -> None:
        self._connection, self._gone, self._command = connection, gone, send
        self._connection.settimeout(STALLED_SECONDS)
        self._writing = threading.Lock()
        self._over = threading.Event()
        self._attached = False
        joined = join()
        self.events, self._past = joined.events, joined.waiting
        greeting = {"journal": joined.size, "waiting": len(joined.waiting), "pid": os.getpid(), **joined.about}
        self._greeting = json.dumps(greeting).encode() + b"\n"
        self._sender = threading.Thread(target=self._send_events, name="viewer", daemon=True)
        self._taker = threading.Thread(target=self._take_commands, name="viewer's commands", daemon=True)

    def start(self) -> None:
        self._sender.start()
        self._taker.start()

    def finish(self) -> None:
        """Send what waits, then hang up; returns at once."""
        self._over.set()

    def wait(self) -> None:
        self._sender.join(STALLED_SECONDS)

    def _send_events(self) -> None:
        try:
            self._write(self._greeting + _encoded(self._past))
            self._past = []
            while not self._over.wait(SEND_SECONDS) and self.events.qsize() < MAX_BEHIND:
                self._send_waiting()
            if self._over.is_set():
                self._send_waiting()
        except OSError:
            pass
        finally:
            self._gone(self)
            if self._attached:
                self._command(Detach(SOURCE))
            with suppress(OSError):
                self._connection.shutdown(socket.SHUT_RDWR)
            self._connection.close()

    def _send_waiting(self) -> None:
        waiting = []
        with suppress(queue.Empty):
            while True:
                waiting.append(self.events.get_nowait())
        if waiting:
            self._write(_encoded(waiting))

    def _write(self, data: bytes) -> None:
        with self._writing:
            self._connection.sendall(data)

    def _take_commands(self) -> None:
        try:
            for line in self._lines():
                self._take(line)
                time.sleep(COMMAND_SECONDS)
        except OSError:
            pass
        self._over.set()

    def _take(self, line: bytes) -> None:
        try:
            command = decode_command(line, SOURCE if self._attached else COMMAND_LINE)
        except ValueError as error:
            self._write(refusal(str(error)))
            return
        if isinstance(command, Attach | Detach):
            self._count(isinstance(command, Attach))
        else:
            self._command(command)

    def _count(self, attached: bool) -> None:
        """Somebody looks on from now on, or no longer."""
        if attached != self._attached:
            self._attached = attached
            self._command(Attach(SOURCE) if attached else Detach(SOURCE))

    def _lines(self) -> Iterator[bytes]:
        """Whole lines; a longer one than any message may be is refused, and ends the connection."""
        buffer = b""
        while True:
            try:
                data = self._connection.recv(MAX_LINE)
            except TimeoutError:
                continue
            if not data:
                return
            *lines, buffer = (buffer + data).split(b"\n")
            for line in [*lines, buffer]:
                if len(line) > MAX_LINE:
                    self._write(refusal(f"A message has at most {MAX_LINE:,} bytes."))
                    return
            yield from (line for line in lines if line)


def _encoded(events: list[Event]) -> bytes:
    return "".join(f"{encode(event)}\n" for event in events).encode(errors="backslashreplace")


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
