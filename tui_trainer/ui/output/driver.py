"""The driver of the terminal: sends the cells that changed, counts the bytes, and says when it takes no more."""

import select
from typing import Any

from textual.drivers.linux_driver import LinuxDriver

from tui_trainer.ui.output.cell_diff import CellDiff


class DiffDriver(LinuxDriver):
    """`bytes_sent` grows with what is sent."""

    def __init__(self, *args: Any, **options: Any) -> None:
        self._diff = CellDiff()
        self.bytes_sent = 0
        super().__init__(*args, **options)

    def write(self, data: str) -> None:
        changes = self._diff.changes(data)
        if changes:
            self.bytes_sent += len(changes.encode(errors="replace"))
            super().write(changes)

    def forget(self) -> None:
        """Send everything anew that is drawn from now on: the terminal may show something else, as it was resized."""
        self._diff.forget()

    @property
    def is_congested(self) -> bool:
        """Whether the terminal, or the connection to it, takes no more bytes at the moment."""
        try:
            return self._file is not None and not select.select([], [self._file], [], 0)[1]
        except (OSError, ValueError):  # it is closed: there is nothing to wait for
            return False
