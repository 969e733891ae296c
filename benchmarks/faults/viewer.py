"""A viewer at a run's control socket, which can send malformed messages or read nothing."""

import json
import socket
import threading
from contextlib import suppress
from typing import Any

from benchmarks.faults.lab import until
from benchmarks.faults.run import Run

SEND_SECONDS = 60.0


class Viewer:
    """Connects, and keeps the messages it receives; with `reads=False` it reads nothing."""

    def __init__(self, run: Run, reads: bool = True) -> None:
        self._connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._connection.connect(str((run.path / "control.sock").resolve()))
        self.greeting: dict[str, Any] = {}
        self.received: list[dict[str, Any]] = []
        self.ended = False
        if reads:
            threading.Thread(target=self._read, daemon=True).start()
            until(lambda: self.greeting or self.ended, "a greeting")

    @property
    def refused(self) -> str:
        """The reason with which the trainer refused this viewer or a message; empty if it has not."""
        messages = [self.greeting, *self.received]
        return next((str(message["refused"]) for message in messages if "refused" in message), "")

    def attach(self) -> None:
        """Attach as a viewer."""
        self.send(b'{"command": "attach"}\n')

    def send(self, data: bytes) -> None:
        """Send bytes; raises OSError if the trainer has closed the connection, or has not read for SEND_SECONDS."""
        self._connection.settimeout(SEND_SECONDS)
        self._connection.sendall(data)

    def close(self) -> None:
        with suppress(OSError):
            self._connection.shutdown(socket.SHUT_RDWR)
        self._connection.close()

    @property
    def is_disconnected(self) -> bool:
        """Whether the trainer has closed the connection; for a viewer that reads nothing."""
        self._connection.settimeout(1.0)
        try:
            while self._connection.recv(1 << 20):
                pass
        except TimeoutError:
            return False
        except OSError:
            pass
        return True

    @staticmethod
    def decoded(text: str) -> list[dict[str, Any]]:
        return [json.loads(line) for line in text.splitlines()]

    def _read(self) -> None:
        with suppress(OSError, ValueError), self._connection.makefile("rb") as lines:
            for line in lines:
                message = json.loads(line)
                if self.greeting:
                    self.received.append(message)
                else:
                    self.greeting = message
        self.ended = True
