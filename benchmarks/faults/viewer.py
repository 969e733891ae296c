"""A viewer at a run's control socket that need not behave."""

import json
import socket
import threading
from contextlib import suppress
from typing import Any

from benchmarks.faults.lab import until
from benchmarks.faults.run import Run

SEND_SECONDS = 60.0


class Viewer:
    """Connects, and keeps what it is told; with `reads=False` it takes nothing at all."""

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
        """Why the trainer does not want it, or what it has said."""
        messages = [self.greeting, *self.received]
        return next((str(message["refused"]) for message in messages if "refused" in message), "")

    def attach(self) -> None:
        """Become one of those that look on."""
        self.say(b'{"command": "attach"}\n')

    def say(self, data: bytes) -> None:
        """Raises OSError when the trainer has hung up, or takes nothing for long."""
        self._connection.settimeout(SEND_SECONDS)
        self._connection.sendall(data)

    def close(self) -> None:
        with suppress(OSError):
            self._connection.shutdown(socket.SHUT_RDWR)
        self._connection.close()

    @property
    def hung_up(self) -> bool:
        """Whether the trainer has ended the connection; for one that has read nothing."""
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
