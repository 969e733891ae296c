"""Both ends of a control socket: a trainer that publishes what it is told, and viewers that write raw lines."""

import json
import threading
from pathlib import Path
from typing import Any

from tui_trainer.run import journal
from tui_trainer.run.commands import Attach, Command, Detach
from tui_trainer.run.events import Event
from tui_trainer.run.folder import Folder
from tui_trainer.sessions.base import Joined, Session
from tui_trainer.sessions.control.address import connect
from tui_trainer.sessions.control.protocol import encode_command
from tui_trainer.sessions.control.server import ControlServer


class Trainer(Session):
    """Journals what is published, as a trainer does, and remembers what it is asked."""

    def __init__(self, directory: Path) -> None:
        super().__init__()
        self.path = directory / "control.sock"
        self.asked: list[Command] = []
        self.file = directory / "journal.jsonl"
        self.folder = Folder.open(directory)
        self.journal = journal.Journal(self.folder)
        self.publishing = threading.Lock()
        self.over = False
        self.waiting: list[Event] = []
        """Published, but not to be found in the journal."""
        self.control = ControlServer(self.folder, self.join, self.unsubscribe, self.send)

    def run(self) -> None: ...

    def send(self, command: Command) -> None:
        self.asked.append(command)

    def publish(self, event: Event) -> None:
        with self.publishing:
            super().publish(event)
            self.journal.append(event)

    def join(self) -> Joined:
        if self.over:
            raise ConnectionError("the run is over")
        with self.publishing:
            return Joined(self.journal.size, list(self.waiting), self.subscribe())

    @property
    def commands(self) -> list[Command]:
        return [command for command in self.asked if not isinstance(command, Attach | Detach)]


class Asker:
    """A connection, line by line."""

    def __init__(self, trainer: Trainer) -> None:
        self.connection = connect(trainer.folder, 20)
        self.lines = self.connection.makefile("rb")
        self.greeting = self.next()

    def next(self) -> dict[str, Any]:
        return dict(json.loads(next(self.lines)))

    def say(self, data: bytes) -> None:
        self.connection.sendall(data)

    @property
    def ended(self) -> bool:
        """Read on to the end; False when the other end has not hung up by then."""
        try:
            return all(True for _ in self.lines)
        except ConnectionError:
            return True
        except TimeoutError:
            return False


class Viewer(Asker):
    """One that says that it stays."""

    def __init__(self, trainer: Trainer) -> None:
        super().__init__(trainer)
        if "refused" not in self.greeting:
            self.say(encode_command(Attach()))
