"""The other end of a control socket, where something strange listens."""

import threading
from pathlib import Path

from tui_trainer.run.control.address import bind, unbind
from tui_trainer.run.control.client import Connection
from tui_trainer.run.folder import Folder


def test_a_line_without_an_end_is_not_listened_to_for_ever(tmp_path: Path) -> None:
    with Folder.open(tmp_path) as folder, bind(folder) as listener:
        hung_up = threading.Event()

        def talk() -> None:
            connection, _ = listener.accept()
            with connection:
                connection.sendall(b'{"journal": 0}\n')
                try:
                    while True:
                        connection.sendall(b"x" * 65_536)
                except OSError:
                    hung_up.set()

        talking = threading.Thread(target=talk, daemon=True)
        talking.start()
        with Connection(folder) as connection:
            assert connection.greet().journal == 0
            assert list(connection.events()) == []
        assert hung_up.wait(10)
        talking.join(10)
        unbind(folder)
